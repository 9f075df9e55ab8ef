//! Which tests come past which mutants, and whether one of them fails when the mutant is switched on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Fallible;

/// For what takes no time without a mutant; who needs this long with one has changed, too.
const PATIENCE: Duration = Duration::from_secs(20);

/// Work of so long is given to one process, so that a failure early in the list saves the rest.
const BATCH: Duration = Duration::from_millis(300);

/// A test, what it takes, and what it reaches.
pub struct Test {
    binary: PathBuf,
    name: String,
    takes: Duration,
    reaches: BTreeSet<usize>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Caught,
    TimedOut,
    Missed,
    /// Missed, and no test even comes past it.
    Unreached,
}

fn command(binary: &Path, root: &Path) -> Command {
    // A mutant can ask for all the memory there is.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 6000000; exec \"$0\" \"$@\""]).arg(binary);
    command.current_dir(root).env("CARGO_MANIFEST_DIR", root).env("PROPTEST_FAILURE_PERSISTENCE", "off");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// `None` when it does not end in time, where it takes `usual` without a mutant.
fn passes(mut command: Command, usual: Duration) -> Fallible<Option<bool>> {
    let (mut child, since) = (command.spawn()?, Instant::now());
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if since.elapsed() > PATIENCE + usual * 10 {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(2));
    }
}

/// All tests of these binaries, each run once.
pub fn survey(root: &Path, binaries: &[PathBuf], notes: &Path) -> Fallible<Vec<Test>> {
    let mut tests = Vec::new();
    for binary in binaries {
        let listed = Command::new(binary).args(["--list", "--format", "terse"]).current_dir(root).output()?;
        for name in String::from_utf8(listed.stdout)?.lines().filter_map(|line| line.strip_suffix(": test")) {
            let _ = fs::remove_file(notes);
            let mut run = command(binary, root);
            run.args(["--exact", name]).env("MUTANTS_REACHED", notes);
            let since = Instant::now();
            if passes(run, PATIENCE)? != Some(true) {
                println!("left out, for it fails without a mutant: {name}");
                continue;
            }
            let takes = since.elapsed();
            let reaches = fs::read_to_string(notes).unwrap_or_default();
            let reaches = reaches.lines().map(str::parse).collect::<Result<_, _>>()?;
            tests.push(Test { binary: binary.clone(), name: name.to_owned(), takes, reaches });
        }
    }
    Ok(tests)
}

/// Runs what comes past this mutant, quick tests first, until one fails.
pub fn attempt(root: &Path, tests: &[Test], id: usize) -> Fallible<Outcome> {
    let mut past: Vec<&Test> = tests.iter().filter(|test| test.reaches.contains(&id)).collect();
    if past.is_empty() {
        return Ok(Outcome::Unreached);
    }
    past.sort_by_key(|test| test.takes);
    let mut at = 0;
    while at < past.len() {
        let (mut batches, mut work) = (BTreeMap::<&Path, Vec<&str>>::new(), Duration::ZERO);
        while let Some(test) = past.get(at) {
            if work > BATCH {
                break;
            }
            batches.entry(&test.binary).or_default().push(&test.name);
            work += test.takes;
            at += 1;
        }
        for (binary, names) in batches {
            let mut run = command(binary, root);
            run.arg("--exact").args(names).args(["--test-threads", "1"]).env("MUTANT", id.to_string());
            match passes(run, work)? {
                Some(true) => {}
                Some(false) => return Ok(Outcome::Caught),
                None => return Ok(Outcome::TimedOut),
            }
        }
    }
    Ok(Outcome::Missed)
}
