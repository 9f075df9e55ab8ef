//! Work with secrets under valgrind: what depends on them, and where.
//!
//! Without arguments all cases run, with one those whose name holds it. Ends with 1 where anything is not as it must be.

mod cases;
mod judge;
mod known;
mod link;
mod marked;
mod report;
mod valgrind;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["case", name] => run_case(name),
        [] => verdict(judge::run("")),
        [filter] => verdict(judge::run(filter)),
        _ => ExitCode::from(2),
    }
}

fn verdict(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What valgrind runs.
fn run_case(name: &str) -> ExitCode {
    let case = cases::all().find(|case| case.name == name);
    match case {
        Some(case) if valgrind::is_here() => {
            (case.run)();
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}
