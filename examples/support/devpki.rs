//! A development PKI: a root, an intermediate authority, and the leaves that it issues.
//!
//! For trying things out, on this machine, today. Keys are never written anywhere unless the caller does.

#![allow(dead_code)] // no example uses everything

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon::codepoint::SignatureScheme;
use symbolon::config::Credential;
use symbolon::crypto::{Provider, SigningKey};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// How long certificates are good for, unless told otherwise.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);

/// How far they reach back, for clocks that are behind.
const BACKDATE: Duration = Duration::from_secs(3_600);

/// RFC 5280 appendix A: `ub-common-name`.
pub const LONGEST_COMMON_NAME: usize = 64;

/// A root and an intermediate authority that live as long as this value.
pub struct DevPki {
    provider: Provider,
    root: Authority,
    intermediate: Authority,
}

impl DevPki {
    /// Makes authorities with fresh ECDSA P-256 keys.
    pub fn new(provider: &Provider) -> Fallible<Self> {
        Self::named(provider, "Symbolon development")
    }

    /// The same under another name, to tell several apart.
    pub fn named(provider: &Provider, name: &str) -> Fallible<Self> {
        let root =
            Authority::root(&format!("{name} root"), Validity::lasting(LIFETIME), Key::generate(provider)?)?;
        let key = Key::generate(provider)?;
        let intermediate =
            root.intermediate(&format!("{name} intermediate"), Validity::lasting(LIFETIME), key)?;
        Ok(Self { provider: provider.clone(), root, intermediate })
    }

    /// The root's certificate, to be trusted.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root.certificate
    }

    /// The root's certificate in PEM, for `-CAfile` and `--ca`.
    pub fn ca_pem(&self) -> String {
        certificate_pem(self.root())
    }

    /// Issues for DNS names and IP addresses, for servers and clients, with a fresh key.
    pub fn issue(&self, names: &[&str]) -> Fallible<Credential> {
        self.issue_leaf(&Leaf::named(names))
    }

    /// The same as PEM, chain and key, for other processes.
    pub fn issue_pem(&self, names: &[&str]) -> Fallible<(String, String)> {
        let key = Key::generate(&self.provider)?;
        let chain = self.chain(&Leaf::named(names), &key)?;
        Ok((chain.iter().map(certificate_pem).collect(), key.pem()))
    }

    /// Issues what is asked for, with a fresh key.
    pub fn issue_leaf(&self, leaf: &Leaf) -> Fallible<Credential> {
        let key = Key::generate(&self.provider)?;
        Ok(Credential::new(self.chain(leaf, &key)?, key.signer)?)
    }

    fn chain(&self, leaf: &Leaf, key: &Key) -> Fallible<Vec<CertificateDer<'static>>> {
        Ok(vec![self.intermediate.issue(leaf, key)?, self.intermediate.certificate.clone()])
    }
}

/// What a leaf is to be.
#[derive(Clone, Debug)]
pub struct Leaf {
    common_name: String,
    names: Vec<SanType>,
    purposes: Vec<ExtendedKeyUsagePurpose>,
    validity: Validity,
    malformed: Option<String>,
}

impl Leaf {
    /// For servers and clients of these DNS names and IP addresses, good for 30 days.
    pub fn named<N: AsRef<str>>(names: &[N]) -> Self {
        let common_name = names.first().map_or("leaf", AsRef::as_ref);
        names.iter().fold(Self::for_subject(common_name), |leaf, name| leaf.name(name.as_ref()))
    }

    /// For a workload with this SPIFFE ID, as server and as client.
    pub fn workload(id: &str) -> Self {
        Self::for_subject(id.rsplit('/').next().unwrap_or(id)).uri(id)
    }

    /// Without any name but that of its subject.
    pub fn for_subject(common_name: &str) -> Self {
        let short = common_name.chars().count() <= LONGEST_COMMON_NAME;
        Self {
            common_name: if short { common_name } else { "leaf" }.into(),
            names: Vec::new(),
            purposes: vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
            validity: Validity::lasting(LIFETIME),
            malformed: None,
        }
    }

    /// Adds a DNS name or an IP address.
    pub fn name(self, name: &str) -> Self {
        match name.parse::<IpAddr>() {
            Ok(address) => self.with(Ok(SanType::IpAddress(address)), name),
            Err(_) => self.with(name.try_into().map(SanType::DnsName), name),
        }
    }

    /// Adds a URI, such as a SPIFFE ID.
    pub fn uri(self, uri: &str) -> Self {
        self.with(uri.try_into().map(SanType::URI), uri)
    }

    /// Adds a mailbox.
    pub fn mailbox(self, mailbox: &str) -> Self {
        self.with(mailbox.try_into().map(SanType::Rfc822Name), mailbox)
    }

    /// For servers alone.
    pub fn server_only(mut self) -> Self {
        self.purposes = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self
    }

    /// For clients alone.
    pub fn client_only(mut self) -> Self {
        self.purposes = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self
    }

    /// When it is good.
    pub fn valid(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    fn with(mut self, name: Result<SanType, rcgen::Error>, text: &str) -> Self {
        match name {
            Ok(name) => self.names.push(name),
            Err(why) => self.malformed = Some(format!("{text:?} cannot stand in a certificate: {why}")),
        }
        self
    }
}

/// When a certificate is good, to the second.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    pub from: SystemTime,
    pub until: SystemTime,
}

