//! What this library asks of whoever builds it: a Rust version, said the same everywhere and enough for what it
//! depends on, and no C compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::process::Command;

use serde_json::Value;

const OURS: &str = env!("CARGO_PKG_RUST_VERSION");

/// `1.88` and `1.88.0` as numbers that compare.
fn version(text: &str) -> [u32; 3] {
    let mut numbers = text.split('.').map(|part| part.parse().expect("a Rust version holds numbers"));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// What runs by itself for whoever depends on us: the platform's own.
fn host() -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let said = Command::new(rustc).arg("-vV").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// With default features and tokio.
const USUAL: &[&str] = &["--features", "tokio"];

/// `cargo metadata` with these features, from what a build has fetched already if that is enough.
fn metadata(features: &[&str]) -> Value {
    let host = host();
    let ask = |more: &[&str]| {
        let mut cargo = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args(["metadata", "--format-version", "1", "--filter-platform", &host]);
        cargo.args(features).args(more).output().unwrap()
    };
    let mut said = ask(&["--offline"]);
    if !said.status.success() {
        said = ask(&[]);
    }
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is text"))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

/// The packages that the library reaches by such dependencies, by id; itself is one of them.
fn reached(metadata: &Value, by: fn(&Value) -> bool) -> BTreeSet<&str> {
    let nodes: BTreeMap<_, _> =
        list(&metadata["resolve"], "nodes").iter().map(|node| (text(node, "id"), node)).collect();
    let mut found = BTreeSet::new();
    let mut next = vec![text(&metadata["resolve"], "root")];
    while let Some(id) = next.pop() {
        if found.insert(id) {
            let counts = |dep: &&Value| list(dep, "dep_kinds").iter().any(|kind| by(&kind["kind"]));
            next.extend(list(nodes[id], "deps").iter().filter(counts).map(|dep| text(dep, "pkg")));
        }
    }
    found
}

/// What is linked into the library; not what tests, benches and build scripts need.
fn needed(metadata: &Value) -> BTreeSet<&str> {
    reached(metadata, Value::is_null)
}

/// What runs while the library is built: names of the packages with a target of this kind.
fn with_target<'v>(metadata: &'v Value, kind: &str) -> BTreeSet<&'v str> {
    let built = reached(metadata, |kind| kind != "dev");
    let runs = |package: &&Value| {
        list(package, "targets").iter().any(|target| list(target, "kind").iter().any(|found| found == kind))
    };
    let packages = list(metadata, "packages").iter().filter(|package| built.contains(text(package, "id")));
    packages.filter(runs).map(|package| text(package, "name")).collect()
}

#[test]
fn no_dependency_asks_for_a_newer_rust() {
    let metadata = metadata(USUAL);
    let needed = needed(&metadata);
    let mut names = BTreeSet::new();
    for package in list(&metadata, "packages").iter().filter(|package| needed.contains(text(package, "id"))) {
        let name = text(package, "name");
        names.insert(name);
        if let Some(theirs) = package["rust_version"].as_str() {
            assert!(version(theirs) <= version(OURS), "{name} asks for Rust {theirs}; we say {OURS}");
        }
    }
    for name in ["symbolon", "rsa", "arc-swap", "tokio"] {
        assert!(names.contains(name), "{name} was not looked at: {names:?}");
    }
    assert!(!names.contains("criterion"), "a package for benches is nobody's dependency");
}

#[test]
fn nothing_needs_a_c_compiler_not_even_the_tests() {
    let metadata = metadata(USUAL);
    for package in list(&metadata, "packages") {
        let name = text(package, "name");
        assert!(!["cc", "cmake", "bindgen"].contains(&name), "{name} builds C code");
    }
}

/// They ask the compiler what there is, `inotify-sys` (feature `watch`) pkg-config; none compiles C or uses a network.
const BUILD_SCRIPTS: &[&str] = &[
    "curve25519-dalek",
    "getrandom",
    "httparse",
    "icu_normalizer_data",
    "icu_properties_data",
    "inotify-sys",
    "libc",
    "num-traits",
    "proc-macro2",
    "quote",
    "rustix",
    "rustversion",
    "serde",
    "serde_core",
];

/// Derives and attributes.
const PROC_MACROS: &[&str] = &[
    "curve25519-dalek-derive",
    "displaydoc",
    "rustversion",
    "serde_derive",
    "tokio-macros",
    "yoke-derive",
    "zerofrom-derive",
    "zerovec-derive",
];

#[test]
fn nothing_new_runs_while_the_library_is_built() {
    let metadata = metadata(&["--all-features"]);
    for (kind, known) in [("custom-build", BUILD_SCRIPTS), ("proc-macro", PROC_MACROS)] {
        let new: Vec<_> =
            with_target(&metadata, kind).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(new.is_empty(), "read these before they are listed here, {kind}: {new:?}");
    }
}

#[test]
fn the_library_has_no_build_script_of_its_own() {
    let metadata = metadata(USUAL);
    let root = text(&metadata["resolve"], "root");
    let ours = list(&metadata, "packages").iter().find(|package| text(package, "id") == root).unwrap();
    let kinds = list(ours, "targets").iter().flat_map(|target| list(target, "kind"));
    assert!(kinds.clone().any(|kind| kind == "lib"), "the library is among the targets");
    assert!(!kinds.clone().any(|kind| kind == "custom-build" || kind == "proc-macro"), "{ours}");
}

#[test]
fn the_readme_says_the_same_version() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {OURS} or later")), "the README does not ask for Rust {OURS}");
}

#[test]
fn versions_compare_as_numbers() {
    assert!(version("1.88") > version("1.9.3"));
    assert_eq!(version("1.88"), version("1.88.0"));
}
