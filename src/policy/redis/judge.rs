//! What the replies to one check say.

use alloc::string::String;
use core::fmt::Write;
use core::time::Duration;
use std::time::Instant;

use ::redis::{Pipeline, ServerError, Value};

use super::examine::{Ahead, Found, LEAP, marker_key};
use super::settings::RedisSettings;
use crate::psk::Unknowable;
use crate::question::{FirstFlight, Seen};

/// A check of one flight, as the server is asked for it.
pub(super) struct Check {
    /// Where the flight is remembered.
    key: String,
    marker: String,
    /// In milliseconds.
    life: u64,
}

/// What is to be done beside the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    GoOn,
    /// The server is to be examined.
    Examine,
    /// The connection is to be given up: its replies are not to be trusted.
    HangUp,
}

impl Check {
    /// The check of `flight` in a store of this memory.
    pub(super) fn new(
        flight: &FirstFlight,
        found: &Found,
        settings: &RedisSettings,
    ) -> Result<Self, Unknowable> {
        // Whatever the question waited for meanwhile: the flight may have been forgotten since it arrived.
        if settings.clock.moment() > flight.expires {
            return Err(Unknowable::BeforeMemory);
        }
        let left = flight.expires.since(flight.now).unwrap_or_default();
        // A flight is fresh from one window before the expected moment to one after it.
        if left > settings.window.saturating_mul(2) {
            return Err(Unknowable::TooLong);
        }
        let mut key = String::with_capacity(settings.prefix.len().saturating_add(70));
        key.push_str(&settings.prefix);
        key.push_str("seen:");
        for byte in flight.id {
            // Strings take all that is written to them.
            let _ = write!(key, "{byte:02x}");
        }
        Ok(Self { key, marker: found.memory.marker.clone(), life: life(left, settings) })
    }

    /// The commands, in an order that matters: what was in the store when the flight was written is told by a marker that
    /// is read afterwards, and so is a clock that let flights expire too early.
    pub(super) fn commands(&self, settings: &RedisSettings) -> Pipeline {
        let mut commands = Pipeline::with_capacity(4);
        commands.cmd("SET").arg(&self.key).arg(1).arg("NX").arg("PX").arg(self.life);
        commands.cmd("GET").arg(marker_key(settings));
        commands.cmd("TIME");
        // Replies that belong to another flight must not be taken for this one's.
        commands.cmd("ECHO").arg(&self.key);
        commands
    }

    /// What the replies say, at the moment at which they came.
    pub(super) fn judge(&self, replies: &[Value], before: Ahead, began: Instant) -> (Seen, Then) {
        let unknown = |why, then| (Seen::Unknown(why), then);
        let [set, marker, time, echo] = replies else {
            return unknown(Unknowable::Nonsense, Then::HangUp);
        };
        if let Some(error) = server_error(replies) {
            // "OOM": nothing more is taken.
            let why = if error.code() == "OOM" { Unknowable::Full } else { Unknowable::Nonsense };
            return unknown(why, Then::Examine);
        }
        if !is_text(echo, &self.key) {
            return unknown(Unknowable::Nonsense, Then::HangUp);
        }
        let Some(ahead) = Ahead::measure(time, began) else {
            return unknown(Unknowable::Nonsense, Then::HangUp);
        };
        let seen = match set {
            Value::Okay => Seen::Never,
            Value::Nil => Seen::Before,
            _ => return unknown(Unknowable::Nonsense, Then::HangUp),
        };
        match marker {
            Value::BulkString(_) | Value::Nil => {}
            _ => return unknown(Unknowable::Nonsense, Then::HangUp),
        }
        if !is_text(marker, &self.marker) || ahead.leapt_since(before) {
            // A memory begins anew, and the ticket is older.
            return unknown(Unknowable::BeforeMemory, Then::Examine);
        }
        (seen, Then::GoOn)
    }
}

/// How long a flight is remembered that is fresh for so long, in milliseconds: also for servers whose clocks are behind,
/// whose questions arrive late, and though the store's clock may leap a little, unnoticed while a reply is waited for.
fn life(left: Duration, settings: &RedisSettings) -> u64 {
    const MARGIN: Duration = LEAP.saturating_mul(2);
    /// Expiries that are far too long for it overflow in the server.
    const LONGEST: u64 = 1 << 40;
    let RedisSettings { skew, deadline, patience, .. } = settings;
    let parts = [skew, deadline, patience, &MARGIN];
    let life = parts.into_iter().fold(left, |sum, part| sum.saturating_add(*part));
    u64::try_from(life.as_millis()).unwrap_or(LONGEST).min(LONGEST)
}

fn server_error(replies: &[Value]) -> Option<&ServerError> {
    replies.iter().find_map(|reply| match reply {
        Value::ServerError(error) => Some(error),
        _ => None,
    })
}

