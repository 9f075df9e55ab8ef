//! Which types of certificates a side accepts or presents (RFC 7250).

use alloc::vec::Vec;

use super::ConfigError;
use crate::codepoint::CertificateType;

/// Types, most preferred first: at least one, each once, and none but X.509 certificates and raw public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateTypes(Vec<CertificateType>);

impl Default for CertificateTypes {
    /// RFC 9846 section 4.5.1.2: "The certificate type MUST be X.509v3 [RFC5280], unless explicitly negotiated
    /// otherwise".
    fn default() -> Self {
        Self(Vec::from([CertificateType::X509]))
    }
}

impl CertificateTypes {
    //= testvectors/requirements/rfc9846.txt#section-4.5.1
    //# The OpenPGP certificate type [RFC6091] MUST NOT be used with TLS 1.3.
    pub(super) fn checked(types: Vec<CertificateType>) -> Result<Self, ConfigError> {
        //= testvectors/requirements/rfc7250.txt#section-4.1
        //# The TLS client MUST omit certificate types from the server_certificate_type extension in the
        //# client hello if it is unable to process the corresponding raw public key or other certificate
        //# type.
        let known = |kind| matches!(kind, CertificateType::X509 | CertificateType::RAW_PUBLIC_KEY);
        let repeated = |(position, kind)| types.iter().take(position).any(|earlier| *earlier == kind);
        let each = || types.iter().copied();
        if types.is_empty() || !each().all(known) || each().enumerate().any(repeated) {
            return Err(ConfigError::CertificateTypes);
        }
        Ok(Self(types))
    }

    /// The types, most preferred first.
    pub(crate) fn as_slice(&self) -> &[CertificateType] {
        &self.0
    }

    pub(crate) fn contains(&self, kind: CertificateType) -> bool {
        self.0.contains(&kind)
    }

    //= testvectors/requirements/rfc7250.txt#section-4.1
    //# If the client has no remaining certificate types to send in the client hello, other than the default
    //# X.509 type, it MUST omit the client_certificate_type extension in the client hello.
    //= testvectors/requirements/rfc7250.txt#section-4.1
    //# If the client has no remaining certificate types to send in the client hello, other than the default
    //# X.509 certificate type, it MUST omit the entire server_certificate_type extension from the client
    //# hello.
    /// What a ClientHello says; `None` for nothing at all.
    pub(crate) fn to_offer(&self) -> Option<&[CertificateType]> {
        (self.0 != [CertificateType::X509]).then_some(&self.0)
    }

    /// Which types there are, whatever their order; `None` for X.509 alone.
    pub(super) fn canonical(&self) -> Option<Vec<u8>> {
        self.to_offer().map(|types| {
            let mut types: Vec<u8> = types.iter().map(|kind| kind.0).collect();
            types.sort_unstable();
            types
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X509: CertificateType = CertificateType::X509;
    const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;

    fn checked(types: &[CertificateType]) -> Result<CertificateTypes, ConfigError> {
        CertificateTypes::checked(types.to_vec())
    }

    //= testvectors/requirements/rfc9846.txt#section-4.5.1
    //= type=test
    //# The OpenPGP certificate type [RFC6091] MUST NOT be used with TLS 1.3.
    #[test]
    fn no_type_a_repeated_one_and_an_unknown_one_are_refused() {
        for wrong in
            [&[][..], &[RAW, RAW], &[X509, RAW, X509], &[CertificateType(1)], &[RAW, CertificateType(3)]]
        {
            assert_eq!(checked(wrong), Err(ConfigError::CertificateTypes), "{wrong:?}");
        }
    }

    #[test]
    fn x509_alone_is_not_offered() {
        assert_eq!(CertificateTypes::default().to_offer(), None);
        assert_eq!(checked(&[X509]).unwrap().to_offer(), None);
        for offered in [&[RAW][..], &[RAW, X509], &[X509, RAW]] {
            assert_eq!(checked(offered).unwrap().to_offer(), Some(offered));
        }
    }

    #[test]
    fn the_order_of_types_is_not_canonical() {
        assert_eq!(checked(&[RAW, X509]).unwrap().canonical(), checked(&[X509, RAW]).unwrap().canonical());
        assert_ne!(checked(&[RAW]).unwrap().canonical(), checked(&[X509, RAW]).unwrap().canonical());
        assert_eq!(CertificateTypes::default().canonical(), None);
    }
}
