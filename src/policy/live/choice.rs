//! Which of several credentials serves a peer: by the name that it asks for, and by what it can verify.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use std::collections::HashMap;

use crate::codepoint::SignatureScheme;
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

    /// RFC 9846 section 4.5.1.2: "All certificates provided by the sender MUST be signed by a signature algorithm
    /// advertised by the peer, if it is able to provide such a chain".
    fn is_signed_by(&self, schemes: &[SignatureScheme]) -> bool {
        self.signed_with.iter().all(|scheme| schemes.contains(scheme))
    }

    /// RFC 9846 section 4.5.1.2: "If the peer sent a "certificate_authorities" extension, at least one of the
    /// certificates in the certificate chain SHOULD be issued by one of the listed CAs."
    fn is_issued_by(&self, authorities: &[Vec<u8>]) -> bool {
        authorities.is_empty() || self.issuers.iter().any(|issuer| authorities.contains(issuer))
    }

    fn fit(&self, offered: &Offered) -> Fit {
        if !self.signs(&offered.signature_schemes) {
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

    /// What answers a server's request: the first that its key, its authorities and, if possible, its schemes permit.
    pub(in crate::policy) fn for_server(&self, question: &ChooseCredential) -> Option<&Listed> {
        let usable = self
            .listed
            .iter()
            .filter(|listed| listed.signs(question.schemes()) && listed.is_issued_by(question.authorities()));
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
