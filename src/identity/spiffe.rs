//! SPIFFE IDs (the SPIFFE ID specification, sections 2.1 to 2.4): `spiffe://trust-domain/path`.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

/// Why a text is no SPIFFE ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSpiffe {
    /// It does not begin with `spiffe://`.
    Scheme,
    /// The trust domain is empty, longer than 255 bytes, or not of lower-case letters, digits, dots, dashes and
    /// underscores.
    TrustDomain,
    /// A segment of the path is empty, a dot or two, or not of letters, digits, dots, dashes and underscores.
    Path,
    /// It is longer than 2,048 bytes.
    Long,
}

impl fmt::Display for NotSpiffe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "a SPIFFE ID begins with spiffe://",
            Self::TrustDomain => {
                "the trust domain of a SPIFFE ID has 1 to 255 lower-case letters, digits, dots, dashes and underscores"
            }
            Self::Path => {
                "each segment of a SPIFFE ID's path has letters, digits, dots, dashes and underscores, and is no dot"
            }
            Self::Long => "a SPIFFE ID has at most 2,048 bytes",
        })
    }
}

impl core::error::Error for NotSpiffe {}

/// The name of a trust domain, such as `prod.example`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustDomain(String);

impl TrustDomain {
    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrustDomain {
    type Err = NotSpiffe;

    /// Reads `prod.example`, without a scheme.
    fn from_str(name: &str) -> Result<Self, NotSpiffe> {
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        match name.len() {
            1..=255 if name.bytes().all(legal) => Ok(Self(name.to_string())),
            _ => Err(NotSpiffe::TrustDomain),
        }
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SPIFFE ID: who a workload is, within a trust domain.
///
/// ```
/// let id: symbolon::identity::SpiffeId = "spiffe://prod.example/billing/api".parse()?;
/// assert_eq!((id.trust_domain().as_str(), id.path()), ("prod.example", "/billing/api"));
/// # Ok::<(), symbolon::identity::NotSpiffe>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    trust_domain: TrustDomain,
    /// Empty, or segments each led by a slash.
    path: String,
}

const SCHEME: &str = "spiffe://";

impl SpiffeId {
    /// The trust domain that it belongs to.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The path with its leading slash; empty for the ID of a trust domain itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for SpiffeId {
    type Err = NotSpiffe;

    fn from_str(uri: &str) -> Result<Self, NotSpiffe> {
        if uri.len() > 2048 {
            return Err(NotSpiffe::Long);
        }
        let rest = uri.strip_prefix(SCHEME).ok_or(NotSpiffe::Scheme)?;
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let trust_domain = domain.parse()?;
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        let segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(legal);
        match path.strip_prefix('/') {
            Some(segments) if !segments.split('/').all(segment) => Err(NotSpiffe::Path),
            _ => Ok(Self { trust_domain, path: path.to_string() }),
        }
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}{}", self.trust_domain, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_ids_are_read_as_they_are_printed() {
        for text in ["spiffe://a", "spiffe://prod.example/a/b", "spiffe://x_1-y.z/A.b-c_d/..."] {
            assert_eq!(text.parse::<SpiffeId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_the_specification_forbids_is_refused() {
        for (text, why) in [
            ("http://a/b", NotSpiffe::Scheme),
            ("SPIFFE://a/b", NotSpiffe::Scheme),
            ("spiffe:/a", NotSpiffe::Scheme),
            ("spiffe://", NotSpiffe::TrustDomain),
            ("spiffe:///a", NotSpiffe::TrustDomain),
            ("spiffe://Prod/a", NotSpiffe::TrustDomain),
            ("spiffe://a:80/b", NotSpiffe::TrustDomain),
            ("spiffe://user@a/b", NotSpiffe::TrustDomain),
            ("spiffe://a?q", NotSpiffe::TrustDomain),
            ("spiffe://a/", NotSpiffe::Path),
            ("spiffe://a/b/", NotSpiffe::Path),
            ("spiffe://a//b", NotSpiffe::Path),
            ("spiffe://a/./b", NotSpiffe::Path),
            ("spiffe://a/b/..", NotSpiffe::Path),
            ("spiffe://a/b?q", NotSpiffe::Path),
            ("spiffe://a/b#f", NotSpiffe::Path),
            ("spiffe://a/%41", NotSpiffe::Path),
            ("spiffe://a/é", NotSpiffe::Path),
        ] {
            assert_eq!(text.parse::<SpiffeId>(), Err(why), "{text}");
        }
        assert_eq!(
            alloc::format!("spiffe://{}/a", "a".repeat(256)).parse::<SpiffeId>(),
            Err(NotSpiffe::TrustDomain)
        );
        assert_eq!(
            alloc::format!("spiffe://a/{}", "a".repeat(2048)).parse::<SpiffeId>(),
            Err(NotSpiffe::Long)
        );
    }
}
