//! The house's rules, checked against its sources: who may use whom, and what may not be named where.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A module uses only floors below it and its own.
const FLOORS: &[(&str, u8)] = &[
    ("secret", 0),
    ("alert", 0),
    ("error", 0),
    ("codepoint", 0),
    ("moment", 0),
    ("wire", 1),
    ("crypto", 1),
    ("crypto::rustcrypto", 2),
    ("crypto::graviola", 2),
    ("crypto::aws_lc", 2),
    ("crypto::null", 2),
    ("schedule", 3),
    ("transcript", 3),
    ("record", 3),
    ("identity", 3),
    ("config", 3),
    ("question", 3),
    ("psk", 3),
    ("handshake", 4),
    ("conn", 5),
    ("quic", 5),
    ("policy", 6),
    ("pki", 6),
    ("io", 7),
];

/// Side by side on one floor, and strangers to each other.
const STRANGERS: &[(&str, &str)] = &[("wire", "crypto"), ("crypto", "wire"), ("crypto::rustcrypto", "wire")];

/// Files that only tests and fuzz targets are compiled with; they may look anywhere.
const TESTS: &[&str] = &[
    "trace.rs",
    "trace/machines.rs",
    "schedule/trace.rs",
    "handshake/replay.rs",
    "internals.rs",
    "fuzzing/mod.rs",
    "fuzzing/extension.rs",
    "fuzzing/record.rs",
    "fuzzing/wire.rs",
    "pki/tests.rs",
];

/// The lowest floor that may name the standard library.
const LOWEST_WITH_STD: u8 = 6;

const LONGEST_FILE: usize = 600;

struct Source {
    /// Relative to `src` or `tests`.
    path: String,
    text: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The sources of the library, without its root and without tests.
fn library() -> Vec<Source> {
    let mut sources = sources("src");
    sources.retain(|source| source.path != "lib.rs" && !TESTS.contains(&source.path.as_str()));
    sources
}

impl Source {
    /// Without comments and without the tests at the end.
    fn code(&self) -> String {
        let code = self.text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code.lines().map(|line| line.split("//").next().unwrap());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The module that the file belongs to, by the table's names.
    fn module(&self) -> Option<&'static str> {
        let path = self.path.strip_suffix(".rs").unwrap().replace('/', "::");
        let holds = |module: &str| path == module || path.starts_with(&format!("{module}::"));
        FLOORS.iter().map(|(module, _)| *module).filter(|module| holds(module)).max_by_key(|name| name.len())
    }

    /// Which modules the code names by `crate::`.
    fn uses(&self) -> BTreeSet<&'static str> {
        let code = self.code();
        let mut used = BTreeSet::new();
        for path in code.split("crate::").skip(1) {
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len());
            let path = &path[..end];
            assert!(!path.is_empty(), "{}: name one module in a `use crate::`", self.path);
            used.insert(
                module_of(path).unwrap_or_else(|| panic!("{}: crate::{path} has no floor", self.path)),
            );
        }
        used
    }
}

/// The module that a path behind `crate::` leads to.
fn module_of(path: &str) -> Option<&'static str> {
    if path.starts_with(char::is_uppercase) {
        // The root re-exports errors and alerts alone.
        return Some("error");
    }
    let leads = |module: &str| path == module || path.starts_with(&format!("{module}::"));
    FLOORS.iter().map(|(module, _)| *module).filter(|module| leads(module)).max_by_key(|name| name.len())
}

fn floor(module: &str) -> u8 {
    FLOORS.iter().find(|(name, _)| *name == module).unwrap().1
}

#[test]
fn every_module_uses_only_floors_below_it_and_its_own() {
    let mut checked = 0;
    for source in library() {
        let module = source.module().unwrap_or_else(|| panic!("{}: give the module a floor", source.path));
        for used in source.uses() {
            assert!(floor(used) <= floor(module), "{}: {module} may not use {used}", source.path);
            assert!(!STRANGERS.contains(&(module, used)), "{}: {module} may not use {used}", source.path);
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked} uses are too few to be all");
}

#[test]
fn the_check_itself_finds_offenders() {
    let offender = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let low = offender("wire/reader.rs", "use crate::conn::Client;\nfn f(_: crate::Fault) {}");
    assert_eq!(low.module(), Some("wire"));
    assert_eq!(low.uses(), BTreeSet::from(["conn", "error"]));
    let provider = offender("crypto/rustcrypto/mod.rs", "// crate::wire\nuse crate::crypto::null::x;");
    assert_eq!(provider.module(), Some("crypto::rustcrypto"));
    assert_eq!(provider.uses(), BTreeSet::from(["crypto::null"]));
}

#[test]
fn the_lower_floors_know_no_standard_library() {
    for source in library() {
        if source.module().is_some_and(|module| floor(module) < LOWEST_WITH_STD) {
            // Only the standard library can ask the processor what it has.
            let code = source.code().replace("std::arch::", "").replace("std::is_x86_feature_detected!", "");
            assert!(!code.contains("std::"), "{} names std", source.path);
        }
    }
}

#[test]
fn certificates_are_read_here_and_by_no_package() {
    // One test holds our own reader against that package's.
    for source in sources("src").iter().filter(|source| source.path != "pki/tests/oracle.rs") {
        assert!(!source.code().contains("x509_parser"), "{} names x509_parser", source.path);
    }
}

#[test]
fn nothing_is_unsafe() {
    for source in sources("src") {
        let code = source.code().replace("#![forbid(unsafe_code)]", "");
        assert!(!code.contains("unsafe"), "{} names unsafe", source.path);
    }
}

fn is_citation(line: &str) -> bool {
    line.starts_with("//= ") || line.starts_with("//# ")
}

#[test]
fn no_file_is_too_long() {
    for source in sources("src").iter().chain(&sources("tests")) {
        // Citations of the standards are the standards' length, not ours.
        let lines = source.text.lines().map(str::trim_start).filter(|line| !is_citation(line)).count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", source.path);
    }
}

#[test]
fn every_module_says_what_it_is_in_at_most_five_lines() {
    for source in sources("src").iter().filter(|source| source.path != "lib.rs") {
        // An example may follow the description.
        let description = source.text.lines().take_while(|line| line.starts_with("//!"));
        let lines = description.take_while(|line| !line.contains("```") && *line != "//!").count();
        assert!((1..=5).contains(&lines), "{} begins with {lines} lines of description", source.path);
    }
}
