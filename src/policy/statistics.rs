//! Counts what became of connections: how many were resumed, and why the others were not.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::handshake::{Resumed, Summary};
use crate::psk::{NoEarlyData, NotResumed};

/// Counters that many threads share; each connection's [`Summary`] is recorded once.
///
/// ```
/// # use symbolon::policy::Statistics;
/// let counted = Statistics::default();
/// # let summaries: [symbolon::conn::Summary; 0] = [];
/// for summary in &summaries {
///     counted.record(summary); // at `Event::Established`
/// }
/// assert_eq!(counted.snapshot().connections, 0);
/// ```
#[derive(Debug)]
pub struct Statistics {
    sessions: AtomicU64,
    external_psks: AtomicU64,
    early_data: AtomicU64,
    anonymous: AtomicU64,
    not_resumed: [AtomicU64; NotResumed::ALL.len()],
    no_early_data: [AtomicU64; NoEarlyData::ALL.len()],
}

/// What was counted until a certain moment; counters that many threads advance need not be of the very same one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections whose handshake was completed.
    pub connections: u64,
    /// Of those, resumed with a ticket or a stored session.
    pub sessions: u64,
    /// Of those, resting on an external pre-shared key.
    pub external_psks: u64,
    /// The others, by reason, which has its [`code`](NotResumed::code); every reason is there.
    pub not_resumed: Vec<(NotResumed, u64)>,
    /// Connections whose early data was accepted.
    pub early_data: u64,
    /// The others, by reason; every reason is there.
    pub no_early_data: Vec<(NoEarlyData, u64)>,
    /// Connections of clients that gave no certificate to a server that asks for them ([`Summary::anonymous`]).
    pub anonymous: u64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            sessions: AtomicU64::new(0),
            external_psks: AtomicU64::new(0),
            early_data: AtomicU64::new(0),
            anonymous: AtomicU64::new(0),
            not_resumed: [const { AtomicU64::new(0) }; NotResumed::ALL.len()],
            no_early_data: [const { AtomicU64::new(0) }; NoEarlyData::ALL.len()],
        }
    }
}

impl Statistics {
    /// Counts a connection.
    pub fn record(&self, summary: &Summary) {
        self.count(summary.resumed, summary.early_data);
        if summary.anonymous {
            self.anonymous.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn count(&self, resumed: Result<Resumed, NotResumed>, early_data: Result<(), NoEarlyData>) {
        let resumption = match resumed {
            Ok(Resumed::Session) => Some(&self.sessions),
            Ok(Resumed::ExternalPsk) => Some(&self.external_psks),
            Err(why) => counter(&self.not_resumed, NotResumed::ALL, why),
        };
        let early = match early_data {
            Ok(()) => Some(&self.early_data),
            Err(why) => counter(&self.no_early_data, NoEarlyData::ALL, why),
        };
        for counter in [resumption, early].into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted until now.
    #[must_use]
    pub fn snapshot(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let not_resumed: Vec<_> =
            NotResumed::ALL.iter().copied().zip(self.not_resumed.iter().map(read)).collect();
        let no_early_data = NoEarlyData::ALL.iter().copied().zip(self.no_early_data.iter().map(read));
        let (sessions, external_psks) = (read(&self.sessions), read(&self.external_psks));
        let full = not_resumed.iter().map(|(_, count)| *count);
        Counts {
            connections: full.fold(sessions.saturating_add(external_psks), u64::saturating_add),
            sessions,
            external_psks,
            early_data: read(&self.early_data),
            anonymous: read(&self.anonymous),
            no_early_data: no_early_data.collect(),
            not_resumed,
        }
    }
}

/// The counter of a reason.
fn counter<'a, R: PartialEq>(counters: &'a [AtomicU64], reasons: &[R], why: R) -> Option<&'a AtomicU64> {
    reasons.iter().position(|reason| *reason == why).and_then(|at| counters.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::psk::Unknowable;

    #[test]
    fn every_reason_is_counted() {
        let statistics = Statistics::default();
        for (times, why) in (1u64..).zip(NotResumed::ALL) {
            (0..times).for_each(|_| statistics.count(Err(*why), Ok(())));
        }
        for why in NoEarlyData::ALL {
            statistics.count(Ok(Resumed::Session), Err(*why));
        }
        statistics.count(Ok(Resumed::ExternalPsk), Err(NoEarlyData::Unknowable(Unknowable::Full)));
        let counts = statistics.snapshot();
        let full = 11 * 12 / 2;
        assert_eq!((counts.sessions, counts.external_psks), (NoEarlyData::ALL.len() as u64, 1));
        assert_eq!(counts.connections, full + counts.sessions + 1);
        assert_eq!(counts.early_data, full);
        assert_eq!(counts.not_resumed[0], (NotResumed::NotOffered, 1));
        assert_eq!(counts.not_resumed[10], (NotResumed::Declined, 11));
        for (why, count) in counts.no_early_data {
            assert_eq!(count, if why.code() == "guard-full" { 2 } else { 1 }, "{}", why.code());
        }
    }

    #[test]
    fn threads_lose_no_count() {
        let statistics = Statistics::default();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..1000).for_each(|_| statistics.count(Ok(Resumed::Session), Ok(()))));
            }
        });
        assert_eq!(statistics.snapshot().sessions, 2000);
    }
}
