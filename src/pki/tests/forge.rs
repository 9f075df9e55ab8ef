//! Certificates put together byte by byte and signed, so that each of their rules can be broken by itself.

use std::borrow::ToOwned;
use std::string::String;
use std::vec;
use std::vec::Vec;

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};

pub(super) const SKI: &[u8] = &[0x55, 0x1D, 14];
pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
pub(super) const NAMES: &[u8] = &[0x55, 0x1D, 17];
pub(super) const BASIC: &[u8] = &[0x55, 0x1D, 19];
pub(super) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 30];
pub(super) const POLICIES: &[u8] = &[0x55, 0x1D, 32];
pub(super) const MAPPINGS: &[u8] = &[0x55, 0x1D, 33];
pub(super) const AKI: &[u8] = &[0x55, 0x1D, 35];
pub(super) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 36];
pub(super) const PURPOSES: &[u8] = &[0x55, 0x1D, 37];
pub(super) const INHIBIT_ANY: &[u8] = &[0x55, 0x1D, 54];

pub(super) const ANY_PURPOSE: &[u8] = &[0x55, 0x1D, 37, 0];
pub(super) const SERVER_AUTH: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 1];
pub(super) const CLIENT_AUTH: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 2];

/// The bits of keyUsage in its first byte.
pub(super) const SIGNS: u8 = 0x80;
pub(super) const AGREES: u8 = 0x08;
pub(super) const SIGNS_CERTIFICATES: u8 = 0x04;
pub(super) const SIGNS_CRLS: u8 = 0x02;

pub(super) const ECDSA_SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];

/// An element of up to 2^16 bytes.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [.., high, low] = content.len().to_be_bytes();
    let head = match content.len() {
        0..=0x7F => vec![tag, low],
        0x80..=0xFF => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, parts)
}

pub(super) fn oid(content: &[u8]) -> Vec<u8> {
    element(6, &[content])
}

/// A sequence of elements with this tag.
pub(super) fn sequence_of(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let all: Vec<u8> = contents.iter().flat_map(|content| element(tag, &[content])).collect();
    sequence(&[&all])
}

/// A `Name` of one common name; without any for "".
pub(super) fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return sequence(&[]);
    }
    let attribute = sequence(&[&oid(&[0x55, 4, 3]), &element(0x0C, &[common.as_bytes()])]);
    sequence(&[&element(0x31, &[&attribute])])
}

pub(super) fn utc(text: &str) -> Vec<u8> {
    element(0x17, &[text.as_bytes()])
}

pub(super) fn generalized(text: &str) -> Vec<u8> {
    element(0x18, &[text.as_bytes()])
}

pub(super) fn key_usage(bits: u8) -> Vec<u8> {
    element(3, &[&[u8::try_from(bits.trailing_zeros()).unwrap(), bits]])
}

pub(super) fn purposes(all: &[&[u8]]) -> Vec<u8> {
    sequence_of(6, all)
}

pub(super) fn dns_names(all: &[&str]) -> Vec<u8> {
    sequence_of(0x82, &all.iter().map(|name| name.as_bytes()).collect::<Vec<_>>())
}

pub(super) fn uris(all: &[&str]) -> Vec<u8> {
    sequence_of(0x86, &all.iter().map(|uri| uri.as_bytes()).collect::<Vec<_>>())
}

pub(super) fn authority_of(path_len: Option<u8>) -> Vec<u8> {
    let longest = path_len.map(|longest| element(2, &[&[longest]])).unwrap_or_default();
    sequence(&[&[1, 1, 0xFF], &longest])
}

pub(super) const PERMITTED: u8 = 0xA0;
pub(super) const EXCLUDED: u8 = 0xA1;

/// nameConstraints of one subtree: the tag and the content of its base.
pub(super) fn subtrees(which: u8, kind: u8, base: &[u8]) -> Vec<u8> {
    sequence(&[&element(which, &[&sequence(&[&element(kind, &[base])])])])
}

/// A `SubjectPublicKeyInfo`.
pub(super) fn spki(algorithm: &[&[u8]], bits: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(algorithm), &element(3, &[&[0], bits])])
}

/// An RSA key with a modulus of so many bits that nobody made from primes.
pub(super) fn rsa(bits: usize) -> Vec<u8> {
    assert_eq!(bits % 8, 0);
    let modulus = [vec![0], vec![0xFF; bits / 8]].concat();
    let key = sequence(&[&element(2, &[&modulus]), &[2, 3, 1, 0, 1]]);
    spki(&[&oid(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1]), &[5, 0]], &key)
}

