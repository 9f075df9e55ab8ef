//! Every input of every corpus, and every one that failed once, on a stable compiler and without libFuzzer.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use symbolon_fuzz::{TARGETS, Target};

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), name].iter().collect()
}

/// Plays what is in a folder; how many inputs there were.
fn play(folder: PathBuf, run: Target) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut inputs = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        let input = fs::read(&path).expect("it can be read");
        assert!(catch_unwind(|| run(&input)).is_ok(), "{}", path.display());
        inputs += 1;
    }
    inputs
}

/// Plays a target's inputs.
fn replay(name: &str) {
    let (_, run): &(_, Target) = TARGETS.iter().find(|(found, _)| *found == name).expect("a target");
    play(folder("found").join(name), *run);
    let inputs = play(folder("corpus").join(name), *run);
    assert!(inputs >= 10, "{inputs} inputs of {name} are too few to be all");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_and_every_corpus_is_here() {
            let here = [$(stringify!($name)),*];
            assert!(TARGETS.iter().map(|(name, _)| *name).eq(here));
            let mut corpora: Vec<_> = fs::read_dir(folder("corpus"))
                .expect("the corpora")
                .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
                .collect();
            corpora.sort();
            assert_eq!(corpora, here);
        }
    };
}

targets! {
    answers client_machine crl halves joiner ocsp pair pem_keys pki_chain record_open server_machine tickets wire
}
