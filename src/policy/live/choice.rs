//! Which of several credentials serves a peer: by the name that it asks for, and by what it can verify.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use std::collections::HashMap;

use crate::codepoint::{CertificateType, SignatureScheme};
use crate::config::Credential;
use crate::pki::{Certificate, VerifyError, dns_matches};
use crate::question::{ChooseCredential, Offered};

/// A credential with what choosing it needs.
#[derive(Clone)]
pub(in crate::policy) struct Listed {
    pub(super) credential: Arc<Credential>,
    /// The DNS names that it serves, wildcards included.
    pub(super) names: Vec<String>,
    pub(super) place: Place,
    /// How its certificates are signed, where a code point says so.
    signed_with: Vec<SignatureScheme>,
    /// DER names of those who issued its certificates.
    issuers: Vec<Vec<u8>>,
}

/// Whom a credential serves besides those who ask for one of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Everybody, if no other credential is there for them.
    Ordinary,
    /// Clients that ask for no name or for an unknown one.
    Fallback,
}

impl Listed {
    /// Serves the names of its leaf.
    pub(in crate::policy) fn of(credential: Arc<Credential>) -> Result<Self, VerifyError> {
        let mut listed = Self::opaque(credential);
        let credential = Arc::clone(&listed.credential);
        for (position, der) in credential.chain().iter().enumerate() {
            let certificate = Certificate::parse(der)?;
            if position == 0 {
                listed.names = certificate.dns_names().map(ToString::to_string).collect();
            }
            listed.issuers.push(certificate.issuer_der.to_vec());
            // RFC 9846 section 4.5.1.2: "Certificates that are self-signed or certificates that are expected to be trust
            // anchors are not validated as part of the chain and therefore MAY be signed with any algorithm."
            if !certificate.is_self_issued() {
                listed.signed_with.extend(certificate.signed_with.scheme());
            }
        }
        Ok(listed)
    }

    /// A credential of whose chain nothing is known.
    pub(in crate::policy) fn opaque(credential: Arc<Credential>) -> Self {
        Self {
            credential,
            names: Vec::new(),
            place: Place::Ordinary,
            signed_with: Vec::new(),
            issuers: Vec::new(),
        }
    }

    pub(in crate::policy) fn credential(&self) -> &Arc<Credential> {
        &self.credential
    }

    /// Whether its key can sign by one of these schemes.
    fn signs(&self, schemes: &[SignatureScheme]) -> bool {
        self.credential.schemes().iter().any(|scheme| schemes.contains(scheme))
    }

    //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
    //# All certificates provided by the sender MUST be signed by a signature algorithm advertised by the
    //# peer, if it is able to provide such a chain (see Section 4.3.3).
    fn is_signed_by(&self, schemes: &[SignatureScheme]) -> bool {
        self.signed_with.iter().all(|scheme| schemes.contains(scheme))
    }

    /// RFC 9846 section 4.5.1.2: "If the peer sent a "certificate_authorities" extension, at least one of the
    /// certificates in the certificate chain SHOULD be issued by one of the listed CAs." A raw public key has none.
    fn is_issued_by(&self, authorities: &[Vec<u8>]) -> bool {
        let raw = self.credential.certificate_type() == CertificateType::RAW_PUBLIC_KEY;
        raw || authorities.is_empty() || self.issuers.iter().any(|issuer| authorities.contains(issuer))
    }

    /// Whether its type is one of these (RFC 7250); without any it is to be X.509.
    fn is_of_type(&self, types: &[CertificateType]) -> bool {
        let own = self.credential.certificate_type();
        types.contains(&own) || (types.is_empty() && own == CertificateType::X509)
    }

    fn fit(&self, offered: &Offered) -> Fit {
        if !self.signs(&offered.signature_schemes) || !self.is_of_type(&offered.server_certificate_types) {
            return Fit::Unusable;
        }
        match (self.is_signed_by(&offered.certificate_schemes), self.is_issued_by(&offered.authorities)) {
            (true, true) => Fit::Whole,
            (true, false) => Fit::OtherAuthority,
            (false, _) => Fit::OtherSchemes,
        }
    }
}

