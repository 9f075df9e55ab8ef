//! Why a chain was refused: whose fault it is, what was offered, what was wanted, what would mend it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::time::date;
use super::{KeyKind, Rule};
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
    /// A certificate breaks a rule of the profile.
    Rule {
        /// The certificate's subject.
        subject: String,
        /// The rule.
        rule: Rule,
    },
    /// A certificate's key is not relied on.
    Key {
        /// The certificate's subject.
        subject: String,
        /// Its key.
        key: KeyKind,
        /// What stands against it.
        why: &'static str,
    },
    /// A certificate has a name that an authority above it may not vouch for (RFC 5280 section 4.2.1.10).
    NotPermitted {
        /// The certificate's subject.
        subject: String,
        /// The authority's subject.
        authority: String,
        /// Which name, and what it is not within.
        why: String,
    },
    /// Every certificate in sight is out of its time in the same direction: rather the clock is wrong.
    Clock {
        /// How many certificates there are.
        certificates: usize,
        /// Our time, in seconds since 1970.
        now: i64,
        /// What is refused.
        why: Box<VerifyError>,
    },
    /// A certificate was revoked.
    Revoked {
        /// The certificate's subject.
        subject: String,
        /// Who says so: `CRL` or `OCSP`.
        source: &'static str,
        /// Since when, in seconds since 1970.
        since: i64,
        /// The reason by its number (RFC 5280 section 5.3.1), where one is given.
        reason: Option<u8>,
    },
    /// Whether a certificate was revoked cannot be told, and must be.
    RevocationUnknown {
        /// The certificate's subject.
        subject: String,
        /// Why not.
        why: String,
    },
    /// The OCSP response that came with a certificate is no good one, or none came and the certificate demands it (RFC
    /// 7633).
    BadStaple {
        /// The certificate's subject.
        subject: String,
        /// What stands against it.
        why: String,
    },
    /// The peer sent no certificate.
    NoCertificate,
    /// The raw public key is none that is trusted (RFC 7250).
    UnknownKey,
    /// Trust is by trust domain, and no bundle is there for the peer's.
    UnknownTrustDomain {
        /// The trust domain of the leaf; `None` where it has no SPIFFE ID, or several URIs.
        domain: Option<String>,
        /// The first few trust domains that there are bundles for.
        trusted: Vec<String>,
        /// For how many trust domains there are bundles.
        bundles: usize,
    },
    /// No path leads to a trusted root.
    NoPath(Box<NoPath>),
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

/// Why no path leads to a trusted root.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoPath {
    /// The leaf's subject.
    pub subject: String,
    /// Whether the leaf names itself as its issuer.
    pub self_signed: bool,
    /// The issuer for which no certificate was found, or the last one tried.
    pub issuer: String,
    /// The subject of the certificate that names this issuer: the leaf's, or that of an intermediate.
    pub below: String,
    /// Where the certificate below says that this issuer's is to be had.
    pub issuer_url: Option<String>,
    /// How many certificates came with the leaf.
    pub sent: usize,
    /// How many roots are trusted.
    pub roots: usize,
    /// Where the roots come from.
    pub store: Option<String>,
    /// Why each candidate was refused.
    pub rejected: Vec<Rejected>,
    /// Which of the certificates sent are malformed; they were passed over.
    pub skipped: Vec<Rejected>,
}

/// A candidate for the path, and why it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its subject, or its place where the subject cannot be read.
    pub subject: String,
    /// Why.
    pub why: Box<VerifyError>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\": {}", self.subject, self.why)
    }
}

impl Rejected {
    pub(super) fn new(subject: String, why: VerifyError) -> Self {
        Self { subject, why: Box::new(why) }
    }
}

