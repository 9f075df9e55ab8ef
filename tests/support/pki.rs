//! What an authority does all day: leaves with their keys, CRLs and OCSP responses, by a clock that can be set.
#![allow(dead_code)] // no test uses everything

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rcgen::{
    CertificateParams, CertificateRevocationListParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData, RevocationReason, RevokedCertParams, SanType, SerialNumber,
    SigningKey,
};
use rustls_pki_types::UnixTime;
use symbolon::config::Credential;
use symbolon::crypto::rustcrypto::provider;
use symbolon::pki::Crl;
use symbolon::policy::Clock;

use super::issue::{Authority, Key, now, params};

pub const HOUR: u64 = 3_600;
pub const DAY: u64 = 24 * HOUR;

/// A clock that goes only when it is set. Clones are the same clock.
#[derive(Clone)]
pub struct Dial(Arc<AtomicU64>);

impl Dial {
    /// At the time for which certificates are made.
    pub fn right() -> Self {
        Self(Arc::new(AtomicU64::new(now().as_secs())))
    }

    /// Sets it `seconds` after that time, or before it.
    pub fn set(&self, seconds: i64) {
        self.0.store(now().as_secs().saturating_add_signed(seconds), Ordering::SeqCst);
    }
}

impl Clock for Dial {
    fn now(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::SeqCst)))
    }
}

/// A leaf with its key, and its serial number.
#[derive(Clone)]
pub struct Issued {
    pub credential: Credential,
    pub serial: Vec<u8>,
}

impl Issued {
    /// The leaf without what it came with.
    pub fn alone(&self) -> Credential {
        let leaf = self.credential.chain()[..1].to_vec();
        Credential::new(leaf, self.credential.key().unwrap().clone()).unwrap()
    }
}

/// A leaf for servers and clients by `ca`, which follows it. The first name is its common name, too; one with a scheme is
/// a URI.
pub fn issue(ca: &Authority, names: &[&str]) -> Issued {
    issue_with(ca, names, |_| {})
}

/// The same, with a certificate that `change` may alter.
pub fn issue_with(ca: &Authority, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
    let key = Key::generate();
    let params = leaf(&key, names, change);
    let certificate = params.signed_by(&key, &ca.issuer).unwrap().der().clone();
    let chain = vec![certificate, ca.certificate.clone()];
    Issued {
        credential: Credential::new(chain, key.signer).unwrap(),
        serial: params.serial_number.unwrap().to_bytes(),
    }
}

/// What a leaf for `key` is to be.
pub fn leaf(key: &Key, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params(key, names.first().unwrap());
    let name = |name: &&str| match name.contains(':') {
        true => SanType::URI((*name).try_into().unwrap()),
        false => SanType::DnsName((*name).try_into().unwrap()),
    };
    params.subject_alt_names = names.iter().map(name).collect();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    params
}

/// Is good from so many seconds after `now()`, or before it, until so many.
pub fn lasting(from: i64, until: i64) -> impl Fn(&mut CertificateParams) {
    move |params| {
        let at = |seconds: i64| rcgen::date_time_ymd(1970, 1, 1) + moment(seconds);
        (params.not_before, params.not_after) = (at(from), at(until));
    }
}

/// Says where its issuer's certificate is to be had (RFC 5280 section 4.2.2.1).
pub fn issuer_at(url: &str) -> impl Fn(&mut CertificateParams) {
    let ca_issuers = der(0x06, &[&[0x2B, 6, 1, 5, 5, 7, 0x30, 2]]);
    let content = der(0x30, &[&der(0x30, &[&ca_issuers, &der(0x86, &[url.as_bytes()])])]);
    move |params| {
        let oid = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
        params.custom_extensions.push(CustomExtension::from_oid_content(oid, content.clone()));
    }
}

/// Demands an OCSP response (RFC 7633): the feature status_request.
pub fn must_staple(params: &mut CertificateParams) {
    let oid = &[1, 3, 6, 1, 5, 5, 7, 1, 24];
    params.custom_extensions.push(CustomExtension::from_oid_content(oid, vec![0x30, 3, 2, 1, 5]));
}

/// A CRL by `ca` of this number, made an hour before `made` and good for a day.
pub fn crl(ca: &Authority, number: u64, made: i64, revoked: &[&Issued]) -> Crl {
    let at = |seconds: i64| rcgen::date_time_ymd(1970, 1, 1) + moment(seconds);
    let hour = HOUR as i64;
    let revoked = revoked.iter().map(|issued| RevokedCertParams {
        serial_number: SerialNumber::from_slice(&issued.serial),
        revocation_time: at(made - hour),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: at(made - hour),
        next_update: at(made + 23 * hour),
        crl_number: number.into(),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::PreSpecified(ca.key.der_bytes()[1..21].to_vec()),
    };
    Crl::parse(params.signed_by(&ca.issuer).unwrap().der()).unwrap()
}

/// What an OCSP responder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    Good,
    Revoked,
}

/// An OCSP response by `ca` about a leaf of its own (RFC 6960 section 4.2.1), good for a day from an hour before `made`.
pub fn ocsp(ca: &Authority, of: &Issued, says: Says, made: i64) -> Vec<u8> {
    let hour = HOUR as i64;
    let name =
        der(0x30, &[&der(0x31, &[&der(0x30, &[&[6, 3, 0x55, 4, 3], &der(12, &[ca.name.as_bytes()])])])]);
    let sha256 = der(0x30, &[&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]]);
    let hashes = [hash(&name), hash(ca.key.der_bytes())].map(|hash| der(4, &[&hash]));
    let id = der(0x30, &[&sha256, &hashes[0], &hashes[1], &der(2, &[&of.serial])]);
    let status = match says {
        Says::Good => der(0x80, &[]),
        Says::Revoked => der(0xA1, &[&generalized(made - hour)]),
    };
    let next_update = der(0xA0, &[&generalized(made + 23 * hour)]);
    let single = der(0x30, &[&id, &status, &generalized(made - hour), &next_update]);
    let tbs = der(0x30, &[&der(0xA1, &[&name]), &generalized(made - hour), &der(0x30, &[&single])]);
    let ecdsa_sha256 = der(0x30, &[&[6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]]);
    let basic = der(0x30, &[&tbs, &ecdsa_sha256, &der(3, &[&[0], &ca.key.sign(&tbs).unwrap()])]);
    let kind = [6, 9, 0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1];
    der(0x30, &[&[10, 1, 0], &der(0xA0, &[&der(0x30, &[&kind, &der(4, &[&basic])])])])
}

/// A DER element of less than 64 KiB.
pub fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

fn generalized(seconds: i64) -> Vec<u8> {
    let at = rcgen::date_time_ymd(1970, 1, 1) + moment(seconds);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let text = format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
    der(0x18, &[text.as_bytes()])
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    let provider = provider();
    let suite = provider.suites.iter().find(|suite| suite.hash.output_len() == 32).unwrap();
    suite.hash.hash(&[bytes]).as_ref().to_vec()
}

fn moment(seconds: i64) -> Duration {
    Duration::from_secs(now().as_secs().saturating_add_signed(seconds))
}
