//! Holds the citations against the texts: what every requirement has, and what is wrong.

use std::collections::BTreeMap;

use super::citation::{Citation, Kind};
use super::ledger::Declined;
use super::spec::{Misquoted, Section, Spec};

/// What a requirement has.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub code: Vec<String>,
    pub tests: Vec<String>,
    pub declined: Option<String>,
}

impl Evidence {
    /// Nothing is missing.
    pub fn covered(&self) -> bool {
        self.declined.is_some() || (!self.code.is_empty() && !self.tests.is_empty())
    }

    pub fn state(&self) -> &'static str {
        match (self.code.is_empty(), self.tests.is_empty(), &self.declined) {
            (_, _, Some(_)) => "declined",
            (false, false, _) => "covered",
            (false, true, _) => "code",
            (true, false, _) => "test",
            (true, true, _) => "open",
        }
    }
}

/// A text, and the evidence for its requirements: an entry a requirement, by section.
pub struct Traced {
    pub spec: Spec,
    pub evidence: Vec<Vec<Evidence>>,
}

impl Traced {
    pub fn new(spec: Spec) -> Self {
        let empty = |section: &Section| vec![Evidence::default(); section.requirements.len()];
        let evidence = spec.sections.iter().map(empty).collect();
        Self { spec, evidence }
    }

    /// The section's number and the requirements that `quote` covers.
    fn find(&self, section: &str, quote: &str) -> Result<(usize, Vec<usize>), String> {
        let known = self.spec.sections.iter().position(|known| known.id == section);
        let number = known.ok_or_else(|| format!("{} has no {section}", self.spec.file))?;
        let covered = self.spec.sections[number].covered(quote).map_err(|misquoted| {
            let why = match misquoted {
                Misquoted::Absent => "is not in",
                Misquoted::Ambiguous => "is more than once in",
                Misquoted::NoKeyword => "has no keyword of a rule in",
            };
            format!("the quote {why} {}#{section}: {quote}", self.spec.file)
        })?;
        Ok((number, covered))
    }
}

pub fn cite(texts: &mut [Traced], citations: &[Citation], faults: &mut Vec<String>) {
    for citation in citations {
        let Some(text) = texts.iter_mut().find(|text| text.spec.file == citation.file) else {
            faults.push(format!("{}: there is no text {}", citation.place, citation.file));
            continue;
        };
        match text.find(&citation.section, &citation.quote) {
            Ok((section, covered)) => {
                for index in covered {
                    let evidence = &mut text.evidence[section][index];
                    match citation.kind {
                        Kind::Code => evidence.code.push(citation.place.clone()),
                        Kind::Test => evidence.tests.push(citation.place.clone()),
                    }
                }
            }
            Err(fault) => faults.push(format!("{}: {fault}", citation.place)),
        }
    }
}

/// Only what nobody cites can be declined.
pub fn decline(texts: &mut [Traced], entries: &[Declined], faults: &mut Vec<String>) {
    for entry in entries {
        let mut fault = |what: String| faults.push(format!("declined.toml:{}: {what}", entry.line));
        let Some(text) = texts.iter_mut().find(|text| text.spec.file == entry.file) else {
            fault(format!("there is no text {}", entry.file));
            continue;
        };
        match text.find(&entry.section, &entry.quote) {
            Ok((_, covered)) if covered.is_empty() => fault("declines no requirement".to_owned()),
            Ok((section, covered)) => {
                for index in covered {
                    let evidence = &mut text.evidence[section][index];
                    if let Some(place) = evidence.code.iter().chain(&evidence.tests).next() {
                        fault(format!("is cited nevertheless, at {place}"));
                    } else if evidence.declined.is_some() {
                        fault("is declined twice".to_owned());
                    }
                    evidence.declined = Some(entry.reason.clone());
                }
            }
            Err(what) => fault(what),
        }
    }
}