/// How much of a chain a client can verify, the best last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Not even the signature of the handshake.
    Unusable,
    /// A certificate is signed by a scheme that the client did not name.
    OtherSchemes,
    /// No certificate is issued by an authority that the client named.
    OtherAuthority,
    Whole,
}

/// What was found for a client.
pub(in crate::policy) enum Pick<'a> {
    /// A credential for the name that it asks for, or it asks for none.
    Named(&'a Listed),
    /// It asks for a name that nobody has; this is what serves it anyway.
    Unnamed(&'a Listed),
    /// There is no credential at all.
    Nothing,
}

/// Credentials in the order of preference, found by name.
#[derive(Clone, Default)]
pub(in crate::policy) struct Choice {
    listed: Vec<Listed>,
    /// Positions by name, in lower case, wildcards as they are written.
    by_name: HashMap<String, Vec<usize>>,
}

impl Choice {
    /// Adds a credential behind all others.
    pub(in crate::policy) fn add(&mut self, listed: Listed) {
        let position = self.listed.len();
        for name in &listed.names {
            self.by_name.entry(name.to_ascii_lowercase()).or_default().push(position);
        }
        self.listed.push(listed);
    }

    /// How many credentials there are.
    pub(in crate::policy) fn len(&self) -> usize {
        self.listed.len()
    }

    /// What serves a client: by name and verifiable, then whatever it can verify, then the first.
    pub(in crate::policy) fn for_client(&self, offered: &Offered) -> Pick<'_> {
        let Some(name) = offered.server_name.as_deref() else {
            return self.unnamed(offered).map_or(Pick::Nothing, Pick::Named);
        };
        let named = self.named(name);
        // Of equals the first is taken, which `max_by_key` would not do.
        let best = named.iter().rev().max_by_key(|(listed, exact)| (listed.fit(offered), *exact));
        match best {
            Some((listed, _)) if listed.fit(offered) > Fit::Unusable => Pick::Named(listed),
            Some((first, _)) => {
                let other = self.unnamed(offered).filter(|listed| listed.fit(offered) > Fit::Unusable);
                Pick::Named(other.unwrap_or(first))
            }
            None => self.unnamed(offered).map_or(Pick::Nothing, Pick::Unnamed),
        }
    }

    /// What answers a server's request: the first that its type, its key, its authorities and, if possible, its schemes
    /// permit.
    pub(in crate::policy) fn for_server(&self, question: &ChooseCredential) -> Option<&Listed> {
        let usable = self.listed.iter().filter(|listed| {
            listed.signs(question.schemes())
                && listed.is_of_type(&[question.certificate_type()])
                && listed.is_issued_by(question.authorities())
        });
        usable.rev().max_by_key(|listed| listed.is_signed_by(question.certificate_schemes()))
    }

    /// Who speaks for `name`, exactly or by a wildcard.
    fn named(&self, name: &str) -> Vec<(&Listed, Exact)> {
        let name = name.to_ascii_lowercase();
        let wildcard = name.split_once('.').map(|(_, parent)| alloc::format!("*.{parent}"));
        let at = |key: &str, exact| {
            let positions = self.by_name.get(key).into_iter().flatten();
            let found = positions.filter_map(|position| self.listed.get(*position));
            let found: Vec<_> = match dns_matches(key, &name) {
                true => found.map(|listed| (listed, exact)).collect(),
                false => Vec::new(),
            };
            found
        };
        let mut all = at(&name, Exact::Yes);
        all.extend(wildcard.iter().flat_map(|key| at(key, Exact::No)));
        all
    }

    /// Who serves those that ask for no name, or for one that nobody has.
    fn unnamed(&self, offered: &Offered) -> Option<&Listed> {
        let order = |(position, listed): &(usize, &Listed)| {
            let fit = listed.fit(offered);
            let fallback = listed.place == Place::Fallback;
            (fit > Fit::Unusable, fallback, fit, Reverse(*position))
        };
        self.listed.iter().enumerate().max_by_key(order).map(|(_, listed)| listed)
    }
}

