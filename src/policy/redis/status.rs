//! What state a store is in.

use core::fmt;

use crate::moment::Moment;
use crate::psk::Unknowable;

/// What state a guard's store is in, for whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisStatus {
    /// It was not reached yet.
    Connecting,
    /// It guards: early data is accepted with tickets that were issued later than this, by more than the skew.
    Guarding {
        /// When the store's memory begins.
        since: Moment,
    },
    /// It cannot be reached, does not answer in time, or broke off.
    Unreachable,
    /// It refuses us: the password, or what the user may do.
    Denied,
    /// It is still reading its data, or is no master.
    NotMaster,
    /// It may drop keys before they expire: set `maxmemory-policy` to `noeviction`.
    Evicting,
    /// It answered what it should not, or more than it should.
    Nonsense,
    /// There is no entropy to be had here.
    NoEntropy,
}

impl RedisStatus {
    /// Why nobody can tell whether a flight was seen, while this lasts.
    pub(super) fn unknowable(self) -> Unknowable {
        match self {
            Self::Connecting | Self::Unreachable | Self::Guarding { .. } => Unknowable::Unreachable,
            Self::Denied | Self::NotMaster | Self::Evicting | Self::Nonsense | Self::NoEntropy => {
                Unknowable::Nonsense
            }
        }
    }
}

impl fmt::Display for RedisStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting for the first time",
            Self::Guarding { since } => {
                return write!(f, "guarding since {} ms after 1970", since.as_millis());
            }
            Self::Unreachable => "Redis cannot be reached, does not answer in time, or broke off",
            Self::Denied => "Redis refuses the user or the password",
            Self::NotMaster => "Redis is no master, or not ready yet",
            Self::Evicting => "Redis may evict keys; set maxmemory-policy to noeviction",
            Self::Nonsense => "Redis answered what it should not",
            Self::NoEntropy => "the provider has no random bytes",
        })
    }
}
