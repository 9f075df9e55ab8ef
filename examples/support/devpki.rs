//! A development PKI in memory: one certification authority, and leaves that it issues for given names.
//!
//! For trying things out, on this machine, today. Keys are never written anywhere unless the caller does.

#![allow(dead_code)] // no example uses everything

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon::codepoint::SignatureScheme;
use symbolon::config::Credential;
use symbolon::crypto::{Provider, Rng, SigningKey};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// How long development certificates are good for.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);

/// How far they reach back, for clocks that are behind.
const BACKDATE: Duration = Duration::from_secs(3_600);

/// A certification authority that lives as long as this value.
pub struct DevPki {
    provider: Provider,
    authority: Issuer<'static, Key>,
    root: CertificateDer<'static>,
}

impl DevPki {
    /// Makes an authority with a fresh ECDSA P-256 key.
    pub fn new(provider: &Provider) -> Fallible<Self> {
        let key = Key::generate(provider)?;
        let mut params = params(&key, "Symbolon development CA", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&key)?.der().clone();
        Ok(Self { provider: provider.clone(), authority: Issuer::new(params, key), root })
    }

    /// The authority's certificate, to be trusted.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// The authority's certificate in PEM, for `-CAfile` and `--ca`.
    pub fn ca_pem(&self) -> String {
        pem("CERTIFICATE", &self.root)
    }

    /// Issues a leaf with a fresh ECDSA P-256 key for DNS names and IP addresses.
    pub fn issue(&self, names: &[&str]) -> Fallible<Credential> {
        let key = Key::generate(&self.provider)?;
        let leaf = self.sign(&key, names)?;
        Ok(Credential::new(vec![leaf], key.signer)?)
    }

    /// The same as PEM, certificate and key, for other processes.
    pub fn issue_pem(&self, names: &[&str]) -> Fallible<(String, String)> {
        let key = Key::generate(&self.provider)?;
        Ok((pem("CERTIFICATE", &self.sign(&key, names)?), pem("PRIVATE KEY", &key.der)))
    }

    fn sign(&self, key: &Key, names: &[&str]) -> Fallible<CertificateDer<'static>> {
        let mut params = params(key, names.first().unwrap_or(&"leaf"), names)?;
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Ok(params.signed_by(key, &self.authority)?.der().clone())
    }
}

/// What the authority and its leaves have in common.
fn params(key: &Key, common_name: &str, names: &[&str]) -> Fallible<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let now = SystemTime::now();
    params.not_before = (now - BACKDATE).into();
    params.not_after = (now + LIFETIME).into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let mut serial = key.random::<16>()?;
    // RFC 5280 section 4.1.2.2: a positive number.
    serial[0] = serial[0] & 0x7F | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.random::<20>()?.to_vec());
    Ok(params)
}

/// One of this library's own keys, as rcgen wants keys to be.
struct Key {
    signer: Arc<dyn SigningKey>,
    /// PKCS#8; nothing wipes it here.
    der: Vec<u8>,
    rng: Arc<dyn Rng>,
}

impl Key {
    fn generate(provider: &Provider) -> Fallible<Self> {
        use p256::pkcs8::EncodePrivateKey;
        let mut bytes = [0; 32];
        let secret = loop {
            provider.rng.fill(&mut bytes)?;
            if let Ok(secret) = p256::SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        let der = secret.to_pkcs8_der()?;
        let signer = (provider.load_key)(&PrivateKeyDer::Pkcs8(der.as_bytes().into()))?;
        Ok(Self { signer, der: der.as_bytes().to_vec(), rng: Arc::clone(&provider.rng) })
    }

    fn random<const N: usize>(&self) -> Fallible<[u8; N]> {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl PublicKeyData for Key {
    /// The uncompressed point, which ends the `SubjectPublicKeyInfo`.
    fn der_bytes(&self) -> &[u8] {
        const POINT: usize = 65;
        let spki = self.signer.public_key();
        &spki[spki.len() - POINT..]
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

/// RFC 7468, for the one kind of section that is written here.
fn pem(label: &str, der: &[u8]) -> String {
    use p256::pkcs8::der::pem;
    pem::encode_string(label, pem::LineEnding::LF, der).unwrap_or_default()
}
