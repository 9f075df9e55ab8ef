//! The examination of a server: which one it is, whether it can be trusted with a memory, and since when it has one.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;
use std::time::Instant;

use ::redis::{Pipeline, Value};

use super::line::{Replies, blame_server};
use super::memory::{Facts, Finding, Memory, judge};
use super::settings::RedisSettings;
use super::status::RedisStatus;

/// How far the server's clock may leap forward unnoticed: keys are kept for longer than they must be by more than this.
pub(super) const LEAP: Duration = Duration::from_secs(5);

/// How often a marker is written before somebody else must be at it.
const ATTEMPTS: usize = 3;

/// What was found in a server that can be trusted.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) memory: Memory,
    pub(super) ahead: Ahead,
}

/// By how much the server's clock is ahead of the time since the guard began, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead(i128);

impl Ahead {
    /// From a reply to TIME that just came.
    pub(super) fn measure(reply: &Value, began: Instant) -> Option<Self> {
        let Value::Array(parts) = reply else { return None };
        let [secs, micros] = parts.as_slice() else { return None };
        let number = |value: &Value| match value {
            Value::BulkString(text) => core::str::from_utf8(text).ok()?.parse::<u64>().ok(),
            _ => None,
        };
        let server =
            Duration::from_secs(number(secs)?).checked_add(Duration::from_micros(number(micros)?))?;
        let server = i128::try_from(server.as_micros()).ok()?;
        let ours = i128::try_from(began.elapsed().as_micros()).ok()?;
        server.checked_sub(ours).map(Self)
    }

    /// Whether keys may have expired too early since `before`: the clock leapt forward.
    pub(super) fn leapt_since(self, before: Self) -> bool {
        let most = i128::try_from(LEAP.as_micros()).unwrap_or(i128::MAX);
        self.0.saturating_sub(before.0) > most
    }
}

/// Examines the server, which was `before` when it was last examined, and begins a memory in it where it has none.
pub(super) async fn examine(
    replies: &Replies,
    settings: &RedisSettings,
    began: Instant,
    before: Option<&Found>,
) -> Result<Found, RedisStatus> {
    let key = marker_key(settings);
    let mut questions = Pipeline::new();
    for section in ["server", "replication", "memory", "stats", "persistence"] {
        questions.cmd("INFO").arg(section);
    }
    questions.cmd("TIME").cmd("GET").arg(&key);
    // Ours, once it is written, or that of an earlier examination.
    let mut known = before.map(|found| found.memory.clone());
    let mut leapt = false;
    for _ in 0..ATTEMPTS {
        let answers = Answers::read(replies.ask(&questions).await?, began)?;
        leapt |= before.is_some_and(|before| answers.ahead.leapt_since(before.ahead));
        // Whatever was forgotten was forgotten before now.
        let now = settings.clock.moment();
        let identity = &answers.facts.identity;
        let marker = answers.marker.as_deref();
        let latest = now.plus(settings.skew);
        let finding = judge(known.as_ref(), marker, identity, now, latest);
        let replace = match finding {
            Finding::Remembers(memory)
                if leapt && before.is_some_and(|before| before.memory.marker == memory.marker) =>
            {
                true
            }
            Finding::Remembers(memory) => return Ok(Found { memory, ahead: answers.ahead }),
            Finding::Blank => false,
            Finding::Foreign => true,
        };
        let mut random = [0; 16];
        settings.rng.fill(&mut random).map_err(|_| RedisStatus::NoEntropy)?;
        let memory = Memory::begin(identity, now, random);
        let mut write = Pipeline::new();
        write.cmd("SET").arg(&key).arg(&memory.marker);
        if !replace {
            // The first one of several guards decides.
            write.arg("NX");
        }
        for reply in replies.ask(&write).await? {
            if let Value::ServerError(error) = reply {
                return Err(blame_server(&error));
            }
        }
        known = Some(memory);
    }
    Err(RedisStatus::Nonsense)
}

/// Where the marker is.
pub(super) fn marker_key(settings: &RedisSettings) -> String {
    alloc::format!("{}since", settings.prefix)
}

struct Answers {
    facts: Facts,
    ahead: Ahead,
    marker: Option<Vec<u8>>,
}

impl Answers {
    fn read(mut replies: Vec<Value>, began: Instant) -> Result<Self, RedisStatus> {
        for reply in &replies {
            if let Value::ServerError(error) = reply {
                return Err(blame_server(error));
            }
        }
        let marker = match replies.pop() {
            Some(Value::Nil) => None,
            Some(Value::BulkString(marker)) => Some(marker),
            _ => return Err(RedisStatus::Nonsense),
        };
        let time = replies.pop().unwrap_or_default();
        let ahead = Ahead::measure(&time, began).ok_or(RedisStatus::Nonsense)?;
        let mut info = String::new();
        for reply in replies {
            let Value::BulkString(section) = reply else { return Err(RedisStatus::Nonsense) };
            info.push_str(&String::from_utf8_lossy(&section));
            info.push('\n');
        }
        let facts = Facts::read(&info).ok_or(RedisStatus::Nonsense)?;
        if !facts.is_master {
            return Err(RedisStatus::NotMaster);
        }
        if facts.may_evict {
            return Err(RedisStatus::Evicting);
        }
        Ok(Self { facts, ahead, marker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn time(secs: &str, micros: &str) -> Value {
        Value::Array(vec![Value::BulkString(secs.into()), Value::BulkString(micros.into())])
    }

    #[test]
    fn a_clock_that_leaps_forward_is_noticed() {
        let began = Instant::now();
        let measure = |secs: &str| Ahead::measure(&time(secs, "0"), began).unwrap();
        assert!(measure("1010").leapt_since(measure("1000")));
        assert!(!measure("1001").leapt_since(measure("1000")));
        assert!(!measure("1000").leapt_since(measure("1010")));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let began = Instant::now();
        for reply in [Value::Nil, Value::Array(vec![]), time("x", "0"), time("1", "-1")] {
            assert_eq!(Ahead::measure(&reply, began), None);
        }
    }
}
