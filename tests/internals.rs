//! Misuse inside the library does not compile. Every case has a twin in `internals/permitted.rs` that does.
//!
//! ```sh
//! CARGO_ENCODED_RUSTFLAGS="--cfg=symbolon_internals" CARGO_TARGET_DIR=target/internals \
//!     cargo test --no-default-features --test internals
//! ```
//!
//! trybuild keeps RUSTFLAGS from the cases, but not the encoded form, which has precedence. With a new compiler, run with
//! `TRYBUILD=overwrite` and read the difference.
#![cfg(symbolon_internals)]

use std::env;
use std::fs;
use std::path::Path;

#[path = "internals/permitted.rs"]
#[expect(dead_code, reason = "that it compiles is the test")]
mod permitted;

#[test]
fn misuse_does_not_compile() {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    assert!(
        flags.contains("symbolon_internals"),
        "set CARGO_ENCODED_RUSTFLAGS, as this file's beginning says"
    );
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/internals/refused/*.rs");
}

#[test]
fn every_case_fails_for_its_own_reason_and_has_a_twin_that_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/internals");
    let permitted = fs::read_to_string(folder.join("permitted.rs")).unwrap();
    let mut cases = 0;
    for entry in fs::read_dir(folder.join("refused")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(permitted.contains(&format!("mod {name} {{")), "{name} has no twin");
            let errors = fs::read_to_string(path.with_extension("stderr")).unwrap();
            assert_eq!(errors.matches("error[E").count(), 1, "{name} has one error");
            assert!(!errors.contains("unresolved import"), "{name} does not find what it misuses");
            cases += 1;
        }
    }
    assert!(cases >= 10, "{cases} cases are too few to be all");
}
