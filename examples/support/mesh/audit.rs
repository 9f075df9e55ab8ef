//! What every service decided: a line on stderr for each connection, and the sums.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Where services tell of their connections.
pub struct Audit {
    began: Instant,
    sums: Mutex<Sums>,
}

/// What came of all connections.
#[derive(Clone, Default)]
pub struct Sums {
    pub connections: usize,
    /// Those of them that did not end with a close_notify from both.
    pub broken: usize,
    /// Refused during the handshake, by the alert that the caller got.
    pub refused: BTreeMap<String, usize>,
    /// Requests that were refused, on connections that were not.
    pub forbidden: usize,
}

/// A connection that came to an end.
pub struct Entry<'a> {
    pub callee: &'a dyn Display,
    /// Who called, as far as was verified.
    pub caller: &'a dyn Display,
    pub decision: Decision<'a>,
}

pub enum Decision<'a> {
    /// It was served; this often, and refused this often. Then it was closed by both, or broke.
    Served { requests: usize, forbidden: usize, broke: Option<&'a dyn Display> },
    /// The caller refused us, or went away, before there was anything to decide.
    Left { reason: &'a dyn Display },
    /// Refused in the handshake.
    Refused { alert: &'a dyn Display, reason: &'a dyn Display },
}

impl Audit {
    pub fn start() -> Self {
        Self { began: Instant::now(), sums: Mutex::default() }
    }

    pub fn record(&self, entry: &Entry<'_>) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let (decision, reason) = match &entry.decision {
            Decision::Served { requests, forbidden, broke } => {
                sums.connections += 1;
                sums.forbidden += forbidden;
                sums.broken += usize::from(broke.is_some());
                let decision = if *forbidden == 0 { "allowed" } else { "restricted" };
                let ended = broke.map_or("closed by both".into(), ToString::to_string);
                (decision, format!("requests: {requests}, forbidden: {forbidden}; {ended}"))
            }
            Decision::Left { reason } => ("none", reason.to_string()),
            Decision::Refused { alert, reason } => {
                *sums.refused.entry(alert.to_string()).or_default() += 1;
                ("refused", reason.to_string())
            }
        };
        drop(sums);
        let at = self.began.elapsed().as_secs_f64();
        let Entry { callee, caller, .. } = entry;
        let line =
            format!("audit {at:.3} callee={callee} caller={caller} decision={decision} reason={reason:?}\n");
        // Nobody has to listen.
        let _ = io::stderr().write_all(line.as_bytes());
    }

    pub fn sums(&self) -> Sums {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
