//! The public API, a listing for each step from no feature to all of them, held against `listing/`.
//!
//! Without an argument: fails when a listing differs from the sources. `write`: writes the listings anew.
//! A file has what its step adds, so it also fails when switching a feature on takes something away.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

/// Name of the step, and the features that it adds to those of the steps before.
const STEPS: &[(&str, &[&str])] = &[
    ("none", &[]),
    ("rustcrypto", &["rustcrypto"]),
    ("default", &["default"]),
    ("http", &["http"]),
    ("native-roots", &["native-roots"]),
    ("watch", &["watch"]),
    ("tokio", &["tokio"]),
    ("redis", &["redis"]),
];

/// In the manifest, and nothing of it is public: it only lets the tests with real peers be built.
const WITHOUT_API: &str = "interop";

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Lines, and how often each occurs: two impls can read the same.
type Listing = BTreeMap<String, usize>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Apart from other builds: what follows changes the flags of dependencies.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("api")
}

fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

fn listing(features: &[&str]) -> Fallible<Listing> {
    let done = cargo()
        // rustdoc writes JSON only where unstable options are allowed; for this crate alone.
        .env("RUSTC_BOOTSTRAP", "symbolon")
        .env("CARGO_TARGET_DIR", target())
        .args(["rustdoc", "--quiet", "--lib", "--no-default-features", "--features", &features.join(",")])
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "-A", "warnings"])
        .status()?;
    if !done.success() {
        return Err(format!("rustdoc with {features:?}: {done}").into());
    }
    let api = public_api::Builder::from_rustdoc_json(target().join("doc/symbolon.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    let mut lines = Listing::new();
    for item in api.items() {
        *lines.entry(item.to_string()).or_default() += 1;
    }
    Ok(lines)
}

/// The features that the manifest has and no step switches on.
fn forgotten() -> Fallible<Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let table = manifest.split_once("\n[features]\n").ok_or("the manifest has no features")?.1;
    let table = table.split_once("\n[").map_or(table, |(table, _)| table);
    let all = table.lines().filter_map(|line| line.split_once(" = [")).map(|(name, _)| name);
    let known: BTreeSet<&str> = STEPS.iter().flat_map(|(_, features)| *features).copied().collect();
    // `default` switches these two on.
    let known = |name: &str| known.contains(name) || ["std", "pki", WITHOUT_API].contains(&name);
    Ok(all.filter(|name| !known(name)).map(str::to_owned).collect())
}

/// What `whole` has more often than `part`.
fn beyond(whole: &Listing, part: &Listing) -> Listing {
    let left = |(line, count): (&String, &usize)| {
        let more = count.saturating_sub(part.get(line).copied().unwrap_or(0));
        (more > 0).then(|| (line.clone(), more))
    };
    whole.iter().filter_map(left).collect()
}

fn text(listing: &Listing) -> String {
    listing.iter().flat_map(|(line, count)| [line.as_str(), "\n"].repeat(*count)).collect()
}

fn parsed(text: &str) -> Listing {
    let mut lines = Listing::new();
    for line in text.lines() {
        *lines.entry(line.to_owned()).or_default() += 1;
    }
    lines
}

/// Says every difference; how many there are.
fn compare(step: &str, sources: &Listing, kept: &Listing) -> usize {
    let (gone, new) = (beyond(kept, sources), beyond(sources, kept));
    for line in gone.keys() {
        println!("{step}: - {line}");
    }
    for line in new.keys() {
        println!("{step}: + {line}");
    }
    gone.len() + new.len()
}

fn run(write: bool) -> Fallible<usize> {
    let mut wrong = 0;
    for name in forgotten()? {
        println!("no step has the feature {name}");
        wrong += 1;
    }
    let (mut features, mut before) = (Vec::new(), Listing::new());
    for (step, adds) in STEPS {
        features.extend_from_slice(adds);
        let now = listing(&features)?;
        for line in beyond(&before, &now).keys() {
            println!("{step}: with this feature there is no more {line}");
            wrong += 1;
        }
        let added = beyond(&now, &before);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("listing").join(format!("{step}.txt"));
        if write {
            fs::write(&file, text(&added))?;
        } else {
            let kept = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            wrong += compare(step, &added, &parsed(&kept));
        }
        println!(
            "{step}: {} lines, {} with the features before",
            added.values().sum::<usize>(),
            now.values().sum::<usize>()
        );
        before = now;
    }
    Ok(wrong)
}

fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref() == Some("write")) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => {
            println!(
                "{wrong} differences; when they are meant: cargo run --manifest-path tests/api/Cargo.toml -- write"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