impl VerifyError {
    /// The alert that fits (RFC 9846 section 6.2).
    //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
    //# If the receiver cannot construct an acceptable chain using the provided certificates and decides to
    //# abort the handshake, then it MUST abort the handshake with an appropriate certificate-related alert
    //# (by default, "unsupported_certificate"; see Section 6.2 for more information).
    #[must_use]
    pub fn alert(&self) -> AlertCode {
        match self {
            Self::Malformed(_) | Self::WrongName { .. } => AlertCode::BAD_CERTIFICATE,
            Self::NoRoots => AlertCode::INTERNAL_ERROR,
            Self::Time { .. } => AlertCode::CERTIFICATE_EXPIRED,
            Self::Usage { .. } | Self::NotEvaluated { .. } => AlertCode::UNSUPPORTED_CERTIFICATE,
            //= testvectors/requirements/rfc9846.txt#section-4.5.1.3
            //# Any endpoint receiving any certificate which it would need to validate using any signature
            //# algorithm using an MD5 hash MUST abort the handshake with a "bad_certificate" alert.
            // RFC 9846 section 4.5.1.3 names the alert for MD5 and SHA-1.
            Self::BrokenHash { .. } | Self::NotSignedBy { .. } => AlertCode::BAD_CERTIFICATE,
            Self::Key { .. } => AlertCode::UNSUPPORTED_CERTIFICATE,
            Self::NotPermitted { .. } => AlertCode::BAD_CERTIFICATE,
            Self::Rule { .. } | Self::RevocationUnknown { .. } => AlertCode::CERTIFICATE_UNKNOWN,
            Self::Revoked { .. } => AlertCode::CERTIFICATE_REVOKED,
            Self::BadStaple { .. } => AlertCode::BAD_CERTIFICATE_STATUS_RESPONSE,
            Self::NoCertificate => AlertCode::BAD_CERTIFICATE,
            Self::UnknownKey => AlertCode::CERTIFICATE_UNKNOWN,
            Self::UnknownTrustDomain { .. } => AlertCode::UNKNOWN_CA,
            Self::Clock { .. } => AlertCode::CERTIFICATE_EXPIRED,
            Self::NoPath(no_path) => no_path.alert(),
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
                write!(f, "the certificate is not for {wanted:?}; it is for: {presented}; ")?;
                f.write_str("ask for one of these, or have it issued for that name, too")
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
            Self::Rule { subject, rule } => {
                write!(f, "the certificate \"{subject}\" breaks a rule of the profile: {rule}; ")?;
                f.write_str("have it issued anew, or verify by a profile without that rule")
            }
            Self::Key { subject, key, why } => {
                write!(f, "the key of \"{subject}\", {key}, {why}; have it issued for another key")
            }
            Self::NotPermitted { subject, authority, why } => {
                write!(f, "\"{authority}\" may not vouch for \"{subject}\": {why}; ")?;
                f.write_str("have it issued by another authority, or for other names")
            }
            Self::Clock { certificates, now, why } => {
                write!(f, "the clock looks wrong, set it: it says {}, and all {certificates} ", date(*now))?;
                f.write_str("certificates are out of their time in the same direction; ")?;
                match &**why {
                    Self::Time { subject, not_before, not_after, now } => {
                        window(f, subject, *not_before, *not_after, *now)
                    }
                    why => write!(f, "{why}"),
                }
            }
            Self::Revoked { subject, source, since, reason } => {
                write!(
                    f,
                    "the certificate \"{subject}\" was revoked on {} according to {source}",
                    date(*since)
                )?;
                if let Some(reason) = reason {
                    write!(f, ", for the reason {}", Reason(*reason))?;
                }
                f.write_str("; it must be replaced, with another key")
            }
            Self::RevocationUnknown { subject, why } => {
                write!(f, "whether the certificate \"{subject}\" was revoked cannot be told: {why}; ")?;
                f.write_str("hand in a current CRL, have the peer staple a response, or let the policy pass it")
            }
            Self::BadStaple { subject, why } => {
                write!(f, "no good OCSP response came with the certificate \"{subject}\": {why}")
            }
            Self::NoCertificate => f.write_str("the peer sent no certificate"),
            Self::UnknownKey => f.write_str(
                "the peer's raw public key is none of those that are trusted; add it, if the peer is who you mean",
            ),
            Self::UnknownTrustDomain { domain, trusted, bundles } => {
                match domain {
                    Some(domain) => write!(f, "no bundle is there for the peer's trust domain {domain}")?,
                    None => f.write_str(
                        "the peer's certificate has no trust domain: it must have exactly one URI, a SPIFFE ID",
                    )?,
                }
                write!(f, "; {bundles} {} trusted", if *bundles == 1 { "domain is" } else { "domains are" })?;
                for (position, domain) in trusted.iter().enumerate() {
                    write!(f, "{}{domain}", if position == 0 { ": " } else { ", " })?;
                }
                f.write_str(if *bundles > trusted.len() { ", and others" } else { "" })?;
                f.write_str(if domain.is_some() { "; add its bundle, if its workloads may connect" } else { "" })
            }
            Self::NoPath(no_path) => write!(f, "{no_path}"),
            Self::Budget(what) => {
                write!(f, "the chain needs more {what} than are spent on one; have a plain one sent, or raise the budget")
            }
            Self::BadSignature => f.write_str(
                "the handshake's signature is not by the certificate's key; the peer must load the key that belongs to it",
            ),
            Self::SchemeMismatch { scheme, key } => {
                write!(f, "the signature scheme {scheme} does not fit the certificate's key, {key}")
            }
        }
    }
}