fn is_text(reply: &Value, wanted: &str) -> bool {
    matches!(reply, Value::BulkString(text) if text == wanted.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use crate::policy::FixedClock;
    use alloc::sync::Arc;
    use alloc::vec;
    use rustls_pki_types::UnixTime;

    use super::super::memory::Memory;
    use crate::crypto::Rng;
    use crate::error::Failed;

    struct NoRng;

    impl Rng for NoRng {
        fn fill(&self, _: &mut [u8]) -> Result<(), Failed> {
            Err(Failed::Provider)
        }
    }

    fn settings() -> RedisSettings {
        settings_at(100)
    }

    fn settings_at(secs: u64) -> RedisSettings {
        let clock = FixedClock(UnixTime::since_unix_epoch(Duration::from_secs(secs)));
        RedisSettings::new("redis://127.0.0.1", Arc::new(NoRng)).unwrap().clock(clock)
    }

    fn time(secs: u64) -> Value {
        Value::Array(vec![text(&alloc::format!("{secs}")), text("0")])
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn flight(expires: u64) -> FirstFlight {
        FirstFlight {
            id: [0xab; 32],
            issued: Moment::from_secs(90),
            now: Moment::from_secs(100),
            expires: Moment::from_secs(expires),
        }
    }

    struct Asked {
        check: Check,
        before: Ahead,
        began: Instant,
    }

    fn asked() -> Asked {
        let began = Instant::now();
        let before = Ahead::measure(&time(1000), began).unwrap();
        let memory = Memory::begin("run repl 0", Moment::from_secs(1), [1; 16]);
        let check = Check::new(&flight(110), &Found { memory, ahead: before }, &settings()).unwrap();
        Asked { check, before, began }
    }

    /// The verdict on good replies of which one is changed.
    fn with(at: usize, reply: Value) -> (Seen, Then) {
        let Asked { check, before, began } = asked();
        let mut replies = vec![Value::Okay, text(&check.marker), time(1000), text(&check.key)];
        replies[at] = reply;
        check.judge(&replies, before, began)
    }

    const NONSENSE: (Seen, Then) = (Seen::Unknown(Unknowable::Nonsense), Then::HangUp);
    const FORGOT: (Seen, Then) = (Seen::Unknown(Unknowable::BeforeMemory), Then::Examine);

    #[test]
    fn ok_is_never_and_nil_is_before() {
        assert_eq!(with(0, Value::Okay), (Seen::Never, Then::GoOn));
        assert_eq!(with(0, Value::Nil), (Seen::Before, Then::GoOn));
    }

    #[test]
    fn any_other_reply_is_nonsense() {
        for reply in [Value::Int(1), text("OK"), Value::SimpleString("QUEUED".into())] {
            assert_eq!(with(0, reply.clone()), NONSENSE, "{reply:?}");
        }
        assert_eq!(with(1, Value::Int(1)), NONSENSE);
        assert_eq!(with(2, Value::Nil), NONSENSE);
        let Asked { check, before, began } = asked();
        assert_eq!(check.judge(&[Value::Okay], before, began), NONSENSE);
    }

    #[test]
    fn a_missing_or_other_marker_is_a_store_that_forgot() {
        assert_eq!(with(1, Value::Nil), FORGOT);
        assert_eq!(with(1, text("other")), FORGOT);
    }

    #[test]
    fn a_store_whose_clock_leapt_may_have_forgotten() {
        assert_eq!(with(2, time(1006)), FORGOT);
        assert_eq!(with(2, time(1004)), (Seen::Never, Then::GoOn));
    }

    #[test]
    fn the_reply_to_another_flight_is_not_taken() {
        assert_eq!(with(3, text("symbolon:seen:00")), NONSENSE);
    }

    #[test]
    fn errors_of_the_server_refuse() {
        let error = |line: &[u8]| ::redis::parse_redis_value(line).unwrap();
        let full = (Seen::Unknown(Unknowable::Full), Then::Examine);
        assert_eq!(with(0, error(b"-OOM command not allowed\r\n")), full);
        let refused = (Seen::Unknown(Unknowable::Nonsense), Then::Examine);
        assert_eq!(with(0, error(b"-READONLY You can't write\r\n")), refused);
        assert_eq!(with(3, error(b"-NOPERM no\r\n")), refused);
    }

    #[test]
    fn a_flight_is_remembered_for_as_long_as_any_clock_finds_it_fresh_and_any_answer_is_waited_for() {
        let secs = Duration::from_secs;
        let settings = settings().skew(secs(10)).deadline(secs(3)).patience(secs(1));
        assert_eq!(life(secs(20), &settings), 44_000);
        assert_eq!(life(Duration::MAX, &settings), 1 << 40);
    }

    #[test]
    fn a_question_that_waited_until_its_flight_expired_is_not_asked() {
        let Asked { before, .. } = asked();
        let memory = Memory::begin("run repl 0", Moment::from_secs(1), [1; 16]);
        let found = Found { memory, ahead: before };
        let check = |secs| Check::new(&flight(110), &found, &settings_at(secs)).map(|_| ());
        assert_eq!(check(110), Ok(()));
        assert_eq!(check(111), Err(Unknowable::BeforeMemory));
    }

    #[test]
    fn what_would_be_fresh_for_longer_than_both_sides_of_the_window_is_not_remembered() {
        let Asked { before, .. } = asked();
        let memory = Memory::begin("run repl 0", Moment::from_secs(1), [1; 16]);
        let found = Found { memory, ahead: before };
        assert!(Check::new(&flight(120), &found, &settings()).is_ok());
        assert_eq!(Check::new(&flight(121), &found, &settings()).err(), Some(Unknowable::TooLong));
    }

    #[test]
    fn the_marker_is_read_after_the_flight_is_written() {
        let check = asked().check;
        let commands = check.commands(&settings());
        let packed = commands.get_packed_pipeline();
        let place = |name: &[u8]| packed.windows(name.len()).position(|word| word == name).unwrap();
        let places = [place(b"SET"), place(b"GET"), place(b"TIME")];
        assert!(places.is_sorted(), "{places:?}");
    }
}
