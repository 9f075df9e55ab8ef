//! A copy of the package that has all mutants inside, built once for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

use crate::Fallible;
use crate::mutant::Mutant;
use crate::site::{Woven, weave};

/// Integration tests that go into one binary, beside the unit tests. Not here: what counts allocations, what needs a
/// platform or a minute, and what asks about sources instead of behaviour.
const TESTS: &[&str] = &[
    "attachments",
    "bad_early_data",
    "bad_input",
    "bad_messages",
    "bad_psk",
    "bad_records",
    "bad_tickets",
    "by_hand",
    "chunking",
    "closing",
    "downgrade",
    "early_data",
    "exporter",
    "floods",
    "frames",
    "handshake",
    "key_change",
    "key_shares",
    "key_update",
    "limbo",
    "oracle",
    "pki_errors",
    "pki_hostile",
    "psk",
    "questions",
    "raw_public_key",
    "record_sizes",
    "resumption",
    "sent",
    "server_name",
    "split",
    "stateless_retry",
    "tickets",
];

/// Binaries of their own: what these start again is found by its name.
const ALONE: &[&str] = &["native_roots"];

/// What the woven sources call, and what writes down which mutants a test comes past.
const SWITCH: &str = r#"
/// Which mutant is switched on, for tests of the tests.
#[doc(hidden)]
pub mod mutation {
    use std::io::Write;
    use std::string::String;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Switch {
        on: usize,
        reached: Option<String>,
    }

    static SWITCH: OnceLock<Switch> = OnceLock::new();
    static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