impl NoPath {
    fn alert(&self) -> AlertCode {
        let mut alerts = self.rejected.iter().map(|rejected| rejected.why.alert());
        if alerts.clone().any(|alert| alert == AlertCode::CERTIFICATE_REVOKED) {
            return AlertCode::CERTIFICATE_REVOKED;
        }
        // Where all candidates were refused alike, what stood against them is the reason.
        match alerts.next() {
            Some(first) if alerts.all(|alert| alert == first) => first,
            _ => AlertCode::UNKNOWN_CA,
        }
    }
}

impl fmt::Display for NoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, issuer, below, sent, .. } = self;
        write!(f, "no path leads from \"{subject}\" to a trusted root: ")?;
        for (position, Rejected { subject, why }) in self.rejected.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}candidate \"{subject}\": {why}")?;
        }
        let trusted = Trusted(self);
        if !self.rejected.is_empty() {
            write!(f, " (trusted: {trusted})")?;
        } else if self.self_signed && *sent == 0 {
            write!(f, "it is self-signed and not trusted (trusted: {trusted}); ")?;
            f.write_str("trust it by itself, or have an authority issue one")?;
        } else if issuer == below {
            write!(f, "what was sent ends with \"{below}\", which is its own issuer and is not trusted ")?;
            write!(
                f,
                "(trusted: {trusted}); trust it, or have the peer show a certificate by another authority"
            )?;
        } else {
            match (sent, subject == below) {
                (0, _) => write!(f, "the peer sent only its leaf; its issuer \"{issuer}\" was not sent ")?,
                (_, true) => write!(f, "its issuer \"{issuer}\" was not sent ")?,
                (_, false) => write!(f, "the issuer \"{issuer}\" of \"{below}\" was not sent ")?,
            }
            write!(
                f,
                "and is not trusted (trusted: {trusted}); trust that issuer, or have the peer send the "
            )?;
            f.write_str("missing intermediate")?;
            if let Some(url) = &self.issuer_url {
                write!(f, ", which is to be had at {url}")?;
            }
        }
        for Rejected { subject, why } in &self.skipped {
            write!(f, "; {subject} was passed over: {why}")?;
        }
        Ok(())
    }
}

/// How many roots there are, and where they come from, if it is known.
struct Trusted<'a>(&'a NoPath);

impl fmt::Display for Trusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoPath { roots, store, .. } = self.0;
        write!(f, "{roots} {}", if *roots == 1 { "root" } else { "roots" })?;
        store.as_ref().map_or(Ok(()), |store| write!(f, " of {store}"))
    }
}

/// Why a certificate was revoked, as RFC 5280 section 5.3.1 calls it, and its number.
struct Reason(u8);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "unspecified",
            1 => "keyCompromise",
            2 => "cACompromise",
            3 => "affiliationChanged",
            4 => "superseded",
            5 => "cessationOfOperation",
            6 => "certificateHold",
            8 => "removeFromCRL",
            9 => "privilegeWithdrawn",
            10 => "aACompromise",
            _ => "of an unknown kind",
        };
        write!(f, "{name} ({})", self.0)
    }
}

impl core::error::Error for VerifyError {}

fn time(f: &mut fmt::Formatter<'_>, subject: &str, not_before: i64, not_after: i64, now: i64) -> fmt::Result {
    window(f, subject, not_before, not_after, now)?;
    write!(f, "; our clock says {}; renew the certificate, or set the clock", date(now))
}

