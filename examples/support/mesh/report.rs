//! The report: what came of it all, and what was not as it must be.

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::attacks::{Attackers, End};
use super::audit::Sums;
use super::load::Route;

/// What there is to report.
pub struct Outcome<'a> {
    pub took: Duration,
    pub lifetime: Duration,
    pub routes: &'a [Route],
    /// How often certificates were renewed by themselves, and how often they could not be.
    pub renewals: (usize, usize),
    /// How many certificates there were, and how many of them connections used until the end.
    pub generations: (u64, usize),
    pub audit: &'a Sums,
    pub attackers: &'a Attackers,
}

impl Outcome<'_> {
    pub fn words(&self) -> String {
        let mut out = String::new();
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (answered, failed) = self.requests();
        writeln!(out, "The mesh ran for {:.1} s.\n", self.took.as_secs_f64())?;
        writeln!(out, "requests     {answered:>7}, failed {failed}")?;
        for route in self.routes {
            writeln!(out, "  {:>17}  {}", route.counts.answered.load(Ordering::Relaxed), route.words)?;
        }
        writeln!(out, "connections  {:>7}, broken {}", self.audit.connections, self.audit.broken)?;
        let (renewals, not) = self.renewals;
        let lifetime = self.lifetime.as_secs();
        writeln!(
            out,
            "rotations    {renewals:>7}, failed {not}, of certificates that live for {lifetime} s"
        )?;
        let (generations, left) = self.generations;
        writeln!(out, "authorities        2, the first one withdrawn under load")?;
        writeln!(out, "generations  {generations:>7}, {left} of the old ones still in use at the end\n")?;
        writeln!(out, "{:<24} {:>7} {:>10}  ended with", "attacks", "tried", "unexpected")?;
        for (name, tally) in &self.attackers.tallies {
            let ended = match tally.expected {
                Some(End::Alert(alert)) => format!("alert {alert} from the service"),
                Some(End::Status(status)) => format!("status {status}"),
                Some(End::Refused(alert)) => format!("alert {alert} from the caller"),
                None => String::new(),
            };
            writeln!(out, "  {name:<22} {:>7} {:>10}  {ended}", tally.tried, tally.unexpected)?;
        }
        writeln!(out, "\n{:<28} {:>7}", "refused, by reason", "times")?;
        for (alert, times) in &self.audit.refused {
            writeln!(out, "  {alert:<26} {times:>7}")?;
        }
        writeln!(out, "  {:<26} {:>7}", "forbidden path", self.audit.forbidden)
    }

    /// What was not as it must be.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                faults.push(what.to_string());
            }
        };
        let idle = |route: &Route| route.counts.answered.load(Ordering::Relaxed) == 0;
        must(self.requests().1 == 0, "requests failed");
        must(!self.routes.iter().any(idle), "a route was never used");
        must(self.audit.broken == 0, "connections broke");
        must(self.renewals.0 > 0, "no certificate was renewed");
        must(self.renewals.1 == 0, "certificates could not be renewed");
        must(self.generations.1 == 0, "certificates that were replaced are still in use");
        must(
            self.attackers.tallies.values().all(|tally| tally.unexpected == 0),
            "attacks ended unexpectedly",
        );
        let (alerts, forbidden) = self.attackers.expected();
        must(self.audit.refused == alerts, "services refused others than the attackers, or not all of them");
        must(
            self.audit.forbidden == forbidden,
            "services forbade others than the attackers, or not all of them",
        );
        faults
    }

    fn requests(&self) -> (usize, usize) {
        self.routes.iter().fold((0, 0), |(answered, failed), route| {
            let counts = &route.counts;
            (
                answered + counts.answered.load(Ordering::Relaxed),
                failed + counts.failed.load(Ordering::Relaxed),
            )
        })
    }
}