    /// Whether this one is.
    #[inline]
    pub fn on(id: usize) -> bool {
        let switch = SWITCH.get_or_init(|| Switch {
            on: std::env::var("MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(usize::MAX),
            reached: std::env::var("MUTANTS_REACHED").ok(),
        });
        if let Some(path) = &switch.reached
            && !SEEN[id].swap(true, Ordering::Relaxed)
        {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(std::format!("{id}\n").as_bytes()).unwrap();
        }
        switch.on == id
    }
}
"#;

/// The copy, its test binaries, and the mutants that are not in them.
pub struct Tree {
    pub root: PathBuf,
    pub binaries: Vec<PathBuf>,
    /// The compiler refuses them.
    pub unviable: BTreeSet<usize>,
    /// Not to be switched at run time (in constants, for instance): cargo-mutants itself has to try them.
    pub apart: BTreeSet<usize>,
    constant: BTreeSet<String>,
}

/// What cargo says of a build: the binaries, and where each error is.
struct Said {
    binaries: Vec<PathBuf>,
    errors: Vec<(String, usize, usize, String)>,
}

fn copy(from: &Path, to: &Path) -> Fallible<()> {
    let listed =
        Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(from).output()?;
    for file in String::from_utf8(listed.stdout)?.lines() {
        let (from, to) = (from.join(file), to.join(file));
        // What is the same keeps its time, so that cargo keeps what it made of it.
        let new = fs::read(&from)?;
        if fs::read(&to).ok().as_ref() != Some(&new) {
            fs::create_dir_all(to.parent().ok_or("a file without a folder")?)?;
            fs::write(&to, new)?;
        }
    }
    // The same versions, if there is a choice.
    if from.join("Cargo.lock").exists() {
        fs::copy(from.join("Cargo.lock"), to.join("Cargo.lock"))?;
    }
    Ok(())
}

/// Compiling the support once for all of them takes the larger part of the time away.
fn together(root: &Path) -> Fallible<()> {
    let mut text = "//! Integration tests in one binary.\nmod support;\n".to_owned();
    for name in TESTS {
        text.push_str(&format!("#[path = \"{name}.rs\"]\nmod {name};\n"));
        let file = root.join(format!("tests/{name}.rs"));
        fs::write(&file, fs::read_to_string(&file)?.replace("\nmod support;\n", "\nuse crate::support;\n"))?;
    }
    Ok(fs::write(root.join("tests/together.rs"), text)?)
}

fn spans(message: &Value, found: &mut Vec<(String, usize, usize, String)>) {
    let said = message["rendered"].as_str().unwrap_or_default();
    for span in message["spans"].as_array().into_iter().flatten() {
        if span["is_primary"] == true {
            let number =
                |key: &str| usize::try_from(span[key].as_u64().unwrap_or_default()).unwrap_or_default();
            let file = span["file_name"].as_str().unwrap_or_default();
            found.push((file.to_owned(), number("byte_start"), number("byte_end"), said.to_owned()));
        }
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> Fallible<Said> {
    let done = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(arguments)
        .args(["--all-features", "--message-format=json"])
        // Apart: to cargo, two copies of one package are the same one.
        .env("CARGO_TARGET_DIR", root.with_file_name("target"))
        .stderr(Stdio::inherit())
        .output()?;
    let mut said = Said { binaries: Vec::new(), errors: Vec::new() };
    for line in String::from_utf8(done.stdout)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        if line["message"]["level"] == "error" {
            spans(&line["message"], &mut said.errors);
        }
        if let Some(binary) = line["executable"].as_str() {
            said.binaries.push(binary.into());
        }
    }
    if !done.status.success() && said.errors.is_empty() {
        return Err(format!("cargo {arguments:?}: {}", done.status).into());
    }
    Ok(said)
}

/// The function that has to stay `const`, if that is what the compiler says.
fn called_by_a_constant(error: &str) -> Option<String> {
    let (_, rest) = error.split_once("cannot call non-const ")?;
    let path = rest.split('`').nth(1)?;
    path.rsplit("::").next().map(str::to_owned)
}

impl Tree {
    /// Weaves `mutants` into a copy below `target` and builds it; whatever does not compile is left out.
    pub fn build(from: &Path, target: &Path, mutants: &[Mutant]) -> Fallible<Self> {
        let root = target.join("tree");
        copy(from, &root)?;
        together(&root)?;
        let mut tree = Self {
            root,
            binaries: Vec::new(),
            unviable: BTreeSet::new(),
            apart: BTreeSet::new(),
            constant: BTreeSet::new(),
        };
        loop {
            let woven = tree.weave(from, mutants)?;
            let mut said = cargo(&tree.root, &["check", "--profile", "test", "--lib"])?;
            if said.errors.is_empty() {
                let alone = ALONE.iter().flat_map(|name| ["--test", name]);
                let arguments: Vec<&str> =
                    ["test", "--no-run", "--lib", "--test", "together"].into_iter().chain(alone).collect();
                said = cargo(&tree.root, &arguments)?;
            }
            if said.errors.is_empty() {
                tree.binaries = said.binaries;
                return Ok(tree);
            }
            let before = tree.left_out();
            for (file, start, end, text) in &said.errors {
                match called_by_a_constant(text) {
                    Some(name) => tree.constant.extend([name]),
                    None => tree.blame(woven.get(file).ok_or_else(|| text.clone())?, *start, *end),
                }
            }
            let left_out = tree.left_out() - before;
            println!("{} errors; {left_out} places more stay as they are", said.errors.len());
            if left_out == 0 {
                return Err(said.errors.into_iter().map(|(.., text)| text).collect::<String>().into());
            }
        }
    }

    fn weave(&mut self, from: &Path, mutants: &[Mutant]) -> Fallible<BTreeMap<String, Woven>> {
        let mut files: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
        for mutant in mutants {
            let left_out = self.unviable.contains(&mutant.id) || self.apart.contains(&mutant.id);
            let file = files.entry(&mutant.file).or_default();
            if !left_out {
                file.push(mutant);
            }
        }
        let mut all = BTreeMap::new();
        for (file, mutants) in files {
            let woven = weave(&fs::read_to_string(from.join(file))?, &mutants, &self.constant)?;
            self.unviable.extend(&woven.refused);
            let placed: BTreeSet<usize> = woven.own.iter().chain(&woven.around).map(|(id, _)| *id).collect();
            self.apart.extend(
                mutants
                    .iter()
                    .map(|mutant| mutant.id)
                    .filter(|id| !placed.contains(id) && !woven.refused.contains(id)),
            );
            fs::write(self.root.join(file), &woven.text)?;
            all.insert(file.to_owned(), woven);
        }
        let count = mutants.iter().map(|mutant| mutant.id + 1).max().unwrap_or(0);
        let library =
            fs::read_to_string(from.join("src/lib.rs"))? + &SWITCH.replace("COUNT", &count.to_string());
        fs::write(self.root.join("src/lib.rs"), library)?;
        Ok(all)
    }

    /// More with every round that did not compile, or there is no end.
    fn left_out(&self) -> usize {
        self.unviable.len() + self.apart.len() + self.constant.len()
    }

    /// An error inside of what a mutant alone brings is the mutant's; else it comes from the rewriting around it.
    fn blame(&mut self, woven: &Woven, start: usize, end: usize) {
        let holds = |(_, span): &&(usize, std::ops::Range<usize>)| span.start <= start && end <= span.end;
        if let Some((id, _)) = woven.own.iter().find(holds) {
            self.unviable.insert(*id);
            return;
        }
        let innermost = woven.around.iter().filter(holds).map(|(_, span)| span.len()).min();
        let those = woven.around.iter().filter(holds).filter(|(_, span)| Some(span.len()) == innermost);
        self.apart.extend(those.map(|(id, _)| *id));
    }
}
