//! Compliance policies: each restricts groups, suites and schemes of both sides, best first.

use symbolon::codepoint::{CipherSuite, NamedGroup, SignatureScheme};

use crate::groups::MLKEM1024;
use crate::options::Compliance;

const P256: SignatureScheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
const P384: SignatureScheme = SignatureScheme::ECDSA_SECP384R1_SHA384;
const PSS256: SignatureScheme = SignatureScheme::RSA_PSS_RSAE_SHA256;
const PSS384: SignatureScheme = SignatureScheme::RSA_PSS_RSAE_SHA384;
const PSS512: SignatureScheme = SignatureScheme::RSA_PSS_RSAE_SHA512;
const AES128: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
const AES256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
const CHACHA: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

/// What a policy permits; an empty list restricts nothing.
pub struct Restriction {
    pub groups: &'static [NamedGroup],
    pub suites: &'static [CipherSuite],
    pub schemes: &'static [SignatureScheme],
}

impl Restriction {
    /// Without a policy nothing is restricted.
    pub fn of(policy: Option<Compliance>) -> Self {
        let (groups, suites, schemes): (&[_], &[_], &[_]) = match policy {
            None => (&[], &[], &[]),
            Some(Compliance::Fips202205) => (
                &[NamedGroup::SECP256R1, NamedGroup::SECP384R1],
                &[AES128, AES256],
                &[P256, P384, PSS256, PSS384, PSS512],
            ),
            Some(Compliance::Wpa202304) => (&[NamedGroup::SECP384R1], &[AES256], &[P384, PSS384, PSS512]),
            // It only prefers.
            Some(Compliance::Cnsa202407) => (&[], &[AES256, AES128, CHACHA], &[]),
            Some(Compliance::Cnsa1) => (&[MLKEM1024, NamedGroup::SECP384R1], &[AES256], &[P384, PSS384]),
            Some(Compliance::Cnsa2) => (&[MLKEM1024], &[AES256], &[P384, PSS384]),
        };
        Self { groups, suites, schemes }
    }
}