/// One extension: its identifier, whether it is critical, and its value.
pub(super) type Extension = (Vec<u8>, bool, Vec<u8>);

/// A certificate to be. Whoever is named signs with a key that follows from the name, so that a name is enough.
#[derive(Clone)]
pub(super) struct Forged {
    pub(super) version: u8,
    /// The content of the INTEGER.
    pub(super) serial: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) not_before: Vec<u8>,
    pub(super) not_after: Vec<u8>,
    pub(super) spki: Vec<u8>,
    pub(super) algorithm: Vec<u8>,
    /// Whose key signs.
    pub(super) signer: String,
    pub(super) extensions: Vec<Extension>,
}

impl Forged {
    /// Valid in 2026, with the key identifiers of subject and issuer.
    fn plain(issuer: &str, subject: &str) -> Self {
        let forged = Self {
            version: 3,
            serial: vec![7],
            issuer: name(issuer),
            subject: name(subject),
            not_before: utc("260101000000Z"),
            not_after: utc("270101000000Z"),
            spki: p256(subject),
            algorithm: ECDSA_SHA256.to_vec(),
            signer: issuer.to_owned(),
            extensions: Vec::new(),
        };
        let aki = sequence(&[&element(0x80, &[issuer.as_bytes()])]);
        forged.with(SKI, &element(4, &[subject.as_bytes()])).with(AKI, &aki)
    }

    pub(super) fn authority(issuer: &str, subject: &str) -> Self {
        Self::plain(issuer, subject)
            .critical(BASIC, &authority_of(None))
            .critical(KEY_USAGE, &key_usage(SIGNS_CERTIFICATES | SIGNS_CRLS))
    }

    pub(super) fn root(name: &str) -> Self {
        Self::authority(name, name)
    }

    /// A server's or a client's, for the DNS name that is its common name too.
    pub(super) fn leaf(issuer: &str, dns: &str) -> Self {
        Self::plain(issuer, dns)
            .critical(KEY_USAGE, &key_usage(SIGNS))
            .with(PURPOSES, &purposes(&[SERVER_AUTH, CLIENT_AUTH]))
            .with(NAMES, &dns_names(&[dns]))
    }

    /// With an extension that is not critical, in place of one of its kind.
    pub(super) fn with(self, oid: &[u8], value: &[u8]) -> Self {
        self.extended(oid, false, value)
    }

    /// With an extension that is critical, in place of one of its kind.
    pub(super) fn critical(self, oid: &[u8], value: &[u8]) -> Self {
        self.extended(oid, true, value)
    }

    pub(super) fn without(mut self, oid: &[u8]) -> Self {
        self.extensions.retain(|(other, ..)| other != oid);
        self
    }

    fn extended(self, oid: &[u8], critical: bool, value: &[u8]) -> Self {
        let mut forged = self.without(oid);
        forged.extensions.push((oid.to_vec(), critical, value.to_vec()));
        forged
    }

    pub(super) fn der(&self) -> CertificateDer<'static> {
        let version = element(0xA0, &[&element(2, &[&[self.version - 1]])]);
        let extensions: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => element(0xA3, &[&sequence(&[&extensions])]),
        };
        let tbs = sequence(&[
            if self.version == 1 { &[] } else { &version },
            &element(2, &[&self.serial]),
            &self.algorithm,
            &self.issuer,
            &sequence(&[&self.not_before, &self.not_after]),
            &self.subject,
            &self.spki,
            &extensions,
        ]);
        let signature: Signature = key(&self.signer).sign(&tbs);
        let signature = element(3, &[&[0], signature.to_der().as_bytes()]);
        sequence(&[&tbs, &self.algorithm, &signature]).into()
    }
}

fn extension((kind, critical, value): &Extension) -> Vec<u8> {
    let flag: &[u8] = if *critical { &[1, 1, 0xFF] } else { &[] };
    sequence(&[&oid(kind), flag, &element(4, &[value])])
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_slice(&Sha256::digest(name.as_bytes())).unwrap()
}

/// The `SubjectPublicKeyInfo` of the key that follows from a name.
pub(super) fn p256(name: &str) -> Vec<u8> {
    let point = key(name).verifying_key().to_sec1_point(false);
    let algorithm =
        [oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1]), oid(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7])];
    spki(&[&algorithm.concat()], point.as_bytes())
}
