//! What must hold of a credential before it is served: key, time, and a chain that peers can follow.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

use super::super::credentials::LoadError;
use super::entry::{Entry, Top};
use super::trust::TrustStore;
use crate::config::Credential;
use crate::crypto::Provider;
use crate::pki::{
    Certificate, Chain, Expected, OcspResponse, OcspStatus, Purpose, Verifier, VerifyError, check_staple,
};

/// How a store checks that a chain lacks no intermediate certificate.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Completeness {
    /// Each certificate is issued by the next one, in name and signature, and a leaf that is not self-signed comes with
    /// at least one issuer, unless [`Entry::under_root`] says that a root issued it. The issuer of the last certificate
    /// is taken for a root.
    #[default]
    Linked,
    /// The chain leads to one of these roots, in whatever order. [`Entry::under_root`] says nothing then.
    Trusted(TrustStore),
    /// Whatever is loaded is served.
    Unchecked,
}

/// What entries are checked against.
pub(super) struct Checks<'a> {
    pub(super) provider: &'a Provider,
    pub(super) completeness: &'a Completeness,
    pub(super) now: UnixTime,
}

impl Checks<'_> {
    /// Refuses an entry that no peer would accept.
    pub(super) fn check(&self, entry: &Entry) -> Result<(), LoadError> {
        self.check_credential(entry).map_err(|error| error.of_entry(&entry.name))
    }

    fn check_credential(&self, entry: &Entry) -> Result<(), LoadError> {
        let credential = &entry.credential;
        if credential.spki().is_some() {
            // A raw public key has neither a chain nor a time.
            return Ok(());
        }
        let chain: Vec<Certificate<'_>> = credential
            .chain()
            .iter()
            .map(|der| Certificate::parse(der).map_err(LoadError::of))
            .collect::<Result<_, _>>()?;
        let Some(leaf) = chain.first() else {
            // A raw public key (RFC 7250) is its own, and never expires.
            return Ok(());
        };
        check_key(credential, leaf)?;
        for certificate in &chain {
            self.check_time(certificate)?;
        }
        self.check_staples(credential, &chain)?;
        match self.completeness {
            Completeness::Linked => self.check_links(&chain, entry.top),
            Completeness::Trusted(trust) => self.check_path(credential, trust),
            Completeness::Unchecked => Ok(()),
        }
    }

    fn check_time(&self, certificate: &Certificate<'_>) -> Result<(), LoadError> {
        let (not_before, not_after) = (certificate.not_before, certificate.not_after);
        let now = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        if (not_before..=not_after).contains(&now) {
            return Ok(());
        }
        let subject = certificate.subject();
        Err(LoadError::of(VerifyError::Time { subject, not_before, not_after, now }))
    }

    /// What is stapled is what a peer would take; without the issuer at hand that is judged by its times alone.
    fn check_staples(&self, credential: &Credential, chain: &[Certificate<'_>]) -> Result<(), LoadError> {
        let staples = credential.staples();
        if let Some(leaf) = chain.first()
            && leaf.must_staple
            && staples.first().is_none_or(Option::is_none)
        {
            return Err(LoadError::new(format!(
                "\"{}\" demands an OCSP response beside it (RFC 7633), and none is given",
                leaf.subject()
            )));
        }
        for (position, staple) in staples.iter().enumerate() {
            let (Some(staple), Some(certificate)) = (staple, credential.chain().get(position)) else {
                continue;
            };
            match credential.chain().get(position.saturating_add(1)) {
                Some(issuer) => {
                    check_staple(staple, certificate, issuer, self.provider, self.now)
                        .map_err(LoadError::of)?;
                }
                None => self.check_window(staple)?,
            }
        }
        Ok(())
    }

    fn check_window(&self, staple: &[u8]) -> Result<(), LoadError> {
        let response = OcspResponse::parse(staple)
            .map_err(|error| LoadError::new(format!("an OCSP response cannot be used: {error}")))?;
        let (good, window) = (response.status() == Some(OcspStatus::Good), response.window());
        match window {
            Some((from, until)) if good && (from..=until).contains(&self.now) => Ok(()),
            _ => Err(LoadError::new(
                "an OCSP response is out of its time, or does not say good; fetch another one",
            )),
        }
    }

    fn check_links(&self, chain: &[Certificate<'_>], top: Top) -> Result<(), LoadError> {
        for pair in chain.windows(2) {
            let [certificate, issuer] = pair else { continue };
            self.check_link(certificate, issuer)?;
        }
        match chain {
            [leaf] if top == Top::Inferred && !leaf.is_self_issued() => Err(LoadError::new(format!(
                "\"{}\" comes without its issuer \"{}\"{}; append the issuer's certificate to the chain, or declare the \
                 issuer to be a root",
                leaf.subject(),
                leaf.issuer(),
                offered_at(leaf),
            ))),
            _ => Ok(()),
        }
    }

    fn check_link(&self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> Result<(), LoadError> {
        if certificate.issuer_der != issuer.subject_der {
            return Err(LoadError::new(format!(
                "\"{}\" was issued by \"{}\", which does not follow it{}: \"{}\" does; have each certificate followed by \
                 its issuer",
                certificate.subject(),
                certificate.issuer(),
                offered_at(certificate),
                issuer.subject(),
            )));
        }
        let verifier =
            certificate.signed_with.by(&issuer.key).and_then(|algorithm| self.provider.verifier(algorithm));
        let Some(verifier) = verifier else {
            return Err(LoadError::new(format!(
                "\"{}\" has a signature by {}, which cannot be checked with {}; have it issued anew",
                certificate.subject(),
                certificate.signed_with,
                issuer.key,
            )));
        };
        verifier.verify(issuer.spki, certificate.tbs, certificate.signature).map_err(|_| {
            let (subject, issuer) = (certificate.subject(), issuer.subject());
            LoadError::of(VerifyError::NotSignedBy { subject, issuer })
        })
    }

    fn check_path(&self, credential: &Credential, trust: &TrustStore) -> Result<(), LoadError> {
        let verifier = trust.verifier_for(credential.chain());
        let verifier =
            verifier.ok_or_else(|| LoadError::new("no trust bundle is there for its trust domain"))?;
        leads_to_root(&verifier, credential, self.now).map_err(LoadError::of)
    }
}

/// As a server or as a client: which of them it is for is the peer's to check.
fn leads_to_root(verifier: &Verifier, credential: &Credential, now: UnixTime) -> Result<(), VerifyError> {
    let chain = Chain::of(credential.chain()).ok_or(VerifyError::NoCertificate)?;
    let chain = chain.with_staples(credential.staples());
    let verify = |purpose| verifier.verify(&chain, purpose, &Expected::Anyone, now).map(|_| ());
    verify(Purpose::Server).or_else(|error| verify(Purpose::Client).map_err(|_| error))
}

/// The key belongs to the leaf, or could: of one that is elsewhere only the schemes are known.
fn check_key(credential: &Credential, leaf: &Certificate<'_>) -> Result<(), LoadError> {
    if let Some(key) = credential.key() {
        super::super::credentials::check_pair(credential.chain(), key.public_key())?;
    }
    if !credential.schemes().iter().any(|scheme| leaf.key.signs(*scheme)) {
        let leaf = &leaf.key;
        return Err(LoadError::new(format!(
            "the signer signs by no scheme that fits the leaf's key, {leaf}"
        )));
    }
    // RFC 9846 section 4.5.1.2: "the digitalSignature bit MUST be set if the Key Usage extension is present".
    if leaf.key_usage.is_some_and(|usage| !usage.digital_signature) {
        return Err(LoadError::new("the leaf may not sign: its key usage lacks digitalSignature"));
    }
    Ok(())
}

/// Where the issuer's certificate is to be had, by the certificate's own word.
fn offered_at(certificate: &Certificate<'_>) -> String {
    let Some(url) = certificate.aia_issuers.first() else { return String::new() };
    let url: String = url.chars().filter(char::is_ascii_graphic).take(200).collect();
    format!(" (to be had at {url})")
}