/// Sections with more uncovered requirements than `open` admits, and entries of `open` that admit too many.
pub fn lacking(texts: &[Traced], open: &BTreeMap<String, usize>, faults: &mut Vec<String>) {
    let mut left = open.clone();
    for text in texts {
        for (section, evidence) in text.spec.sections.iter().zip(&text.evidence) {
            let name = format!("{}#{}", text.spec.file, section.id);
            let admitted = left.remove(&name).unwrap_or(0);
            let uncovered = evidence.iter().filter(|evidence| !evidence.covered()).count();
            if uncovered > admitted {
                faults.push(format!("{name}: {uncovered} requirements are not covered, {admitted} may be"));
            }
        }
    }
    faults.extend(left.keys().map(|name| format!("open.toml: there is no section {name}")));
}

fn sample() -> Vec<Traced> {
    let text = "1.  Rules\n\n   A MUST b.  C MUST d.  E SHOULD f.\n";
    vec![Traced::new(Spec::read("a.txt", text))]
}

fn citation(kind: Kind, quote: &str) -> Citation {
    Citation {
        kind,
        place: "src/a.rs:1".to_owned(),
        file: "a.txt".to_owned(),
        section: "section-1".to_owned(),
        quote: quote.to_owned(),
    }
}

fn entry(quote: &str) -> Declined {
    Declined {
        line: 1,
        file: "a.txt".to_owned(),
        section: "section-1".to_owned(),
        quote: quote.to_owned(),
        reason: "no".to_owned(),
    }
}

#[test]
fn a_requirement_needs_code_and_a_test() {
    for (citations, state) in [
        (vec![], "open"),
        (vec![citation(Kind::Code, "A MUST b.")], "code"),
        (vec![citation(Kind::Test, "A MUST b.")], "test"),
        (vec![citation(Kind::Code, "A MUST b."), citation(Kind::Test, "A MUST")], "covered"),
    ] {
        let (mut texts, mut faults) = (sample(), Vec::new());
        cite(&mut texts, &citations, &mut faults);
        let evidence = &texts[0].evidence[0][0];
        assert_eq!((evidence.state(), evidence.covered()), (state, state == "covered"));
        assert_eq!(faults.len(), 0);
        lacking(&texts, &BTreeMap::from([("a.txt#section-1".to_owned(), 1)]), &mut faults);
        assert_eq!(faults.is_empty(), state == "covered", "one of two may be open");
    }
}

#[test]
fn what_is_not_in_the_text_is_a_fault() {
    let (mut texts, mut faults) = (sample(), Vec::new());
    let elsewhere = Citation { section: "section-2".to_owned(), ..citation(Kind::Code, "A MUST b.") };
    let foreign = Citation { file: "b.txt".to_owned(), ..citation(Kind::Code, "A MUST b.") };
    cite(&mut texts, &[citation(Kind::Code, "A MUST c."), elsewhere, foreign], &mut faults);
    assert_eq!(faults.len(), 3);
    lacking(&texts, &BTreeMap::from([("a.txt#section-1".to_owned(), 2)]), &mut faults);
    assert_eq!(faults.len(), 3, "two may be open");
    lacking(&texts, &BTreeMap::from([("a.txt#section-1".to_owned(), 2), ("b".to_owned(), 1)]), &mut faults);
    assert_eq!(faults.len(), 4);
}

#[test]
fn what_is_cited_cannot_be_declined() {
    let (mut texts, mut faults) = (sample(), Vec::new());
    cite(&mut texts, &[citation(Kind::Code, "A MUST b.")], &mut faults);
    decline(&mut texts, &[entry("C MUST d.")], &mut faults);
    assert_eq!((texts[0].evidence[0][1].state(), faults.len()), ("declined", 0));
    decline(&mut texts, &[entry("A MUST b."), entry("C MUST d."), entry("E SHOULD f.")], &mut faults);
    assert_eq!(faults.len(), 3);
}
