//! What people read: a table on the screen, the uncovered sentences, and the texts in colour.

use std::fmt::Write as _;

use super::spec::{Section, squeeze};
use super::trace::{Evidence, Traced};

/// Requirements, cited in code, cited in a test, declined, uncovered.
type Row = [usize; 5];

fn row<'a>(evidence: impl IntoIterator<Item = &'a Evidence>) -> Row {
    let mut row = Row::default();
    for evidence in evidence {
        let facts = [
            true,
            !evidence.code.is_empty(),
            !evidence.tests.is_empty(),
            evidence.declined.is_some(),
            !evidence.covered(),
        ];
        for (number, fact) in row.iter_mut().zip(facts) {
            *number += usize::from(fact);
        }
    }
    row
}

/// A line a section that has requirements, and the sums.
pub fn table(texts: &[Traced]) -> String {
    let mut table = String::new();
    let mut line = |name: &str, row: Row| {
        let [all, code, tests, declined, uncovered] = row;
        writeln!(table, "{name:<36}{all:>8}{code:>8}{tests:>8}{declined:>10}{uncovered:>11}").unwrap();
    };
    for text in texts {
        for (section, evidence) in text.spec.sections.iter().zip(&text.evidence) {
            if !evidence.is_empty() {
                line(&format!("{}#{}", text.spec.file, section.id), row(evidence));
            }
        }
        line(&format!("{}, whole", text.spec.file), row(text.evidence.iter().flatten()));
    }
    line("all texts", row(texts.iter().flat_map(|text| text.evidence.iter().flatten())));
    format!(
        "{:<36}{:>8}{:>8}{:>8}{:>10}{:>11}\n{table}",
        "", "rules", "code", "test", "declined", "uncovered"
    )
}

/// The sentences that lack something, by section.
pub fn uncovered(texts: &[Traced]) -> String {
    let mut list = String::new();
    for text in texts {
        for (section, evidence) in text.spec.sections.iter().zip(&text.evidence) {
            for (requirement, evidence) in section.requirements.iter().zip(evidence) {
                if !evidence.covered() {
                    let (file, id, state) = (&text.spec.file, &section.id, evidence.state());
                    writeln!(list, "{file}#{id} has {state}: {}", requirement.text).unwrap();
                }
            }
        }
    }
    list
}

/// The texts with every requirement's sentence in the colour of its state, and where it is cited.
pub fn html(texts: &[Traced]) -> String {
    let mut page = String::from(HEAD);
    write!(page, "<pre>{}</pre>", escape(&table(texts))).unwrap();
    for text in texts {
        write!(page, "<h1>{}</h1>", escape(&text.spec.file)).unwrap();
        for (section, evidence) in text.spec.sections.iter().zip(&text.evidence) {
            let anchor = format!("{}#{}", text.spec.file, section.id);
            write!(page, "<h2 id=\"{anchor}\">{anchor} {}</h2>", escape(&section.title)).unwrap();
            page.push_str(&coloured(section, evidence));
            page.push_str(&places(section, evidence));
        }
    }
    page
}

const HEAD: &str = "<!DOCTYPE html><meta charset=\"utf-8\"><title>Requirements</title><style>
.covered{background:#cfc}.declined{background:#ddd}.code,.test{background:#fe9}.open{background:#f99}
</style><p>In code and in a test: <span class=covered>covered</span>; in one of them:
<span class=code>code</span>, <span class=test>test</span>; not ours: <span class=declined>declined</span>;
in none: <span class=open>open</span>.";

/// The worst state that a requirement of the sentence has, as the worst is to be seen.
fn worst<'a>(states: impl Iterator<Item = &'a Evidence>) -> Option<&'static str> {
    let order = ["open", "code", "test", "declined", "covered"];
    states.map(Evidence::state).min_by_key(|state| order.iter().position(|known| known == state))
}

fn coloured(section: &Section, evidence: &[Evidence]) -> String {
    let mut shown = String::from("<pre>");
    let mut at = 0;
    for line in &section.lines {
        let mut before = None;
        for word in line.split_inclusive(' ') {
            let here = section.requirements.iter().zip(evidence);
            let here = here.filter(|(requirement, _)| requirement.sentence.contains(&at));
            let state = worst(here.map(|(_, evidence)| evidence)).filter(|_| !word.trim_end().is_empty());
            if state != before {
                shown.push_str(if before.is_some() { "</span>" } else { "" });
                state.iter().for_each(|state| write!(shown, "<span class={state}>").unwrap());
                before = state;
            }
            shown.push_str(&escape(word));
            at += squeeze(word).len();
        }
        shown.push_str(if before.is_some() { "</span>\n" } else { "\n" });
    }
    shown + "</pre>"
}

fn places(section: &Section, evidence: &[Evidence]) -> String {
    let mut list = String::from("<ul>");
    for (requirement, evidence) in section.requirements.iter().zip(evidence) {
        let state = evidence.state();
        write!(list, "<li><span class={state}>{state}</span> {}", escape(&requirement.text)).unwrap();
        for place in evidence.code.iter().chain(&evidence.tests) {
            let (file, line) = place.rsplit_once(':').unwrap_or((place, "1"));
            write!(list, " <a href=\"../{file}#L{line}\">{place}</a>").unwrap();
        }
        if let Some(reason) = &evidence.declined {
            write!(list, " <i>{}</i>", escape(reason)).unwrap();
        }
    }
    list + "</ul>"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
