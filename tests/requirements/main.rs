//! Every rule of the RFCs that we implement is cited beside the code that obeys it and beside a test, or is declined.
//!
//! `testvectors/requirements/README.md` says how. The tests of single rules that have no better place are here too.

#[cfg(feature = "rustcrypto")]
#[path = "../support/mod.rs"]
mod support;

mod citation;
#[cfg(feature = "rustcrypto")]
mod hellos;
#[cfg(feature = "rustcrypto")]
mod keys;
mod ledger;
#[cfg(feature = "rustcrypto")]
mod raw_public_keys;
#[cfg(feature = "rustcrypto")]
mod record_size;
mod report;
mod spec;
mod trace;

use std::fs;
use std::path::Path;

use citation::TEXTS;
use spec::Spec;
use trace::Traced;

#[test]
fn every_requirement_is_cited_in_code_and_in_a_test_or_declined() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = |name: &str| fs::read_to_string(root.join(TEXTS).join(name)).unwrap();
    let mut faults = Vec::new();

    let texts = ledger::texts(root);
    assert!(!texts.is_empty(), "no texts");
    for (name, text) in &texts {
        assert_eq!(Spec::read(name, text).lost(text), 0, "keywords of {name} that are in no section");
    }
    let mut texts: Vec<Traced> =
        texts.iter().map(|(name, text)| Traced::new(Spec::read(name, text))).collect();
    let citations = citation::of_the_sources(root, &mut faults);
    trace::cite(&mut texts, &citations, &mut faults);
    trace::decline(&mut texts, &ledger::declined(&list("declined.toml"), &mut faults), &mut faults);
    trace::lacking(&texts, &ledger::open(&list("open.toml"), &mut faults), &mut faults);

    // The folder of builds: `target`, unless told otherwise.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    fs::write(folder.join("requirements.html"), report::html(&texts)).unwrap();
    fs::write(folder.join("requirements.txt"), report::uncovered(&texts)).unwrap();
    println!(
        "{}\nSee requirements.html and requirements.txt in {}.",
        report::table(&texts),
        folder.display()
    );
    assert!(faults.is_empty(), "{}\nSee requirements.txt in {}.", faults.join("\n"), folder.display());
}
