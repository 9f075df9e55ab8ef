//! An RFC's text as sections, and its requirements: every keyword of RFC 2119 that binds, with the sentence it is in.
//!
//! A requirement is one occurrence of MUST, REQUIRED or SHALL, so that a sentence with two of them has two.

use std::ops::Range;

/// The words that bind; MUST NOT and SHALL NOT begin with one of them.
const BINDING: [&str; 3] = ["MUST", "REQUIRED", "SHALL"];

/// The words that advise: they may be cited, and need not be.
const ADVISING: [&str; 3] = ["SHOULD", "RECOMMENDED", "MAY"];

/// Sections that only explain the keywords, list other documents or name people.
const WITHOUT_RULES: [&str; 7] = [
    "Conventions and Terminology",
    "Conventions and Definitions",
    "Terminology",
    "References",
    "Normative References",
    "Informative References",
    "Contributors",
];

/// What a full stop does not end.
const ABBREVIATIONS: [&str; 5] = ["i.e.", "e.g.", "cf.", "vs.", "etc."];

pub struct Spec {
    /// The file's name in `testvectors/requirements`.
    pub file: String,
    pub sections: Vec<Section>,
}

pub struct Section {
    /// `section-4.3.11` or `appendix-C.4`.
    pub id: String,
    pub title: String,
    /// The section's own lines, without what stands between pages.
    pub lines: Vec<String>,
    pub requirements: Vec<Requirement>,
    /// The text without white space: quotes are looked for in it.
    squeezed: String,
}

pub struct Requirement {
    /// Where the keyword is in the squeezed text.
    keyword: Range<usize>,
    /// Where its sentence is there.
    pub sentence: Range<usize>,
    /// The sentence with single spaces, for people.
    pub text: String,
}

/// Why a quote says nothing about a section.
#[derive(Debug, PartialEq, Eq)]
pub enum Misquoted {
    Absent,
    Ambiguous,
    NoKeyword,
}

impl Spec {
    pub fn read(file: &str, text: &str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        for line in without_page_breaks(text) {
            if let Some((id, title)) = heading(line) {
                sections.push(Section::new(id, title));
            } else if let Some(section) = sections.last_mut() {
                section.lines.push(line.to_owned());
            }
        }
        for section in &mut sections {
            section.find_requirements();
        }
        Self { file: file.to_owned(), sections }
    }

    /// How many binding words of the file's `text` are in no requirement and in no section without rules.
    pub fn lost(&self, text: &str) -> usize {
        let count = |text: &str| keywords(text, &BINDING).len();
        let found: usize = self.sections.iter().map(|section| section.requirements.len()).sum();
        let passed = self.sections.iter().filter(|section| section.is_without_rules());
        count(text) - found - passed.map(|section| count(&section.lines.join(" "))).sum::<usize>()
    }
}

impl Section {
    fn new(id: String, title: &str) -> Self {
        Self {
            id,
            title: title.to_owned(),
            lines: Vec::new(),
            requirements: Vec::new(),
            squeezed: String::new(),
        }
    }

    fn find_requirements(&mut self) {
        self.squeezed = squeeze(&self.lines.join(" "));
        if self.is_without_rules() {
            return;
        }
        let mut before = 0;
        for block in blocks(&self.lines) {
            for sentence in sentences(&block) {
                let after = before + squeeze(sentence).len();
                for at in keywords(sentence, &BINDING) {
                    let start = before + squeeze(&sentence[..at.start]).len();
                    self.requirements.push(Requirement {
                        keyword: start..start + at.len(),
                        sentence: before..after,
                        text: sentence.trim().to_owned(),
                    });
                }
                before = after;
            }
        }
    }

    fn is_without_rules(&self) -> bool {
        WITHOUT_RULES.contains(&self.title.as_str())
    }

    /// Which requirements a quote covers: those whose keyword it contains. None, if it quotes an advice.
    pub fn covered(&self, quote: &str) -> Result<Vec<usize>, Misquoted> {
        let wanted = squeeze(quote);
        let mut places = self.squeezed.match_indices(&wanted);
        let (at, _) = places.next().filter(|_| !wanted.is_empty()).ok_or(Misquoted::Absent)?;
        if places.next().is_some() {
            return Err(Misquoted::Ambiguous);
        }
        let quoted = at..at + wanted.len();
        let inside = |keyword: &Range<usize>| quoted.start <= keyword.start && keyword.end <= quoted.end;
        let covered: Vec<usize> =
            (0..self.requirements.len()).filter(|index| inside(&self.requirements[*index].keyword)).collect();
        if covered.is_empty() && keywords(quote, &ADVISING).is_empty() {
            return Err(Misquoted::NoKeyword);
        }
        Ok(covered)
    }
}

