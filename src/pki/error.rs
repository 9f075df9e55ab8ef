//! Why a chain was refused: whose fault it is, what was offered, what was wanted, what would mend it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::KeyKind;
use super::parse::date;
use crate::alert::AlertCode;
use crate::codepoint::SignatureScheme;

/// Why a chain was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A certificate cannot be parsed, or breaks RFC 5280 in its form.
    Malformed(String),
    /// No root is trusted at all: our configuration is at fault.
    NoRoots,
    /// The leaf does not speak for the name that was wanted.
    WrongName {
        /// The name that was wanted.
        wanted: String,
        /// The names that the leaf has.
        presented: String,
    },
    /// A certificate of the path is not valid yet, or not any more.
    Time {
        /// The certificate's subject.
        subject: String,
        /// When it begins to be valid, in seconds since 1970.
        not_before: i64,
        /// When it was last valid, in seconds since 1970.
        not_after: i64,
        /// Our time.
        now: i64,
    },
    /// The certificate of this subject may not be used like this.
    Usage {
        /// The certificate's subject.
        subject: String,
        /// What stands against it.
        why: &'static str,
    },
    /// The signature on a certificate is not by the key of the issuer that it names.
    NotSignedBy {
        /// The certificate's subject.
        subject: String,
        /// The issuer's subject.
        issuer: String,
    },
    /// A certificate is signed with a hash that must not be trusted (RFC 9846 section 4.5.1.3).
    BrokenHash {
        /// The certificate's subject.
        subject: String,
        /// The hash.
        hash: &'static str,
    },
    /// A certificate demands something that is not evaluated, so it is refused.
    NotEvaluated {
        /// The certificate's subject.
        subject: String,
        /// What it demands.
        what: String,
    },
    /// No path leads to a trusted root.
    NoPath {
        /// The leaf's subject.
        subject: String,
        /// The issuer for which no certificate was found, or the last one tried.
        issuer: String,
        /// How many certificates came with the leaf.
        sent: usize,
        /// How many roots are trusted.
        roots: usize,
        /// Why each candidate was refused.
        rejected: Vec<Rejected>,
    },
    /// The search for a path was given up: the peer sent a maze.
    Budget(&'static str),
    /// The signature of CertificateVerify is not by the leaf's key.
    BadSignature,
    /// The scheme of CertificateVerify does not fit the leaf's key.
    SchemeMismatch {
        /// The scheme that was used.
        scheme: SignatureScheme,
        /// The leaf's key.
        key: KeyKind,
    },
}

/// A candidate for the path, and why it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its subject.
    pub subject: String,
    /// Why.
    pub why: Box<VerifyError>,
}

