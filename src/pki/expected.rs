//! Who a leaf must speak for (RFC 9525, RFC 5280 section 4.2.1.6, X.509-SVID), by its alternative names alone.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use rustls_pki_types::ServerName;

use super::names::{self, GeneralName};
use super::{Authority, Certificate, VerifyError};
use crate::identity::{SpiffeId, TrustDomain};

/// Who a leaf must speak for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expected {
    /// Anyone whom the roots vouch for.
    Anyone,
    /// A DNS name or an IP address.
    Name(ServerName<'static>),
    /// The workload of this SPIFFE ID.
    Spiffe(SpiffeId),
    /// Any workload of this trust domain.
    TrustDomain(TrustDomain),
    /// A URI, to the letter.
    Uri(String),
    /// A mailbox.
    Email(String),
    /// Any of these; nobody, where there is none.
    AnyOf(Vec<Expected>),
}

/// Which of the expected ones a leaf speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matched {
    /// Nobody in particular was expected.
    Anyone,
    /// This DNS name, as it was expected.
    Dns(String),
    /// This IP address.
    Ip(IpAddr),
    /// The workload of this SPIFFE ID.
    Spiffe(SpiffeId),
    /// This URI.
    Uri(String),
    /// This mailbox, as it was expected.
    Email(String),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Name(name) => f.write_str(&name.to_str()),
            Self::Spiffe(id) => write!(f, "{id}"),
            Self::TrustDomain(domain) => write!(f, "any workload of spiffe://{domain}"),
            Self::Uri(uri) => write!(f, "{}", uri.escape_debug()),
            Self::Email(mailbox) => write!(f, "{}", mailbox.escape_debug()),
            Self::AnyOf(all) => {
                for (position, one) in all.iter().enumerate() {
                    f.write_str(if position == 0 { "" } else { " or " })?;
                    write!(f, "{one}")?;
                }
                f.write_str(if all.is_empty() { "nobody" } else { "" })
            }
        }
    }
}

impl Expected {
    /// Which of them `leaf` speaks for.
    pub(super) fn find(&self, leaf: &Certificate<'_>) -> Result<Matched, VerifyError> {
        let mut broken = None;
        if let Some(matched) = self.within(leaf, &mut broken) {
            return Ok(matched);
        }
        Err(match broken {
            Some(why) => VerifyError::Usage { subject: leaf.subject(), why },
            None => VerifyError::WrongName {
                wanted: self.to_string(),
                presented: names::listed(&leaf.subject_names),
            },
        })
    }

    /// A leaf that has the SPIFFE ID and breaks the rules for it is told apart by `broken`.
    fn within(&self, leaf: &Certificate<'_>, broken: &mut Option<&'static str>) -> Option<Matched> {
        let names = &leaf.subject_names;
        match self {
            // What claims to be a SPIFFE ID must be one, or the certificate is nobody's.
            Self::Anyone => match uris(names).any(claims_spiffe) {
                true => svid(leaf, |_| true, broken).or_else(|| {
                    broken.get_or_insert("has a URI with the scheme of SPIFFE IDs that is none");
                    None
                }),
                false => Some(Matched::Anyone),
            },
            Self::Name(name) => names::matches(names, name).then(|| match name {
                ServerName::IpAddress(address) => Matched::Ip((*address).into()),
                other => Matched::Dns(other.to_str().into_owned()),
            }),
            Self::Spiffe(id) => svid(leaf, |found| found == id, broken),
            Self::TrustDomain(domain) => svid(leaf, |found| found.trust_domain() == domain, broken),
            Self::Uri(uri) => uris(names)
                .any(|presented| names::uri_matches(presented, uri))
                .then(|| Matched::Uri(uri.clone())),
            Self::Email(mailbox) => names
                .iter()
                .any(|name| matches!(name, GeneralName::Email(name) if names::email_matches(name, mailbox)))
                .then(|| Matched::Email(mailbox.clone())),
            Self::AnyOf(all) => all.iter().find_map(|one| one.within(leaf, broken)),
        }
    }
}

fn uris<'a>(names: &[GeneralName<'a>]) -> impl Iterator<Item = &'a [u8]> {
    names.iter().filter_map(|name| match name {
        GeneralName::Uri(uri) => Some(*uri),
        _ => None,
    })
}

/// Whether a URI has the scheme of SPIFFE IDs, well-formed or not; schemes know no case (RFC 3986 section 3.1).
fn claims_spiffe(uri: &[u8]) -> bool {
    uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"spiffe:"))
}

/// The leaf's SPIFFE ID, where it is wanted and the leaf is an X.509-SVID (sections 2 to 5 of that specification).
fn svid(
    leaf: &Certificate<'_>,
    wanted: impl Fn(&SpiffeId) -> bool,
    broken: &mut Option<&'static str>,
) -> Option<Matched> {
    let ids = uris(&leaf.subject_names).filter_map(|uri| core::str::from_utf8(uri).ok()?.parse().ok());
    let id = ids.into_iter().find(|id| wanted(id))?;
    let usage = leaf.key_usage;
    let why = if uris(&leaf.subject_names).count() != 1 {
        "is no X.509-SVID: it must have exactly one URI among its alternative names"
    } else if id.path().is_empty() {
        "is no X.509-SVID of a workload: its SPIFFE ID has no path"
    } else if matches!(leaf.authority, Authority::Yes { .. }) {
        "is no X.509-SVID of a workload: it is a certification authority"
    } else if usage.is_none_or(|usage| !usage.digital_signature) {
        "is no X.509-SVID: its key usage must have digitalSignature"
    } else if usage.is_some_and(|usage| usage.key_cert_sign || usage.crl_sign) {
        "is no X.509-SVID of a workload: its key usage has keyCertSign or cRLSign"
    } else {
        return Some(Matched::Spiffe(id));
    };
    *broken = Some(why);
    None
}

impl From<ServerName<'_>> for Expected {
    fn from(name: ServerName<'_>) -> Self {
        Self::Name(name.to_owned())
    }
}
