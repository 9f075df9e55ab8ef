//! How rustls-webpki, over the same provider, judges the cases of x509-limbo: for the README, to compare.

#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "support/limbo.rs"]
mod limbo;

use std::fmt;

use limbo::{Case, certificate, public, read};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm, alg_id,
};
use symbolon::crypto::rustcrypto::provider;
use symbolon::crypto::{SignatureAlgorithm as A, Verifier};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

#[test]
fn rustls_webpki_is_counted() {
    let cases = read(&public());
    let count = |bettertls: bool| {
        let counted: Vec<_> = cases.iter().filter(|case| case.is_of_bettertls() == bettertls).collect();
        let as_expected = |case: &&&Case| verify(case).is_some() == (case.expected_result == "SUCCESS");
        (counted.iter().filter(as_expected).count(), counted.len())
    };
    let ((own, of_own), (bettertls, of_bettertls)) = (count(false), count(true));
    println!("rustls-webpki: {own} of {of_own}, and {bettertls} of {of_bettertls} of BetterTLS");
    assert!(own > 0 && bettertls > 0, "it was never asked");
}

/// `None` where it is refused. There are no CRLs: its own want a policy of their own.
fn verify(case: &Case) -> Option<()> {
    let roots: Vec<_> = case.trusted_certs.iter().map(|pem| certificate(pem)).collect();
    let anchors: Vec<_> =
        roots.iter().map(|root| anchor_from_trusted_cert(root).ok()).collect::<Option<_>>()?;
    let leaf = certificate(&case.peer_certificate);
    let intermediates: Vec<CertificateDer<'_>> =
        case.untrusted_intermediates.iter().map(|pem| certificate(pem)).collect();
    let leaf = EndEntityCert::try_from(&leaf).ok()?;
    let algorithms: Vec<Ours> = ALGORITHMS.iter().map(|(kind, ours)| Ours::new(kind, *ours)).collect();
    let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
        algorithms.iter().map(|algorithm| algorithm as _).collect();
    let usage = match case.validation_kind.as_str() {
        "CLIENT" => KeyUsage::client_auth(),
        _ => KeyUsage::server_auth(),
    };
    leaf.verify_for_usage(&algorithms, &anchors, &intermediates, case.time(), usage, None, None).ok()?;
    case.expected_peer_name.iter().chain(&case.expected_peer_names).try_for_each(|name| {
        // It has no names of other kinds.
        let name = ServerName::try_from(name.value.as_str()).ok()?;
        leaf.verify_is_valid_for_subject_name(&name).ok()
    })
}

/// How it names an algorithm: of the key, and of the signature.
type Kind = (AlgorithmIdentifier, AlgorithmIdentifier);

const ALGORITHMS: &[(Kind, A)] = &[
    ((alg_id::ECDSA_P256, alg_id::ECDSA_SHA256), A::EcdsaP256Sha256),
    ((alg_id::ECDSA_P256, alg_id::ECDSA_SHA384), A::EcdsaP256Sha384),
    ((alg_id::ECDSA_P384, alg_id::ECDSA_SHA256), A::EcdsaP384Sha256),
    ((alg_id::ECDSA_P384, alg_id::ECDSA_SHA384), A::EcdsaP384Sha384),
    ((alg_id::ECDSA_P521, alg_id::ECDSA_SHA512), A::EcdsaP521Sha512),
    ((alg_id::ED25519, alg_id::ED25519), A::Ed25519),
    ((alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256), A::RsaPkcs1Sha256),
    ((alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA384), A::RsaPkcs1Sha384),
    ((alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA512), A::RsaPkcs1Sha512),
    ((alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA256), A::RsaPssSha256),
    ((alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA384), A::RsaPssSha384),
    ((alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA512), A::RsaPssSha512),
];

/// The provider's check, as rustls-webpki wants it.
struct Ours {
    kind: &'static Kind,
    check: &'static dyn Verifier,
}

impl Ours {
    fn new(kind: &'static Kind, algorithm: A) -> Self {
        Self { kind, check: provider().verifier(algorithm).unwrap() }
    }
}

impl SignatureVerificationAlgorithm for Ours {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let bits = [&[0], public_key].concat();
        let spki = [element(0x30, self.kind.0.as_ref()), element(0x03, &bits)].concat();
        self.check.verify(&element(0x30, &spki), message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.kind.0
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.kind.1
    }
}

impl fmt::Debug for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.check.algorithm().fmt(f)
    }
}

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..=0x7F => vec![tag, len[1]],
        0x80..=0xFF => vec![tag, 0x81, len[1]],
        _ => vec![tag, 0x82, len[0], len[1]],
    };
    [head, content.to_vec()].concat()
}