impl VerifyError {
    /// The alert that fits (RFC 9846 section 6.2).
    #[must_use]
    pub fn alert(&self) -> AlertCode {
        match self {
            Self::Malformed(_) | Self::WrongName { .. } => AlertCode::BAD_CERTIFICATE,
            Self::NoRoots => AlertCode::INTERNAL_ERROR,
            Self::Time { .. } => AlertCode::CERTIFICATE_EXPIRED,
            Self::Usage { .. } | Self::NotEvaluated { .. } => AlertCode::UNSUPPORTED_CERTIFICATE,
            // RFC 9846 section 4.5.1.3 names the alert for MD5 and SHA-1.
            Self::BrokenHash { .. } | Self::NotSignedBy { .. } => AlertCode::BAD_CERTIFICATE,
            // Where all candidates were refused alike, what stood against them is the reason.
            Self::NoPath { rejected, .. } => {
                let mut alerts = rejected.iter().map(|rejected| rejected.why.alert());
                match alerts.next() {
                    Some(first) if alerts.all(|alert| alert == first) => first,
                    _ => AlertCode::UNKNOWN_CA,
                }
            }
            Self::Budget(_) => AlertCode::CERTIFICATE_UNKNOWN,
            Self::BadSignature => AlertCode::DECRYPT_ERROR,
            Self::SchemeMismatch { .. } => AlertCode::ILLEGAL_PARAMETER,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "a certificate is malformed: {why}"),
            Self::NoRoots => f.write_str("no root certificate is trusted; name a CA file"),
            Self::WrongName { wanted, presented } => {
                write!(f, "the certificate is not for {wanted:?}; it is for: {presented}")
            }
            Self::Time { subject, not_before, not_after, now } => {
                time(f, subject, *not_before, *not_after, *now)
            }
            Self::Usage { subject, why } => write!(f, "the certificate \"{subject}\" {why}"),
            Self::NotSignedBy { subject, issuer } => write!(
                f,
                "the signature on \"{subject}\" is not by this \"{issuer}\"; another authority has the same name, \
                 or the certificate was changed"
            ),
            Self::BrokenHash { subject, hash } => write!(
                f,
                "the certificate \"{subject}\" has a signature by {hash}, which is broken; have it issued anew"
            ),
            Self::NotEvaluated { subject, what } => {
                write!(
                    f,
                    "the certificate \"{subject}\" demands {what}, which is not evaluated; it is refused"
                )
            }
            Self::NoPath { subject, issuer, sent, roots, rejected } => {
                write!(f, "no path leads from \"{subject}\" to a trusted root: ")?;
                if rejected.is_empty() {
                    write!(f, "its issuer \"{issuer}\" is neither among the {roots} trusted roots ")?;
                    write!(f, "nor among the {sent} certificates sent beside the leaf; ")?;
                    f.write_str("trust that issuer, or have the peer send the missing intermediate")
                } else {
                    for (position, Rejected { subject, why }) in rejected.iter().enumerate() {
                        let separator = if position == 0 { "" } else { "; " };
                        write!(f, "{separator}candidate \"{subject}\": {why}")?;
                    }
                    Ok(())
                }
            }
            Self::Budget(what) => write!(f, "the chain needs more {what} than are spent on one"),
            Self::BadSignature => f.write_str("the handshake's signature is not by the certificate's key"),
            Self::SchemeMismatch { scheme, key } => {
                write!(f, "the signature scheme {scheme} does not fit the certificate's key, {key}")
            }
        }
    }
}

impl core::error::Error for VerifyError {}

fn time(f: &mut fmt::Formatter<'_>, subject: &str, not_before: i64, not_after: i64, now: i64) -> fmt::Result {
    let (what, limit) = if now < not_before {
        ("is not valid before", not_before)
    } else {
        ("was valid only until", not_after)
    };
    write!(f, "the certificate \"{subject}\" {what} {}; our clock says {}", date(limit), date(now))?;
    write!(f, ", {} apart; renew the certificate, or set the clock", Span(now.abs_diff(limit)))
}

/// A number of seconds in the largest unit that it fills.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, unit) = match self.0 {
            0..120 => (self.0, "seconds"),
            120..7_200 => (self.0 / 60, "minutes"),
            7_200..172_800 => (self.0 / 3_600, "hours"),
            _ => (self.0 / 86_400, "days"),
        };
        write!(f, "{amount} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn candidates_refused_alike_give_their_alert_and_others_unknown_ca() {
        let rejected = |why| Rejected { subject: "CN=x".to_string(), why: Box::new(why) };
        let broken = || rejected(VerifyError::BrokenHash { subject: "CN=x".to_string(), hash: "MD5" });
        let no_path = |rejected| {
            let (subject, issuer) = ("CN=x".to_string(), "CN=y".to_string());
            VerifyError::NoPath { subject, issuer, sent: 0, roots: 2, rejected }.alert()
        };
        assert_eq!(no_path(Vec::new()), AlertCode::UNKNOWN_CA);
        assert_eq!(no_path(Vec::from([broken(), broken()])), AlertCode::BAD_CERTIFICATE);
        let other = rejected(VerifyError::Usage { subject: "CN=x".to_string(), why: "is no CA" });
        assert_eq!(no_path(Vec::from([broken(), other])), AlertCode::UNKNOWN_CA);
    }

    #[test]
    fn times_print_as_dates() {
        assert_eq!(date(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_868_799), "2000-02-29 23:59:59 UTC");
        assert_eq!(date(4_102_444_800), "2100-01-01 00:00:00 UTC");
        assert_eq!(date(-1), "1969-12-31 23:59:59 UTC");
        assert_eq!(Span(86_400 * 3).to_string(), "3 days");
    }
}