/// The text without white space.
pub fn squeeze(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Drops the last and the first line of every page with the empty lines around them. A paragraph that was not at its
/// end goes on behind them.
fn without_page_breaks(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    let mut turning = false;
    for line in text.lines() {
        let footer = line.trim_end().ends_with(']') && line.contains("[Page ");
        let header = turning && line.starts_with("RFC ");
        if footer || header || line.starts_with('\u{c}') || (turning && line.trim().is_empty()) {
            while footer && lines.last().is_some_and(|last| last.trim().is_empty()) {
                lines.pop();
            }
            turning = true;
            continue;
        }
        if turning && lines.last().is_some_and(|last| last.trim_end().ends_with(['.', ':', '"'])) {
            lines.push("");
        }
        turning = false;
        lines.push(line);
    }
    lines
}

/// `4.3.11.  Title`, `C.4.  Title` and `Appendix C.  Title`, at the margin.
fn heading(line: &str) -> Option<(String, &str)> {
    let (number, title) = line.strip_prefix("Appendix ").unwrap_or(line).split_once(". ")?;
    let mut parts = number.split('.');
    let first = parts.next()?;
    let lettered = first.len() == 1 && first.chars().all(|c| c.is_ascii_uppercase());
    let counted = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if !(lettered || counted(first)) || !parts.all(counted) {
        return None;
    }
    let kind = if lettered { "appendix" } else { "section" };
    Some((format!("{kind}-{number}"), title.trim()))
}

/// Paragraphs and list items, each on one line. Empty lines and bullets divide them.
fn blocks(lines: &[String]) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in lines {
        let words = line.trim();
        if words.is_empty() || words.starts_with("* ") || words.starts_with("- ") {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut().filter(|_| !words.is_empty()) {
            block.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
            block.push(' ');
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// A sentence ends with a full stop, and what closes it, before a word that begins large.
fn sentences(block: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in block.match_indices(' ') {
        let (sentence, rest) = (&block[start..at], &block[at + 1..]);
        let word = sentence.rsplit(' ').next().unwrap_or_default();
        let ended = sentence.trim_end_matches(['"', ')', '\'']).ends_with(['.', '?', '!']);
        let abbreviated = ABBREVIATIONS.iter().any(|known| word.trim_start_matches('(').starts_with(known));
        let begins = rest.starts_with(|c: char| c.is_ascii_uppercase() || "\"([".contains(c));
        if ended && !abbreviated && begins {
            found.push(sentence);
            start = at + 1;
        }
    }
    found.push(&block[start..]);
    found
}

fn keywords(text: &str, known: &[&str]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for word in known {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        found.extend(
            text.match_indices(word)
                .filter(|(at, _)| !text[..*at].ends_with(part) && !text[at + word.len()..].starts_with(part))
                .map(|(at, _)| at..at + word.len()),
        );
    }
    found.sort_by_key(|range| range.start);
    found
}

const SAMPLE: &str = "\
Table of Contents\n\n   1.  Rules . . . . 2\n
1.  Rules

   A server MUST answer (i.e. speak).  A client
   MUST NOT sing and SHALL
   listen.  It SHOULD smile.  A server MUST answer as well as

Author                   Standards Track                    [Page 1]
\u{c}
RFC 1                       Rules of the House                 May 2000

   it does.

   *  It is REQUIRED to stay.
   *  It MUST go.

1.1.  References

   MUST be read.

Appendix C.  More

   Nobody MUST laugh.
";

fn sample() -> Spec {
    Spec::read("sample.txt", SAMPLE)
}

#[test]
fn a_sentence_has_as_many_requirements_as_keywords() {
    let spec = sample();
    let found: Vec<_> = spec.sections[0].requirements.iter().map(|found| found.text.as_str()).collect();
    let both = "A client MUST NOT sing and SHALL listen.";
    let expected = [
        "A server MUST answer (i.e. speak).",
        both,
        both,
        "A server MUST answer as well as it does.",
        "* It is REQUIRED to stay.",
        "* It MUST go.",
    ];
    assert_eq!(found, expected);
    assert_eq!((spec.lost(SAMPLE), spec.lost(&format!("It MUST.{SAMPLE}"))), (0, 1));
}

#[test]
fn sections_are_named_and_references_have_no_requirements() {
    let spec = sample();
    let ids: Vec<_> = spec.sections.iter().map(|section| section.id.as_str()).collect();
    assert_eq!(ids, ["section-1", "section-1.1", "appendix-C"]);
    assert!(spec.sections[1].requirements.is_empty());
    assert_eq!(spec.sections[2].requirements.len(), 1);
}

#[test]
fn a_quote_covers_the_keywords_that_it_contains() {
    let section = &sample().sections[0];
    assert_eq!(section.covered("client MUST NOT\n sing"), Ok(vec![1]));
    assert_eq!(section.covered("A client MUST NOT sing and SHALL listen."), Ok(vec![1, 2]));
    assert_eq!(section.covered("is REQUIRED to stay. * It MUST go."), Ok(vec![4, 5]));
    assert_eq!(section.covered("It SHOULD smile."), Ok(vec![]));
}

#[test]
fn a_quote_that_is_absent_ambiguous_or_no_rule_is_refused() {
    let section = &sample().sections[0];
    assert_eq!(section.covered("A client MUST sing"), Err(Misquoted::Absent));
    assert_eq!(section.covered(""), Err(Misquoted::Absent));
    assert_eq!(section.covered("A server MUST answer"), Err(Misquoted::Ambiguous));
    assert_eq!(section.covered("to stay."), Err(Misquoted::NoKeyword));
}
