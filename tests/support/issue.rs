//! Certification authorities made on the spot, with ECDSA P-256 keys, and what they issue.
#![allow(dead_code)] // no user needs everything

use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use symbolon::codepoint::SignatureScheme;
use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{Rng, SigningKey};

/// 2026-06-01: everything made here is valid throughout 2026.
pub fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_780_272_000))
}

/// An authority with its key and one certificate over it.
pub struct Authority {
    pub certificate: CertificateDer<'static>,
    pub name: String,
    pub issuer: Issuer<'static, Key>,
    pub key: Arc<Key>,
}

impl Authority {
    /// A self-signed root.
    pub fn root(name: &str) -> Self {
        let key = Arc::new(Key::generate());
        let params = authority(&key, name);
        let certificate = params.self_signed(&*key).unwrap().der().clone();
        Self::with(name, params, key, certificate)
    }

    /// An intermediate below this one, whose certificate `change` may alter.
    pub fn intermediate(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = Arc::new(Key::generate());
        let mut params = authority(&key, name);
        change(&mut params);
        let certificate = params.signed_by(&*key, &self.issuer).unwrap().der().clone();
        Self::with(name, params, key, certificate)
    }

    /// Another certificate for the name and key of `other`, by this one.
    pub fn cross(&self, other: &Self) -> CertificateDer<'static> {
        authority(&other.key, &other.name).signed_by(&*other.key, &self.issuer).unwrap().der().clone()
    }

    /// A leaf for DNS names, by this one.
    pub fn leaf(&self, names: &[String]) -> CertificateDer<'static> {
        let key = Key::generate();
        let mut params = params(&key, "leaf");
        let dns = |name: &String| SanType::DnsName(name.clone().try_into().unwrap());
        params.subject_alt_names = names.iter().map(dns).collect();
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.signed_by(&key, &self.issuer).unwrap().der().clone()
    }

    fn with(
        name: &str,
        params: CertificateParams,
        key: Arc<Key>,
        certificate: CertificateDer<'static>,
    ) -> Self {
        let issuer = Issuer::new(params, Key::clone(&key));
        Self { certificate, name: name.to_owned(), issuer, key }
    }
}

fn authority(key: &Key, name: &str) -> CertificateParams {
    let mut params = params(key, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Of a certificate for `key` that names it `name`.
pub fn params(key: &Key, name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    let mut serial = key.random::<16>();
    // RFC 5280 section 4.1.2.2: a positive number.
    serial[0] = serial[0] & 0x7F | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    // Of the key alone, so that every certificate over it has the same.
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.der_bytes()[1..21].to_vec());
    params
}

/// One of this library's own keys, as rcgen wants keys to be.
#[derive(Clone)]
pub struct Key {
    pub signer: Arc<dyn SigningKey>,
    pub rng: Arc<dyn Rng>,
}

impl Key {
    pub fn generate() -> Self {
        use p256::pkcs8::EncodePrivateKey;
        let provider = provider();
        let mut bytes = [0; 32];
        let secret = loop {
            provider.rng.fill(&mut bytes).unwrap();
            if let Ok(secret) = p256::SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        let der = secret.to_pkcs8_der().unwrap();
        let signer = (provider.load_key)(&PrivateKeyDer::Pkcs8(der.as_bytes().into())).unwrap();
        Self { signer, rng: provider.rng }
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes).unwrap();
        bytes
    }
}

impl PublicKeyData for Key {
    /// The uncompressed point, which ends the `SubjectPublicKeyInfo`.
    fn der_bytes(&self) -> &[u8] {
        let spki = self.signer.public_key();
        &spki[spki.len() - 65..]
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signer
            .sign(&*self.rng, SignatureScheme::ECDSA_SECP256R1_SHA256, message)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