impl Validity {
    /// From an hour ago, for clocks that are behind, until `lifetime` from now.
    pub fn lasting(lifetime: Duration) -> Self {
        Self::backdated(BACKDATE, lifetime)
    }

    /// From `backdate` ago until `lifetime` from now.
    pub fn backdated(backdate: Duration, lifetime: Duration) -> Self {
        let now = SystemTime::now();
        Self { from: now - backdate, until: now + lifetime }
    }

    /// Over since `ago`.
    pub fn expired(ago: Duration) -> Self {
        let now = SystemTime::now();
        Self { from: now - ago - BACKDATE, until: now - ago }
    }
}

/// A certification authority: its key, and the certificate for it.
pub struct Authority {
    issuer: Issuer<'static, Key>,
    pub certificate: CertificateDer<'static>,
}

impl Authority {
    /// Certifies itself; below it there may be one more authority.
    pub fn root(name: &str, validity: Validity, key: Key) -> Fallible<Self> {
        let params = authority_params(name, validity, 1, &key)?;
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Certifies an authority that may certify leaves alone.
    pub fn intermediate(&self, name: &str, validity: Validity, key: Key) -> Fallible<Self> {
        let mut params = authority_params(name, validity, 0, &key)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// One that was made here earlier, under this name; that the certificate says so is for the caller to check, by
    /// verifying what comes of it.
    pub fn again(name: &str, certificate: CertificateDer<'static>, key: Key) -> Fallible<Self> {
        // Of all this an issuer's name and key identifier count alone.
        let params = authority_params(name, Validity::lasting(LIFETIME), 0, &key)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Certifies `key` as what `leaf` says.
    pub fn issue(&self, leaf: &Leaf, key: &Key) -> Fallible<CertificateDer<'static>> {
        if let Some(why) = &leaf.malformed {
            return Err(why.clone().into());
        }
        let mut params = params(&leaf.common_name, leaf.validity, key)?;
        params.subject_alt_names.clone_from(&leaf.names);
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages.clone_from(&leaf.purposes);
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }
}

fn authority_params(name: &str, validity: Validity, below: u8, key: &Key) -> Fallible<CertificateParams> {
    let mut params = params(name, validity, key)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// What authorities and leaves have in common.
fn params(common_name: &str, validity: Validity, key: &Key) -> Fallible<CertificateParams> {
    let mut params = CertificateParams::default();
    params.not_before = validity.from.into();
    params.not_after = validity.until.into();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let mut serial = key.random::<16>()?;
    // RFC 5280 section 4.1.2.2: a positive number.
    serial[0] = serial[0] & 0x7F | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.identifier()?);
    Ok(params)
}

/// One of this library's own ECDSA P-256 keys, as rcgen wants keys to be.
pub struct Key {
    signer: Arc<dyn SigningKey>,
    /// In any of the encodings there are; nothing wipes it here.
    der: PrivateKeyDer<'static>,
    provider: Provider,
}

impl Key {
    pub fn generate(provider: &Provider) -> Fallible<Self> {
        use p256::pkcs8::EncodePrivateKey;
        let mut bytes = [0; 32];
        let secret = loop {
            provider.rng.fill(&mut bytes)?;
            if let Ok(secret) = p256::SecretKey::from_slice(&bytes) {
                break secret;
            }
        };
        Self::load(provider, PrivateKeyDer::Pkcs8(secret.to_pkcs8_der()?.as_bytes().to_vec().into()))
    }

    /// One that was made earlier.
    pub fn load(provider: &Provider, der: PrivateKeyDer<'static>) -> Fallible<Self> {
        let signer = (provider.load_key)(&der)?;
        if signer.schemes() != [SignatureScheme::ECDSA_SECP256R1_SHA256] {
            return Err("this is no ECDSA P-256 key, and only such keys sign certificates here".into());
        }
        Ok(Self { signer, der, provider: provider.clone() })
    }

    /// The DER `SubjectPublicKeyInfo`.
    pub fn spki(&self) -> &[u8] {
        self.signer.public_key()
    }

    pub fn pem(&self) -> String {
        let label = match &self.der {
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        pem(label, self.der.secret_der())
    }

    fn random<const N: usize>(&self) -> Fallible<[u8; N]> {
        let mut bytes = [0; N];
        self.provider.rng.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The first of the methods of RFC 7093 section 2: the same for the same key.
    fn identifier(&self) -> Fallible<Vec<u8>> {
        Ok(sha256(&self.provider, self.der_bytes())?[..20].to_vec())
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
            .sign(&*self.provider.rng, SignatureScheme::ECDSA_SECP256R1_SHA256, message)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// SHA-256, which the provider has for its cipher suites.
pub fn sha256(provider: &Provider, bytes: &[u8]) -> Fallible<[u8; 32]> {
    let suite = provider.suites.iter().find(|suite| suite.hash.output_len() == 32);
    let hash = suite.ok_or("the provider has no suite with SHA-256")?.hash;
    Ok(hash.hash(&[bytes]).as_ref().try_into()?)
}

/// A certificate as PEM.
pub fn certificate_pem(certificate: &CertificateDer<'static>) -> String {
    pem("CERTIFICATE", certificate)
}

/// RFC 7468, for the kinds of sections that are written here.
fn pem(label: &str, der: &[u8]) -> String {
    use p256::pkcs8::der::pem;
    pem::encode_string(label, pem::LineEnding::LF, der).unwrap_or_default()
}
