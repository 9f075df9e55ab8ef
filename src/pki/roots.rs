//! Trusted roots: whole certificates, found by their subject.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Certificate, Rejected, VerifyError, unix_time};

/// Trusted roots. However many there are, a verification looks only at those that a chain names.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    by_subject: BTreeMap<Vec<u8>, Vec<CertificateDer<'static>>>,
    len: usize,
    description: Option<String>,
}

impl Roots {
    /// Trusts `roots`, each of which must be well-formed; one that comes twice counts once.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Malformed`] for the first that cannot be parsed.
    pub fn new(roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self, VerifyError> {
        let mut all = Self::default();
        for root in roots {
            all.add(root)?;
        }
        Ok(all)
    }

    /// Trusts those of `roots` that are well-formed, and tells which are not: a system's store has all kinds.
    #[must_use]
    pub fn lenient(roots: impl IntoIterator<Item = CertificateDer<'static>>) -> (Self, Vec<Rejected>) {
        let mut all = Self::default();
        let mut rejected = Vec::new();
        for (position, root) in roots.into_iter().enumerate() {
            if let Err(why) = all.add(root) {
                let place = position.saturating_add(1);
                rejected.push(Rejected::new(alloc::format!("root certificate {place}"), why));
            }
        }
        (all, rejected)
    }

    fn add(&mut self, root: CertificateDer<'static>) -> Result<(), VerifyError> {
        let subject = Certificate::parse(&root)?.subject_der.to_vec();
        let same = self.by_subject.entry(subject).or_default();
        if !same.contains(&root) {
            same.push(root);
            self.len = self.len.saturating_add(1);
        }
        Ok(())
    }

    /// Says where they come from, for errors: `the system's roots in /etc/ssl/certs`.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Where they come from.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Each root's subject in the form of RFC 4514, and when it expires.
    pub fn expiries(&self) -> impl Iterator<Item = (String, UnixTime)> + '_ {
        self.iter()
            .filter_map(|der| Certificate::parse(der).ok())
            .map(|root| (root.subject(), unix_time(root.not_after)))
    }

    /// The roots as they are, by the order of their subjects' bytes.
    pub fn iter(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.by_subject.values().flatten()
    }

    /// Their subjects as DER distinguished names, each once: for certificate_authorities (RFC 9846 section 4.3.4).
    pub fn subjects(&self) -> impl Iterator<Item = &[u8]> {
        self.by_subject.keys().map(Vec::as_slice)
    }

    /// Whether a certificate is one of them, byte for byte.
    #[must_use]
    pub fn contains(&self, der: &CertificateDer<'_>) -> bool {
        Certificate::parse(der).is_ok_and(|certificate| self.has(&certificate))
    }

    /// The same for one that is parsed.
    pub(super) fn has(&self, certificate: &Certificate<'_>) -> bool {
        self.named(certificate.subject_der).iter().any(|root| **root == *certificate.der)
    }

    /// Those of this DER subject.
    pub(super) fn named(&self, subject_der: &[u8]) -> &[CertificateDer<'static>] {
        self.by_subject.get(subject_der).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> CertificateDer<'static> {
        CertificateDer::from_slice(include_bytes!("../../testvectors/pki/p256.der"))
    }

    #[test]
    fn a_root_that_comes_twice_counts_once() {
        let roots = Roots::new([leaf(), leaf()]).unwrap();
        assert_eq!((roots.len(), roots.iter().count(), roots.is_empty()), (1, 1, false));
        assert!(roots.contains(&leaf()));
        assert!(roots.expiries().all(|(subject, _)| subject.starts_with("CN=")));
    }

    #[test]
    fn malformed_roots_are_refused_or_told() {
        let bad = || CertificateDer::from_slice(&[0x30, 0]);
        assert!(matches!(Roots::new([leaf(), bad()]), Err(VerifyError::Malformed(_))));
        let (roots, rejected) = Roots::lenient([bad(), leaf()]);
        assert_eq!((roots.len(), rejected.len()), (1, 1));
        assert_eq!(rejected.first().map(|rejected| rejected.subject.as_str()), Some("root certificate 1"));
        assert!(!Roots::default().contains(&leaf()) && !roots.contains(&bad()));
    }
}
