//! Runs every case on valgrind, and holds what is reported against what is known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use crate::cases::{Case, all};
use crate::known::Why;
use crate::report::{Report, read};

/// How many runs at once.
const WORKERS: usize = 2;

/// The judgement of a case.
pub struct Judgement {
    /// Nothing that is not known, and all that must be.
    pub is_good: bool,
    /// A line for the table.
    pub verdict: String,
    /// What was reported, a line a place.
    pub lines: Vec<String>,
}

/// Runs all cases whose name holds `filter`; prints the table, and tells whether all are as they must be.
pub fn run(filter: &str) -> bool {
    let cases: Vec<&Case> = all().filter(|case| case.name.contains(filter)).collect();
    let judgements: Vec<Mutex<Option<Judgement>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    *judgements[at].lock().unwrap() = Some(measure(case));
                }
            });
        }
    });
    let judgements: Vec<Judgement> =
        judgements.into_iter().map(|judgement| judgement.into_inner().unwrap().unwrap()).collect();
    for (case, judgement) in cases.iter().zip(&judgements) {
        println!("{:<58} {}", case.name, judgement.verdict);
        judgement.lines.iter().for_each(|line| println!("    {line}"));
    }
    let bad = judgements.iter().filter(|judgement| !judgement.is_good).count();
    println!("{} cases, {bad} not as they must be", cases.len());
    bad == 0 && !cases.is_empty()
}

fn measure(case: &Case) -> Judgement {
    match reports(case) {
        Ok(reports) => judge(case, &reports),
        Err(why) => Judgement { is_good: false, verdict: "FAILED".into(), lines: vec![why] },
    }
}

/// Runs this program on valgrind with the name of a case.
fn reports(case: &Case) -> Result<Vec<Report>, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let file = log_file(&program, case);
    let output = Command::new("valgrind")
        .args(["--tool=memcheck", "--error-limit=no", "--leak-check=no", "--num-callers=60", "--xml=yes"])
        // Without it, comparisons and sums of partly secret values are judged by rules of thumb.
        .arg("--expensive-definedness-checks=yes")
        .arg(format!("--xml-file={}", file.display()))
        .arg(&program)
        .args(["case", case.name])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let xml = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    read(&xml)
}

fn log_file(program: &Path, case: &Case) -> PathBuf {
    let name: String = case.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    program.with_file_name(format!("constant-time-{name}.xml"))
}

/// Every report must be known and every control must be reported.
pub fn judge(case: &Case, reports: &[Report]) -> Judgement {
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut times = vec![0_u64; case.known.len()];
    for report in reports {
        let known = case.known.iter().position(|known| known.covers(&report.place, &report.function));
        // Errors of memory are never known.
        match known.filter(|_| report.kind.starts_with("Uninit")) {
            Some(at) => times[at] += report.times,
            None => {
                let Report { place, function, line, kind, times } = report;
                *unknown.entry(format!("{place}:{line} in {function} ({kind})")).or_insert(0) += times;
            }
        }
    }
    let mut lines: Vec<String> =
        unknown.iter().map(|(what, times)| format!("UNKNOWN: {times} times at {what}")).collect();
    let mut is_good = unknown.is_empty();
    let mut leaks = 0;
    for (known, times) in case.known.iter().zip(times) {
        let (word, text) = match known.why {
            Why::Control => ("control", "must be found"),
            Why::Verdict(text) => ("verdict", text),
            Why::Public(text) => ("public", text),
            Why::Leak(text) => ("leak", text),
        };
        let is_missing = times == 0 && known.why == Why::Control;
        is_good &= !is_missing && times <= known.most;
        leaks += u64::from(times > 0 && matches!(known.why, Why::Leak(_)));
        let most = if times > known.most { format!(", MORE THAN {}", known.most) } else { String::new() };
        lines.push(format!("{word}: {times} times at {}{most}: {text}", known.place));
    }
    let verdict = match (is_good, leaks) {
        (false, _) => "FAILED",
        (true, 0) => "as it must be",
        (true, _) => "leaks, as documented",
    };
    Judgement { is_good, verdict: verdict.into(), lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::Known;

    fn case(known: &'static [Known]) -> Case {
        Case { name: "a case", run: || {}, known }
    }

    fn report(place: &str, function: &str, times: u64) -> Report {
        Report {
            place: place.into(),
            function: function.into(),
            line: 1,
            kind: "UninitCondition".into(),
            times,
        }
    }

    const VERDICT: &[Known] =
        &[Known { place: "a/src/lib.rs", functions: &["open"], most: 2, why: Why::Verdict("the tag") }];
    const CONTROL: &[Known] =
        &[Known { place: "a/src/lib.rs", functions: &["open"], most: 2, why: Why::Control }];

    #[test]
    fn silence_is_good_but_where_a_control_must_be_heard() {
        assert!(judge(&case(&[]), &[]).is_good);
        assert!(judge(&case(VERDICT), &[]).is_good);
        assert!(!judge(&case(CONTROL), &[]).is_good);
    }

    #[test]
    fn what_is_not_known_fails() {
        for (place, function) in
            [("a/src/lib.rs", "seal"), ("a/src/other.rs", "open"), ("b/src/lib.rs", "open")]
        {
            assert!(!judge(&case(VERDICT), &[report(place, function, 1)]).is_good, "{place} {function}");
        }
    }

    #[test]
    fn an_error_of_memory_fails_anywhere() {
        let report = Report { kind: "InvalidRead".into(), ..report("a/src/lib.rs", "open", 1) };
        assert!(!judge(&case(VERDICT), &[report]).is_good);
    }

    #[test]
    fn a_verdict_that_is_reported_more_often_than_it_is_given_fails() {
        assert!(judge(&case(VERDICT), &[report("a/src/lib.rs", "open", 2)]).is_good);
        assert!(!judge(&case(VERDICT), &[report("a/src/lib.rs", "open", 3)]).is_good);
        let twice = [report("a/src/lib.rs", "open", 2), report("a/src/lib.rs", "open", 1)];
        assert!(!judge(&case(VERDICT), &twice).is_good);
    }
}
