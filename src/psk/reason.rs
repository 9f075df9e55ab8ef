//! Why a connection was not resumed, and why its early data was not accepted.

use core::fmt;

/// Why a connection was not resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotResumed {
    /// The client offered no pre-shared key.
    NotOffered,
    /// The client offered keys in no mode that the server permits (RFC 9846 section 4.3.9).
    NoCommonMode,
    /// The server knows none of the identities: foreign, damaged, or sealed with a key that is gone.
    Unknown,
    /// The ticket's lifetime, or that of the verified chain behind it, is over.
    Expired,
    /// The ticket was issued in the future: a clock was set back.
    FutureDated,
    /// The key that sealed the ticket was revoked.
    Revoked,
    /// The policy that verified the peer has changed since.
    PolicyChanged,
    /// The ticket was issued for another server name.
    OtherServerName,
    /// No cipher suite with the key's hash is in common.
    NoCommonSuite,
    /// A client certificate is required, and the key stands for none.
    NoClientCertificate,
    /// Client: the server went on without the key that was offered.
    Declined,
}

impl NotResumed {
    /// A code for logs and statistics, in lower case with hyphens.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOffered => "not-offered",
            Self::NoCommonMode => "no-common-mode",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::FutureDated => "future-dated",
            Self::Revoked => "revoked",
            Self::PolicyChanged => "policy-changed",
            Self::OtherServerName => "other-server-name",
            Self::NoCommonSuite => "no-common-suite",
            Self::NoClientCertificate => "no-client-certificate",
            Self::Declined => "declined",
        }
    }

    /// Every reason, for statistics.
    pub const ALL: &'static [Self] = &[
        Self::NotOffered,
        Self::NoCommonMode,
        Self::Unknown,
        Self::Expired,
        Self::FutureDated,
        Self::Revoked,
        Self::PolicyChanged,
        Self::OtherServerName,
        Self::NoCommonSuite,
        Self::NoClientCertificate,
        Self::Declined,
    ];
}

impl fmt::Display for NotResumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOffered => "no ticket or pre-shared key was offered",
            Self::NoCommonMode => "no PSK key exchange mode in common",
            Self::Unknown => "the server does not know the ticket",
            Self::Expired => "the ticket has expired",
            Self::FutureDated => "the ticket is from the future; a clock was set back",
            Self::Revoked => "the ticket's key was revoked",
            Self::PolicyChanged => "the verification policy has changed",
            Self::OtherServerName => "the ticket is for another server name",
            Self::NoCommonSuite => "no cipher suite with the ticket's hash in common",
            Self::NoClientCertificate => "a client certificate is required and the ticket has none",
            Self::Declined => "the server declined the ticket",
        })
    }
}

/// Why early data was not sent, or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoEarlyData {
    /// The client offered none.
    NotOffered,
    /// The server's configuration accepts none.
    SwitchedOff,
    /// The configuration accepts none for this server name.
    ServerName,
    /// The configuration accepts none for this application protocol.
    Protocol,
    /// The connection was not resumed.
    NotResumed,
    /// The key is not the first one offered (RFC 9846 section 4.3.10).
    NotFirst,
    /// A HelloRetryRequest was needed.
    Retried,
    /// The ticket does not permit it, or the key is an external one.
    NotPermitted,
    /// The cipher suite is not the ticket's.
    OtherSuite,
    /// The application protocol is not the ticket's.
    OtherProtocol,
    /// The ClientHello is older or newer than the window allows (RFC 9846 section 8.3).
    NotFresh,
    /// The first flight was seen before.
    Replayed,
    /// The replay guard cannot tell.
    Unknowable(Unknowable),
    /// Client: the server did not say why.
    Declined,
}

/// Why a replay guard cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unknowable {
    /// It has no room.
    Full,
    /// The ticket was issued before the guard's memory begins.
    BeforeMemory,
    /// The first flight would have to be remembered for longer than the guard can.
    TooLong,
    /// Its store did not answer in time.
    Late,
    /// Its store cannot be reached.
    Unreachable,
    /// Its store answered what it should not.
    Nonsense,
    /// Nobody guards.
    NoGuard,
}

