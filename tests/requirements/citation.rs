//! Citations in the sources: a line that names the section, one that says `type=test` beside a test, and the quote.

use std::fs;
use std::path::{Path, PathBuf};

pub const TEXTS: &str = "testvectors/requirements/";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Code,
    Test,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Citation {
    pub kind: Kind,
    /// `src/record/frame.rs:12`.
    pub place: String,
    pub file: String,
    pub section: String,
    pub quote: String,
}

/// All citations below `src` and `tests`; what is wrong with their form goes into `faults`.
pub fn of_the_sources(root: &Path, faults: &mut Vec<String>) -> Vec<Citation> {
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    walk(&root.join("tests"), &mut files);
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let path = file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        found.extend(read(&path, &fs::read_to_string(&file).unwrap(), faults));
    }
    found
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The citations of one source file.
fn read(path: &str, text: &str, faults: &mut Vec<String>) -> Vec<Citation> {
    let mut found: Vec<Citation> = Vec::new();
    // What is compiled with the tests alone: a folder, a file, or the module at a file's end.
    let mut here = if path.contains("tests") { Kind::Test } else { Kind::Code };
    let mut open = None;
    for (index, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", index + 1);
        let line = line.trim();
        if line == "mod tests {" {
            here = Kind::Test;
        }
        let result = if let Some(words) = line.strip_prefix("//= ") {
            match words.strip_prefix("type=") {
                Some(kind) => typed(open.as_mut(), kind),
                None => {
                    close(open.take(), here, &mut found, faults);
                    named(words, &place).map(|citation| open = Some(citation))
                }
            }
        } else if line == "//#" || line.starts_with("//# ") {
            quoted(open.as_mut(), line.trim_start_matches("//#"))
        } else {
            close(open.take(), here, &mut found, faults);
            Ok(())
        };
        faults.extend(result.err().map(|fault| format!("{place}: {fault}")));
    }
    close(open, here, &mut found, faults);
    found
}

/// `testvectors/requirements/rfc9846.txt#section-4.3.11`
fn named(target: &str, place: &str) -> Result<Citation, &'static str> {
    let (file, section) = target
        .strip_prefix(TEXTS)
        .and_then(|target| target.split_once('#'))
        .ok_or("the line does not name a file of testvectors/requirements and a section")?;
    Ok(Citation {
        kind: Kind::Code,
        place: place.to_owned(),
        file: file.to_owned(),
        section: section.to_owned(),
        quote: String::new(),
    })
}

fn typed(open: Option<&mut Citation>, kind: &str) -> Result<(), &'static str> {
    let citation = open.filter(|open| open.quote.is_empty()).ok_or("a type that follows no section")?;
    if kind != "test" {
        return Err("the only type is \"test\"");
    }
    citation.kind = Kind::Test;
    Ok(())
}

fn quoted(open: Option<&mut Citation>, words: &str) -> Result<(), &'static str> {
    let citation = open.ok_or("a quote that follows no section")?;
    citation.quote.push_str(words);
    Ok(())
}

fn close(open: Option<Citation>, here: Kind, found: &mut Vec<Citation>, faults: &mut Vec<String>) {
    let Some(citation) = open else { return };
    if citation.kind != here {
        let should = if here == Kind::Test { "needs the line" } else { "must not have the line" };
        faults.push(format!("{}: a citation here {should} \"//= type=test\"", citation.place));
    }
    if citation.quote.trim().is_empty() {
        faults.push(format!("{}: no quote", citation.place));
    }
    found.push(citation);
}

fn sample(path: &str, text: &str) -> (Vec<Citation>, usize) {
    let mut faults = Vec::new();
    let found = read(path, &text.replace('@', "//"), &mut faults);
    (found, faults.len())
}

#[test]
fn citations_follow_one_another() {
    let text = "
        @= testvectors/requirements/a.txt#section-1
        @# one
        @# two
        @= testvectors/requirements/a.txt#section-2
        @# three
        fn code() {}
        mod tests {
            @= testvectors/requirements/b.txt#appendix-A.1
            @= type=test
            @# four";
    let (found, faults) = sample("src/a.rs", text);
    let seen: Vec<_> = found.iter().map(|c| (c.kind, c.section.as_str(), c.quote.as_str())).collect();
    let expected = [
        (Kind::Code, "section-1", " one two"),
        (Kind::Code, "section-2", " three"),
        (Kind::Test, "appendix-A.1", " four"),
    ];
    assert_eq!((seen.as_slice(), faults), (expected.as_slice(), 0));
    assert_eq!((found[2].file.as_str(), found[2].place.as_str()), ("b.txt", "src/a.rs:9"));
}

#[test]
fn a_malformed_citation_is_a_fault() {
    let good = "@= testvectors/requirements/a.txt#section-1\n@= type=test\n@# one";
    assert_eq!(sample("tests/a.rs", good).1, 0);
    for (path, text) in [
        ("src/a.rs", good),
        ("tests/a.rs", "@= testvectors/requirements/a.txt#section-1\n@# one"),
        ("tests/a.rs", "@= testvectors/requirements/a.txt#section-1\n@= type=test"),
        ("src/a.rs", "@= testvectors/requirements/a.txt#section-1\n@= type=todo\n@# one"),
        ("src/a.rs", "@= testvectors/requirements/a.txt\n"),
        ("src/a.rs", "@= elsewhere/a.txt#section-1\n"),
        ("src/a.rs", "@# one"),
        ("src/a.rs", "@= type=test"),
    ] {
        assert_eq!(sample(path, text).1, 1, "{text}");
    }
}
