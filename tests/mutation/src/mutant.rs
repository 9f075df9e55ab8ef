//! What cargo-mutants would change, as it lists it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Fallible;

/// One change to one place.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Position in the list; what switches it on.
    pub id: usize,
    /// Where and what, as cargo-mutants names it.
    pub name: String,
    /// Relative to the root of the package.
    pub file: String,
    /// Line and column, from 1, where the changed text begins.
    pub at: (usize, usize),
    /// Of which kind it is: `FnValue`, `BinaryOperator`, `UnaryOperator`, `MatchArm`, `MatchArmGuard` or `StructField`.
    pub genre: String,
    /// What stands there instead.
    pub replacement: String,
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn mutant(id: usize, value: &Value) -> Option<Mutant> {
    let start = &value["span"]["start"];
    Some(Mutant {
        id,
        name: value["name"].as_str()?.to_owned(),
        file: value["file"].as_str()?.to_owned(),
        at: (number(&start["line"])?, number(&start["column"])?),
        genre: value["genre"].as_str()?.to_owned(),
        replacement: value["replacement"].as_str()?.to_owned(),
    })
}

/// All mutants of the package, without those that `.cargo/mutants.toml` excludes.
pub fn list(root: &Path) -> Fallible<Vec<Mutant>> {
    let said = Command::new("cargo")
        .args(["mutants", "--list", "--json", "--no-shuffle"])
        .current_dir(root)
        .output()?;
    if !said.status.success() {
        return Err(format!("cargo mutants: {}", String::from_utf8_lossy(&said.stderr)).into());
    }
    let said: Value = serde_json::from_slice(&said.stdout)?;
    let all = said.as_array().ok_or("cargo mutants gave no list")?;
    let read = |(id, value)| mutant(id, value).ok_or_else(|| format!("not understood: {value}").into());
    all.iter().enumerate().map(read).collect()
}
