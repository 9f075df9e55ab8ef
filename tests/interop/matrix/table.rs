//! The results: `target/interop/matrix.json`, a table on stdout, and the table in the README.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::panic;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::features::FEATURES;
use crate::peer::{Peer, Runs};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Side {
    Client,
    Server,
}

/// What came of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// So many cases.
    Passed(usize),
    NotOffered(String),
    Failed(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cell {
    outcome: Outcome,
    seconds: f64,
}

/// A feature, the peer's client, and its server.
type Cells = BTreeMap<String, BTreeMap<Side, Cell>>;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    title: String,
    from: String,
    version: String,
    date: String,
    cells: Cells,
}

/// The rows of a run, by the names of peers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    rows: BTreeMap<String, Row>,
    /// Peers that do not tell their version.
    #[serde(skip)]
    missing: Vec<String>,
}

impl Results {
    /// Nothing yet, but the versions. A peer that is not there fails the run.
    pub fn of(peers: &[&Peer]) -> Self {
        let date = date();
        let mut results = Self::default();
        for peer in peers {
            let version = panic::catch_unwind(peer.version).unwrap_or_else(|_| {
                results.missing.push(format!("{}: {}", peer.name, crate::PANICKED.take()));
                "?".into()
            });
            let row = Row {
                title: peer.title.into(),
                from: peer.from.into(),
                version,
                date: date.clone(),
                cells: Cells::new(),
            };
            results.rows.insert(peer.name.into(), row);
        }
        results
    }

    pub fn add(&mut self, peer: &str, feature: &str, side: Side, outcome: Outcome, seconds: f64) {
        let row = self.rows.get_mut(peer).expect("every peer has a row");
        row.cells.entry(feature.into()).or_default().insert(side, Cell { outcome, seconds });
    }

    pub fn failed(&self) -> bool {
        let mut cells = self.rows.values().flat_map(|row| row.cells.values().flat_map(BTreeMap::values));
        !self.missing.is_empty() || cells.any(|cell| matches!(cell.outcome, Outcome::Failed(_)))
    }

    /// A line for each cell that did not pass, then the table.
    pub fn print(&self, took: Duration) {
        for missing in &self.missing {
            println!("MISSING: {missing}\n");
        }
        let (mut passed, mut cases) = (0, 0);
        for (name, row) in &self.rows {
            for (feature, sides) in &row.cells {
                for (side, cell) in sides {
                    match &cell.outcome {
                        Outcome::Passed(n) => (passed, cases) = (passed + 1, cases + n),
                        Outcome::NotOffered(why) => {
                            println!("not offered: {name}, {side:?}, {feature}: {why}")
                        }
                        Outcome::Failed(why) => println!("FAILED: {name}, {side:?}, {feature}: {why}\n"),
                    }
                }
            }
        }
        println!("\n{}", self.table());
        for (name, row) in &self.rows {
            let seconds: f64 = row.cells.values().flat_map(BTreeMap::values).map(|cell| cell.seconds).sum();
            println!("{seconds:8.1} s  {name} {}", row.version);
        }
        println!("{passed} cells with {cases} cases passed in {:.1} s", took.as_secs_f64());
    }

    /// Writes the file, with what other runs left of other peers and features.
    pub fn save(&self) {
        let path = path();
        let mut all = Self::load().unwrap_or_default();
        for (name, row) in &self.rows {
            let mut row = row.clone();
            if let Some(old) = all.rows.remove(name).filter(|old| old.version == row.version) {
                let new = std::mem::replace(&mut row.cells, old.cells);
                row.cells.extend(new);
            }
            all.rows.insert(name.clone(), row);
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, serde_json::to_string_pretty(&all).unwrap()).unwrap();
        println!("written to {}", path.display());
    }

    /// What earlier runs left, without peers and features that are no more.
    fn load() -> Option<Self> {
        let mut all: Self = serde_json::from_str(&fs::read_to_string(path()).ok()?).ok()?;
        all.rows.retain(|name, _| crate::peers::ALL.iter().any(|peer| peer.name == name));
        for row in all.rows.values_mut() {
            row.cells.retain(|name, _| FEATURES.iter().any(|feature| feature.name == name));
        }
        Some(all)
    }

    fn table(&self) -> String {
        let mut table = String::from("| peer |");
        for feature in &FEATURES {
            let _ = write!(table, " {} |", feature.name);
        }
        let _ = write!(table, "\n|---|{}", "---|".repeat(FEATURES.len()));
        let order = |name: &str| crate::peers::ALL.iter().position(|peer| peer.name == name);
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(name, _)| order(name));
        for (_, row) in rows {
            let _ = write!(table, "\n| {} {}, {} |", row.title, row.version, row.from);
            for feature in &FEATURES {
                let _ = write!(table, " {} |", cell(row.cells.get(feature.name)));
            }
        }
        table + "\n"
    }
}

/// `c` and `s` for what passed, with the numbers of cases where there are many.
fn cell(sides: Option<&BTreeMap<Side, Cell>>) -> String {
    let of = |side, letter: &str| match sides.and_then(|sides| sides.get(&side)).map(|cell| &cell.outcome) {
        Some(Outcome::Passed(cases @ 10..)) => format!("{letter} {cases}"),
        Some(Outcome::Passed(_)) => letter.into(),
        Some(Outcome::NotOffered(_)) => "–".into(),
        Some(Outcome::Failed(_)) => "**failed**".into(),
        None => "?".into(),
    };
    format!("{} {}", of(Side::Client, "c"), of(Side::Server, "s"))
}

const BEGIN: &str = "<!-- interop -->\n";
const END: &str = "<!-- /interop -->";

/// Replaces what stands between the markers.
pub fn into_readme() {
    let results = Results::load().expect("there are results: run without --readme first");
    assert!(!results.failed(), "a table with failures is not for the README");
    for peer in crate::peers::ALL.iter().filter(|peer| peer.runs == Runs::Always) {
        let row = results.rows.get(peer.name).map(|row| row.cells.len());
        assert_eq!(row, Some(FEATURES.len()), "the results of {} are not whole", peer.name);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the marker");
    let (_, after) = rest.split_once(END).expect("the README has the second marker");
    let table = results.table();
    let date = results.rows.values().map(|row| row.date.as_str()).max().unwrap();
    let words = format!(
        "As of {date}; `c` is the peer as a client of ours, `s` as our server, `–` what it does not offer by its programs or its API.\n"
    );
    fs::write(path, format!("{before}{BEGIN}{words}\n{table}{END}{after}")).unwrap();
}

fn path() -> PathBuf {
    // target/PROFILE/deps/interop_matrix-HASH
    let this = std::env::current_exe().unwrap();
    this.ancestors().nth(3).unwrap().join("interop/matrix.json")
}

fn date() -> String {
    let output = Command::new("date").args(["-u", "+%F"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
