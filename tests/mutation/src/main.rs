//! Are the tests able to fail? Every mutant that cargo-mutants (27.1, which has to be installed) lists is tried against
//! them, in one build. `symbolon-mutation [--shard K/N] [--only FILE] [--at-least PERCENT] [DIRECTORY..]`: all, or each Nth
//! from the Kth, or those that an earlier run wrote to FILE; for instance `--shard 1/10 src/record`. Says what was missed,
//! and a figure for each directory; fails when one is below the wanted percentage. What is `apart` (in constants, mostly)
//! is not tried: `cargo mutants --re NAME` does.

mod mutant;
mod site;
mod tree;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

use crate::mutant::Mutant;
use crate::tree::Tree;
use crate::trial::{Outcome, attempt, survey};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// What the command line asks for.
struct Wanted {
    shard: (usize, usize),
    /// What an earlier run said.
    only: Option<String>,
    at_least: usize,
    directories: Vec<String>,
}

fn wanted() -> Fallible<Wanted> {
    let mut wanted = Wanted { shard: (0, 1), only: None, at_least: 0, directories: Vec::new() };
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--shard" => {
                let shard = value()?;
                let (part, of) = shard.split_once('/').ok_or("a shard is K/N")?;
                wanted.shard = (part.parse()?, of.parse()?);
            }
            "--only" => wanted.only = Some(fs::read_to_string(value()?)?),
            "--at-least" => wanted.at_least = value()?.parse()?,
            directory => wanted.directories.push(directory.trim_end_matches('/').to_owned()),
        }
    }
    if wanted.shard.1 == 0 {
        return Err("no shard of none".into());
    }
    Ok(wanted)
}

impl Wanted {
    fn has(&self, mutant: &Mutant) -> bool {
        let below = |directory: &String| Path::new(&mutant.file).starts_with(directory);
        let named = |only: &String| only.lines().any(|line| line.ends_with(&mutant.name));
        mutant.id % self.shard.1 == self.shard.0 % self.shard.1
            && self.only.as_ref().is_none_or(named)
            && (self.directories.is_empty() || self.directories.iter().any(below))
    }
}

/// How many mutants of a directory came to what.
#[derive(Default)]
struct Figure {
    caught: usize,
    missed: usize,
    unviable: usize,
    apart: usize,
}

fn directory(file: &str) -> String {
    file.split('/').take(2).collect::<Vec<_>>().join("/")
}

fn judge(
    wanted: &Wanted,
    tree: &Tree,
    mutants: &[Mutant],
    notes: &Path,
) -> Fallible<BTreeMap<String, Figure>> {
    let since = Instant::now();
    let tests = survey(&tree.root, &tree.binaries, notes)?;
    println!("{} tests, surveyed in {} s", tests.len(), since.elapsed().as_secs());
    let mut figures: BTreeMap<String, Figure> = BTreeMap::new();
    let wanted: Vec<&Mutant> = mutants.iter().filter(|mutant| wanted.has(mutant)).collect();
    for (position, mutant) in wanted.iter().enumerate() {
        if position % 50 == 0 {
            println!("{position} of {}, {} s", wanted.len(), since.elapsed().as_secs());
        }
        let figure = figures.entry(directory(&mutant.file)).or_default();
        if tree.unviable.contains(&mutant.id) {
            figure.unviable += 1;
        } else if tree.apart.contains(&mutant.id) {
            figure.apart += 1;
            println!("apart: {}", mutant.name);
        } else {
            let outcome = attempt(&tree.root, &tests, mutant.id)?;
            match outcome {
                Outcome::Caught | Outcome::TimedOut => figure.caught += 1,
                Outcome::Missed | Outcome::Unreached => figure.missed += 1,
            }
            if outcome != Outcome::Caught {
                println!("{outcome:?}: {}", mutant.name);
            }
        }
    }
    println!("{} s in all", since.elapsed().as_secs());
    Ok(figures)
}

fn run() -> Fallible<bool> {
    let wanted = wanted()?;
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(target) => absolute(target)?,
        None => root.join("target"),
    };
    let target = target.join("mutation");
    fs::create_dir_all(&target)?;
    let mutants = mutant::list(&root)?;
    let files: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
    println!("{} mutants in {} files", mutants.len(), files.len());
    let tree = Tree::build(&root, &target, &mutants)?;
    let figures = judge(&wanted, &tree, &mutants, &target.join("reached"))?;
    let mut enough = true;
    for (directory, Figure { caught, missed, unviable, apart }) in figures {
        let tried = caught + missed;
        let percent = (caught * 100).checked_div(tried).unwrap_or(100);
        println!(
            "{directory}: {caught} of {tried} caught, {percent} %; {unviable} do not compile, {apart} apart"
        );
        enough &= percent >= wanted.at_least;
    }
    Ok(enough)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