/// Whether a name was found as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exact {
    No,
    Yes,
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::question::Tag;
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    const P256: SignatureScheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    const P384: SignatureScheme = SignatureScheme::ECDSA_SECP384R1_SHA384;
    const ED25519: SignatureScheme = SignatureScheme::ED25519;

    /// The leaf `name`, with a key that signs by `scheme`, for these names.
    fn listed(name: &str, scheme: SignatureScheme, names: &[&str]) -> Listed {
        let path = [env!("CARGO_MANIFEST_DIR"), "testvectors", "pki", name];
        let leaf = CertificateDer::from_pem_file(path.iter().collect::<std::path::PathBuf>()).unwrap();
        let credential = Credential::remote(Vec::from([leaf]), Vec::from([scheme])).unwrap();
        let mut listed = Listed::of(Arc::new(credential)).unwrap();
        listed.names = names.iter().map(ToString::to_string).collect();
        listed
    }

    fn choice(listed: impl IntoIterator<Item = Listed>) -> Choice {
        let mut choice = Choice::default();
        listed.into_iter().for_each(|listed| choice.add(listed));
        choice
    }

    fn offered(name: Option<&str>, schemes: &[SignatureScheme]) -> Offered {
        Offered {
            server_name: name.map(Into::into),
            signature_schemes: schemes.to_vec(),
            certificate_schemes: schemes.to_vec(),
            ..Offered::default()
        }
    }

    /// The position of what serves a client, and whether it has the name.
    fn picked(choice: &Choice, offered: &Offered) -> Option<(usize, &'static str)> {
        let place = |found: &Listed| choice.listed.iter().position(|listed| core::ptr::eq(listed, found));
        match choice.for_client(offered) {
            Pick::Named(listed) => place(listed).map(|position| (position, "named")),
            Pick::Unnamed(listed) => place(listed).map(|position| (position, "unnamed")),
            Pick::Nothing => None,
        }
    }

    #[test]
    fn an_exact_name_goes_before_a_wildcard_and_both_before_the_first() {
        let choice = choice([
            listed("client-only.pem", P256, &["other.test"]),
            listed("client-only.pem", P256, &["*.Example.test"]),
            listed("client-only.pem", P256, &["www.example.test", "b.example.test"]),
        ]);
        let pick = |name| picked(&choice, &offered(Some(name), &[P256]));
        assert_eq!(pick("www.example.test"), Some((2, "named")));
        assert_eq!(pick("WWW.example.TEST"), Some((2, "named")));
        assert_eq!(pick("a.example.test"), Some((1, "named")));
        assert_eq!(pick("a.b.example.test"), Some((0, "unnamed")));
        assert_eq!(picked(&choice, &offered(None, &[P256])), Some((0, "named")));
        assert_eq!(picked(&Choice::default(), &offered(None, &[P256])), None);
    }

    #[test]
    fn a_fallback_serves_who_asks_for_nothing_or_for_nobody() {
        let mut fallback = listed("client-only.pem", P256, &["fallback.test"]);
        fallback.place = Place::Fallback;
        let choice = choice([listed("client-only.pem", P256, &["first.test"]), fallback]);
        assert_eq!(picked(&choice, &offered(None, &[P256])), Some((1, "named")));
        assert_eq!(picked(&choice, &offered(Some("x.test"), &[P256])), Some((1, "unnamed")));
        assert_eq!(picked(&choice, &offered(Some("first.test"), &[P256])), Some((0, "named")));
    }

    //= testvectors/requirements/rfc9846.txt#section-4.5.1.2
    //= type=test
    //# All certificates provided by the sender MUST be signed by a signature algorithm advertised by the
    //# peer, if it is able to provide such a chain (see Section 4.3.3).
    #[test]
    fn what_a_client_can_verify_goes_before_what_it_cannot() {
        // Both leaves were signed by the P-384 key of the intermediate.
        let choice = choice([
            listed("ed25519.pem", ED25519, &["a.test"]),
            listed("p256.pem", P256, &["a.test"]),
            listed("client-only.pem", P256, &["a.test"]),
        ]);
        let pick = |schemes: &[_]| picked(&choice, &offered(Some("a.test"), schemes)).unwrap().0;
        assert_eq!(pick(&[ED25519, P384]), 0);
        assert_eq!(pick(&[P256, P384]), 1);
        assert_eq!(pick(&[P256]), 2, "the others have a certificate signed by another scheme");
        assert_eq!(pick(&[ED25519]), 0, "rather than nothing");
        assert_eq!(pick(&[P384]), 0, "nobody can sign");
    }

    #[test]
    fn a_name_that_nobody_can_sign_for_gets_who_can_sign() {
        let choice =
            choice([listed("p256.pem", P256, &["a.test"]), listed("ed25519.pem", ED25519, &["b.test"])]);
        assert_eq!(picked(&choice, &offered(Some("a.test"), &[ED25519])), Some((1, "named")));
    }

    #[test]
    fn an_authority_that_a_client_names_is_preferred() {
        let choice =
            choice([listed("client-only.pem", P256, &["a.test"]), listed("p256.pem", P256, &["a.test"])]);
        let intermediate = choice.listed[1].issuers[0].clone();
        let mut offered = offered(Some("a.test"), &[P256, P384]);
        assert_eq!(picked(&choice, &offered), Some((0, "named")));
        offered.authorities = Vec::from([intermediate]);
        assert_eq!(picked(&choice, &offered), Some((1, "named")));
        offered.authorities = Vec::from([Vec::from([0x30, 0])]);
        assert_eq!(picked(&choice, &offered), Some((0, "named")), "rather than nothing");
    }

    #[test]
    fn a_client_answers_with_the_type_that_was_agreed_on() {
        let raw = Credential::remote_raw(*b"spki", Vec::from([P256])).unwrap();
        let choice = choice([listed("p256.pem", P256, &[]), Listed::opaque(Arc::new(raw))]);
        for (certificate_type, place) in [(CertificateType::X509, 0), (CertificateType::RAW_PUBLIC_KEY, 1)] {
            let question = ChooseCredential {
                tag: Tag { connection: [0; 16], serial: 0 },
                schemes: Vec::from([P256]),
                certificate_schemes: Vec::from([P256, P384]),
                authorities: Vec::new(),
                certificate_type,
            };
            let found = choice.for_server(&question).unwrap();
            assert!(core::ptr::eq(found, &choice.listed[place]), "{certificate_type:?}");
        }
    }

    #[test]
    fn a_client_answers_only_for_authorities_and_schemes_that_the_server_named() {
        let choice = choice([listed("p256.pem", P256, &[]), listed("client-only.pem", P256, &[])]);
        let [intermediate, root] = [0, 1].map(|at: usize| choice.listed[at].issuers[0].clone());
        let chosen = |schemes: &[SignatureScheme],
                      certificate_schemes: &[SignatureScheme],
                      authorities: &[&Vec<u8>]| {
            let question = ChooseCredential {
                tag: Tag { connection: [0; 16], serial: 0 },
                schemes: schemes.to_vec(),
                certificate_schemes: certificate_schemes.to_vec(),
                authorities: authorities.iter().map(|name| name.to_vec()).collect(),
                certificate_type: CertificateType::X509,
            };
            let found = choice.for_server(&question)?;
            choice.listed.iter().position(|listed| core::ptr::eq(listed, found))
        };
        assert_eq!(chosen(&[P256], &[P256, P384], &[]), Some(0));
        assert_eq!(chosen(&[P256], &[P256], &[]), Some(1), "signed by another scheme");
        assert_eq!(chosen(&[P256], &[P256, P384], &[&root]), Some(1));
        assert_eq!(chosen(&[P256], &[P256], &[&intermediate]), Some(0), "rather than nothing");
        assert_eq!(chosen(&[P256], &[P256], &[&Vec::from([0x30, 0])]), None);
        assert_eq!(chosen(&[ED25519], &[P256], &[]), None);
    }
}
