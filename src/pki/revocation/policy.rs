//! What a want of information about revocation means.

use alloc::string::String;
use core::fmt;

/// What follows where it cannot be told whether a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The certificate is refused.
    HardFail,
    /// The certificate passes, and a [`RevocationNote`] says so.
    SoftFail,
}

/// Which certificates of a path need information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The leaf. The others are refused only where a source says that they were revoked.
    LeafOnly,
    /// All but the root, for which nobody vouches.
    WholeChain,
}

/// What a want of information means. A certificate of which a source says that it was revoked is refused by any policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationPolicy {
    /// There is no information: no list of the certificate's issuer, no response, or none that can be relied on.
    pub missing: OnFailure,
    /// There is information, and the time until which it was meant to be used is over.
    pub stale: OnFailure,
    /// A source should have information, and it could not be asked.
    pub unreachable: OnFailure,
    /// Which certificates need information.
    pub extent: Extent,
}

impl RevocationPolicy {
    /// Refuses whenever information is wanting, for every certificate of the path.
    #[must_use]
    pub const fn hard_fail() -> Self {
        let fail = OnFailure::HardFail;
        Self { missing: fail, stale: fail, unreachable: fail, extent: Extent::WholeChain }
    }

    /// Refuses only what a source says was revoked.
    #[must_use]
    pub const fn soft_fail() -> Self {
        let pass = OnFailure::SoftFail;
        Self { missing: pass, stale: pass, unreachable: pass, extent: Extent::WholeChain }
    }
}

impl Default for RevocationPolicy {
    /// [`RevocationPolicy::hard_fail`]: who names a source wants it to count.
    fn default() -> Self {
        Self::hard_fail()
    }
}

/// A certificate passed although it could not be told whether it was revoked: the policy lets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationNote {
    /// The certificate's subject, in the form of RFC 4514.
    pub subject: String,
    /// Why it could not be told.
    pub why: String,
}

impl fmt::Display for RevocationNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" passed unchecked: {}", self.subject, self.why)
    }
}

/// Why a CRL or an OCSP response is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationError {
    /// It cannot be parsed, or breaks RFC 5280 or RFC 6960 in its form.
    Malformed(&'static str),
    /// It demands something that is not evaluated, so that it could be misread.
    NotEvaluated(String),
    /// A CRL is older than the one that it would replace.
    CrlRollback {
        /// The issuer of both, in the form of RFC 4514.
        issuer: String,
        /// The number, or the time where one has no number, of the one that there is.
        had: String,
        /// The same of the one that was offered.
        offered: String,
    },
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "it is malformed: {why}"),
            Self::NotEvaluated(what) => write!(f, "it is not taken, for {what} is not evaluated"),
            Self::CrlRollback { issuer, had, offered } => write!(
                f,
                "the CRL of \"{issuer}\" is older than the one in use: {offered} after {had}; fetch the newer one"
            ),
        }
    }
}

impl core::error::Error for RevocationError {}
