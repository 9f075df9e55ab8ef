//! How much a record may carry, and how it is padded (RFC 9846 sections 5.2, 5.4 and 5.5; RFC 8449).

use super::frame::MAX_CONTENT;

/// The most that a `TLSInnerPlaintext` may hold: content, content type and padding, in bytes.
///
/// RFC 8449 section 4: in TLS 1.3 the limit "includes the content type and any padding".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SizeLimit(usize);

impl SizeLimit {
    /// What applies without the extension: 2^14 bytes of content and the type.
    pub(crate) const STANDARD: Self = Self(MAX_CONTENT + 1);

    //= testvectors/requirements/rfc8449.txt#section-4
    //# A server MUST NOT enforce this restriction
    //= testvectors/requirements/rfc8449.txt#section-4
    //# Even if a larger record size limit is provided by a peer, an endpoint MUST NOT send records larger
    //# than the protocol-defined limit
    /// The value of a record_size_limit extension, at least 64; above the standard it changes nothing.
    pub(crate) fn negotiated(value: u16) -> Self {
        Self(usize::from(value).clamp(64, Self::STANDARD.0))
    }

    /// The limit that leaves room for this much content, in bytes; at most the standard.
    pub(crate) fn of_content(bytes: u16) -> Self {
        Self(usize::from(bytes).saturating_add(1).min(Self::STANDARD.0))
    }

    /// The limit in bytes.
    pub(crate) const fn inner(self) -> usize {
        self.0
    }

    /// The most content in one record, in bytes.
    pub(crate) const fn content(self) -> usize {
        self.0.saturating_sub(1)
    }
}

/// How application data records are padded (RFC 9846 section 5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Not at all.
    #[default]
    None,
    /// To the next multiple of this many bytes of content, type and padding, within the record size limit. 0 and 1
    /// pad nothing.
    Multiple(u16),
}

impl Padding {
    /// How many zero bytes follow `inner` bytes of content and type, so that the sum stays within `limit`.
    pub(super) fn amount(self, inner: usize, limit: SizeLimit) -> usize {
        let padded = match self {
            Self::None => inner,
            Self::Multiple(block) => inner.checked_next_multiple_of(usize::from(block)).unwrap_or(inner),
        };
        padded.min(limit.inner()).saturating_sub(inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_fills_to_a_multiple_within_the_limit() {
        let standard = SizeLimit::STANDARD;
        assert_eq!(Padding::None.amount(5, standard), 0);
        assert_eq!(Padding::Multiple(256).amount(5, standard), 251);
        assert_eq!(Padding::Multiple(256).amount(256, standard), 0);
        assert_eq!(Padding::Multiple(0).amount(5, standard), 0);
        assert_eq!(Padding::Multiple(256).amount(5, SizeLimit::negotiated(64)), 59);
        assert_eq!(Padding::Multiple(4096).amount(16_385, standard), 0);
    }

    #[test]
    fn a_larger_limit_than_the_standard_changes_nothing() {
        assert_eq!(SizeLimit::negotiated(u16::MAX), SizeLimit::STANDARD);
        assert_eq!(SizeLimit::negotiated(100).content(), 99);
    }
}
