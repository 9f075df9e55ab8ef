//! What makes two configurations the same in the eyes of a ticket or a cookie.

use alloc::vec::Vec;

use super::{CertificateTypes, ClientAuth, PskKe};
use crate::codepoint::PskKeyExchangeMode;
use crate::crypto::{Digest, Hash};

/// The hash of a canonical encoding; tickets and cookies of another fingerprint are refused.
pub(crate) type Fingerprint = Digest;

/// The version of the encoding below; a change of it invalidates every ticket.
const VERSION: u8 = 2;

/// Hashes the virtual host, the mode of client authentication, the PSK modes, the verification policy and, unless they
/// are X.509 alone, the types of certificates that clients may have.
///
/// Credential, staple, ALPN order and ticket count are left out on purpose: a rotated certificate keeps its tickets.
pub(super) fn of_server(
    hash: &dyn Hash,
    (client_auth, client_types): (&ClientAuth, &CertificateTypes),
    psk_ke: PskKe,
    virtual_host: &[u8],
    verification_policy: &[u8],
) -> Fingerprint {
    let mode = match client_auth {
        ClientAuth::Off => 0,
        ClientAuth::Optional { .. } => 1,
        ClientAuth::Required { .. } => 2,
        ClientAuth::Migrating { .. } => 3,
    };
    let fields: [&[u8]; 4] = [&[mode], modes(psk_ke), virtual_host, verification_policy];
    let types = client_types.canonical();
    hash.hash(&[&encoded(fields.into_iter().chain(types.as_deref()))])
}

/// Hashes the PSK modes, the application protocols and the verification policy of a client and, unless both are X.509
/// alone, the types of certificates of servers and of its own.
pub(super) fn of_client(
    hash: &dyn Hash,
    psk_ke: PskKe,
    alpn: &[Vec<u8>],
    verification_policy: &[u8],
    types: [&CertificateTypes; 2],
) -> [u8; 32] {
    let protocols = encoded(alpn.iter().map(Vec::as_slice));
    let fields: [&[u8]; 4] = [b"client", modes(psk_ke), &protocols, verification_policy];
    let types = types.map(CertificateTypes::canonical);
    let types = if types.iter().any(Option::is_some) {
        types.map(Option::unwrap_or_default).to_vec()
    } else {
        Vec::new()
    };
    let digest = hash.hash(&[&encoded(fields.into_iter().chain(types.iter().map(Vec::as_slice)))]);
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

fn modes(psk_ke: PskKe) -> &'static [u8] {
    match psk_ke {
        PskKe::Refused => &[PskKeyExchangeMode::PSK_DHE_KE.0],
        PskKe::Permitted => &[PskKeyExchangeMode::PSK_DHE_KE.0, PskKeyExchangeMode::PSK_KE.0],
    }
}

/// Fields behind their lengths, which have a fixed width: no two lists have one encoding.
fn encoded<'a>(fields: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut encoded = Vec::from([VERSION]);
    for field in fields {
        encoded.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        encoded.extend_from_slice(field);
    }
    encoded
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::codepoint::CertificateType;
    use crate::config::{ClientConfig, ClientConfigBuilder, ServerConfig, ServerConfigBuilder};
    use crate::crypto::rustcrypto::provider;
    use alloc::collections::BTreeSet;

    const X509: CertificateType = CertificateType::X509;
    const RAW: CertificateType = CertificateType::RAW_PUBLIC_KEY;

    fn client(change: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder) -> Vec<u8> {
        change(ClientConfig::builder(provider())).build().unwrap().fingerprint().to_vec()
    }

    fn server(change: impl FnOnce(ServerConfigBuilder) -> ServerConfigBuilder) -> Vec<u8> {
        change(ServerConfig::builder(provider())).build().unwrap().fingerprint().to_vec()
    }

    #[test]
    fn types_of_certificates_tell_configurations_apart() {
        let clients: BTreeSet<_> = [&[X509][..], &[RAW], &[X509, RAW]]
            .into_iter()
            .flat_map(|types| {
                [
                    client(|b| b.server_certificate_types(types.to_vec())),
                    client(|b| b.client_certificate_types(types.to_vec())),
                ]
            })
            .collect();
        // X.509 alone is the same as no setting, both ways.
        assert_eq!(clients.len(), 5);
        assert!(clients.contains(&client(|b| b)));
        let servers: BTreeSet<_> = [&[X509][..], &[RAW], &[X509, RAW], &[RAW, X509]]
            .map(|types| server(|b| b.client_certificate_types(types.to_vec())))
            .into();
        assert_eq!(servers.len(), 3);
        assert!(servers.contains(&server(|b| b)));
    }

    #[test]
    fn without_raw_public_keys_the_fingerprint_is_that_of_the_four_fields() {
        let hash = provider().suites[0].hash;
        let expected = hash.hash(&[&encoded([b"client" as &[u8], &[1], &[VERSION], b""])]);
        assert_eq!(client(|b| b), expected.as_ref()[..32]);
        assert_eq!(server(|b| b), hash.hash(&[&encoded([&[0][..], &[1], b"", b""])]).as_ref());
    }
}
