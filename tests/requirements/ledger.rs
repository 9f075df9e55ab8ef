//! The two lists beside the texts: requirements that are not ours, with the reason, and how many are still open.

use std::collections::BTreeMap;
use std::path::Path;

use super::citation::TEXTS;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Declined {
    /// The line of `declined.toml` at which the entry begins.
    pub line: usize,
    pub file: String,
    pub section: String,
    pub quote: String,
    pub reason: String,
}

/// Reads `declined.toml`: tables `[[declined]]` of strings, a subset of TOML.
pub fn declined(text: &str, faults: &mut Vec<String>) -> Vec<Declined> {
    let mut entries: Vec<Declined> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let fault = |what: &str| format!("declined.toml:{}: {what}", index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[declined]]" {
            entries.push(Declined { line: index + 1, ..Declined::default() });
            continue;
        }
        let Some((key, value)) = line.split_once(" = ") else {
            faults.push(fault("neither a table nor a key and its value"));
            continue;
        };
        let value = match value.strip_prefix("'''") {
            Some(first) => several_lines(first, &mut lines),
            None => value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned),
        };
        match (value, entries.last_mut()) {
            (Some(value), Some(entry)) => set(entry, key, value, faults),
            _ => faults.push(fault("not a string of an entry")),
        }
    }
    for entry in &entries {
        if [&entry.file, &entry.section, &entry.quote, &entry.reason]
            .iter()
            .any(|word| word.trim().is_empty())
        {
            faults.push(format!("declined.toml:{}: target, quote and reason are needed", entry.line));
        }
    }
    entries
}

fn several_lines<'a>(first: &str, lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let mut value = String::new();
    let mut line = first;
    loop {
        if let Some(last) = line.strip_suffix("'''") {
            value.push_str(last);
            return Some(value);
        }
        value.push_str(line);
        value.push('\n');
        line = lines.next()?.1;
    }
}

fn set(entry: &mut Declined, key: &str, value: String, faults: &mut Vec<String>) {
    match key {
        "quote" => entry.quote = value,
        "reason" => entry.reason = value,
        "target" => match value.strip_prefix(TEXTS).and_then(|target| target.split_once('#')) {
            Some((file, section)) => (entry.file, entry.section) = (file.to_owned(), section.to_owned()),
            None => faults.push(format!("declined.toml:{}: {value} is no section of a text", entry.line)),
        },
        _ => faults.push(format!("declined.toml:{}: {key} is no key", entry.line)),
    }
}

/// Reads `open.toml`: how many requirements of a section (`rfc9846.txt#section-4.2`) may lack a citation.
pub fn open(text: &str, faults: &mut Vec<String>) -> BTreeMap<String, usize> {
    let mut numbers = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let pair = line.split_once(" = ");
        match pair.and_then(|(key, number)| Some((key.trim_matches('"'), number.parse().ok()?))) {
            Some((section, number)) => {
                numbers.insert(section.to_owned(), number);
            }
            None => faults.push(format!("open.toml: {line} is not a section with its number")),
        }
    }
    numbers
}

/// The texts in the folder of requirements, by name.
pub fn texts(root: &Path) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = std::fs::read_dir(root.join(TEXTS))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn a_declined_requirement_has_a_target_a_quote_and_a_reason() {
    let mut faults = Vec::new();
    let whole = "# ours\n[[declined]]\ntarget = \"testvectors/requirements/a.txt#section-1\"\nquote = '''A \"b\"\nc'''\nreason = \"for authors\"\n";
    let entries = declined(whole, &mut faults);
    let entry = &entries[0];
    let read = [&entry.file, &entry.section, &entry.quote, &entry.reason].map(String::as_str);
    assert_eq!((read, faults.len()), (["a.txt", "section-1", "A \"b\"\nc", "for authors"], 0));
    for lacking in ["target", "quote", "reason"] {
        let mut faults = Vec::new();
        declined(&whole.replace(lacking, "word"), &mut faults);
        assert_eq!(faults.len(), 2, "{lacking}");
    }
}

#[test]
fn the_open_requirements_are_numbers() {
    let mut faults = Vec::new();
    let numbers = open("# open\n\"a.txt#section-1\" = 3\n", &mut faults);
    assert_eq!((numbers.get("a.txt#section-1"), faults.len()), (Some(&3), 0));
    open("\"a.txt#section-1\" = many", &mut faults);
    assert_eq!(faults.len(), 1);
}