/// By how much a certificate is out of its time.
fn window(
    f: &mut fmt::Formatter<'_>,
    subject: &str,
    not_before: i64,
    not_after: i64,
    now: i64,
) -> fmt::Result {
    let (what, limit, direction) = if now < not_before {
        ("is not valid before", not_before, "from now")
    } else {
        ("was valid only until", not_after, "ago")
    };
    let span = Span(now.abs_diff(limit));
    write!(f, "the certificate \"{subject}\" {what} {}, {span} {direction}", date(limit))
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
    use alloc::format;
    use alloc::string::ToString;

    //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
    //= type=test
    //# If the receiver cannot construct an acceptable chain using the provided certificates and decides to
    //# abort the handshake, then it MUST abort the handshake with an appropriate certificate-related alert
    //# (by default, "unsupported_certificate"; see Section 6.2 for more information).
    #[test]
    fn candidates_refused_alike_give_their_alert_and_others_unknown_ca() {
        let rejected = |why| Rejected { subject: "CN=x".to_string(), why: Box::new(why) };
        let broken = || rejected(VerifyError::BrokenHash { subject: "CN=x".to_string(), hash: "MD5" });
        let no_path = |rejected| {
            let (subject, issuer) = ("CN=x".to_string(), "CN=y".to_string());
            let (issuer_url, store, skipped) = (None, None, Vec::new());
            let no_path = NoPath {
                below: subject.clone(),
                subject,
                self_signed: false,
                issuer,
                issuer_url,
                sent: 0,
                roots: 2,
                store,
                rejected,
                skipped,
            };
            VerifyError::NoPath(Box::new(no_path)).alert()
        };
        assert_eq!(no_path(Vec::new()), AlertCode::UNKNOWN_CA);
        assert_eq!(no_path(Vec::from([broken(), broken()])), AlertCode::BAD_CERTIFICATE);
        let other = rejected(VerifyError::Usage { subject: "CN=x".to_string(), why: "is no CA" });
        assert_eq!(no_path(Vec::from([broken(), other])), AlertCode::UNKNOWN_CA);
    }

    #[test]
    fn spans_print_in_their_largest_unit() {
        let spans = [
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (86_400 * 30, "30 days"),
        ];
        for (seconds, text) in spans {
            assert_eq!(Span(seconds).to_string(), text);
        }
    }

    #[test]
    fn reasons_for_a_revocation_have_the_names_of_rfc_5280() {
        let names = [
            "unspecified",
            "keyCompromise",
            "cACompromise",
            "affiliationChanged",
            "superseded",
            "cessationOfOperation",
            "certificateHold",
            "of an unknown kind",
            "removeFromCRL",
            "privilegeWithdrawn",
            "aACompromise",
            "of an unknown kind",
        ];
        for (number, name) in (0..).zip(names) {
            assert_eq!(Reason(number).to_string(), format!("{name} ({number})"));
        }
    }

    #[test]
    fn candidates_are_told_one_after_the_other_with_what_stood_against_them() {
        let why = |hash| VerifyError::BrokenHash { subject: "CN=x".to_string(), hash };
        let [one, two] = ["MD5", "SHA-1"].map(|hash| Rejected::new(format!("CN={hash}"), why(hash)));
        assert_eq!(one.to_string(), format!("\"CN=MD5\": {}", why("MD5")));
        let no_path = NoPath {
            subject: "CN=x".to_string(),
            below: "CN=x".to_string(),
            issuer: "CN=y".to_string(),
            issuer_url: None,
            self_signed: false,
            sent: 0,
            roots: 1,
            store: None,
            rejected: Vec::from([one.clone(), two.clone()]),
            skipped: Vec::new(),
        };
        let told = format!("to a trusted root: candidate {one}; candidate {two} (trusted: 1 root)");
        assert!(no_path.to_string().ends_with(&told), "{no_path}");
    }

    #[test]
    fn others_are_mentioned_only_where_there_are_more_trust_domains() {
        let told = |trusted: &[&str], bundles| {
            let trusted = trusted.iter().map(ToString::to_string).collect();
            VerifyError::UnknownTrustDomain { domain: None, trusted, bundles }.to_string()
        };
        assert!(told(&["a.test"], 1).ends_with("; 1 domain is trusted: a.test"));
        assert!(told(&["a.test", "b.test"], 2).ends_with("; 2 domains are trusted: a.test, b.test"));
        assert!(
            told(&["a.test", "b.test"], 3).ends_with("; 3 domains are trusted: a.test, b.test, and others")
        );
    }
}