impl NoEarlyData {
    /// A code for logs and statistics, in lower case with hyphens.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOffered => "not-offered",
            Self::SwitchedOff => "switched-off",
            Self::ServerName => "server-name",
            Self::Protocol => "protocol",
            Self::NotResumed => "not-resumed",
            Self::NotFirst => "not-first",
            Self::Retried => "retried",
            Self::NotPermitted => "not-permitted",
            Self::OtherSuite => "other-suite",
            Self::OtherProtocol => "other-protocol",
            Self::NotFresh => "not-fresh",
            Self::Replayed => "replayed",
            Self::Unknowable(Unknowable::Full) => "guard-full",
            Self::Unknowable(Unknowable::BeforeMemory) => "guard-before-memory",
            Self::Unknowable(Unknowable::TooLong) => "guard-too-long",
            Self::Unknowable(Unknowable::Late) => "guard-late",
            Self::Unknowable(Unknowable::Unreachable) => "guard-unreachable",
            Self::Unknowable(Unknowable::Nonsense) => "guard-nonsense",
            Self::Unknowable(Unknowable::NoGuard) => "no-guard",
            Self::Declined => "declined",
        }
    }

    /// Every reason, for statistics.
    pub const ALL: &'static [Self] = &[
        Self::NotOffered,
        Self::SwitchedOff,
        Self::ServerName,
        Self::Protocol,
        Self::NotResumed,
        Self::NotFirst,
        Self::Retried,
        Self::NotPermitted,
        Self::OtherSuite,
        Self::OtherProtocol,
        Self::NotFresh,
        Self::Replayed,
        Self::Unknowable(Unknowable::Full),
        Self::Unknowable(Unknowable::BeforeMemory),
        Self::Unknowable(Unknowable::TooLong),
        Self::Unknowable(Unknowable::Late),
        Self::Unknowable(Unknowable::Unreachable),
        Self::Unknowable(Unknowable::Nonsense),
        Self::Unknowable(Unknowable::NoGuard),
        Self::Declined,
    ];
}

impl fmt::Display for NoEarlyData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOffered => "no early data was offered",
            Self::SwitchedOff => "the server accepts no early data",
            Self::ServerName => "the server accepts no early data for this name",
            Self::Protocol => "the server accepts no early data for this application protocol",
            Self::NotResumed => "the connection was not resumed",
            Self::NotFirst => "the server chose another key than the first",
            Self::Retried => "a HelloRetryRequest was needed",
            Self::NotPermitted => "the ticket permits no early data",
            Self::OtherSuite => "the cipher suite is not the ticket's",
            Self::OtherProtocol => "the application protocol is not the ticket's",
            Self::NotFresh => "the first flight is too old or too new",
            Self::Replayed => "the first flight was seen before",
            Self::Unknowable(Unknowable::Full) => "the replay guard is full",
            Self::Unknowable(Unknowable::BeforeMemory) => {
                "the ticket is older than the replay guard's memory"
            }
            Self::Unknowable(Unknowable::TooLong) => "the replay guard cannot remember for so long",
            Self::Unknowable(Unknowable::Late) => "the replay guard's store did not answer in time",
            Self::Unknowable(Unknowable::Unreachable) => "the replay guard's store cannot be reached",
            Self::Unknowable(Unknowable::Nonsense) => "the replay guard's store answered nonsense",
            Self::Unknowable(Unknowable::NoGuard) => "no replay guard is there",
            Self::Declined => "the server declined early data",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn no_two_reasons_share_a_code() {
        let resumption: BTreeSet<_> = NotResumed::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(resumption.len(), NotResumed::ALL.len());
        let early: BTreeSet<_> = NoEarlyData::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(early.len(), NoEarlyData::ALL.len());
    }
}
