//! Credentials: loaded from files before the first connection.

use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon::codepoint::{CertificateType, SignatureScheme};
use symbolon::config::Credential;
use symbolon::crypto::{Provider, SigningKey};
use symbolon::psk::{ExternalPsk, PskHash};

use crate::compliance::Restriction;
use crate::failure::Failure;
use crate::leaf::Leaf;
use crate::options::{CredentialKind, CredentialSpec, Settings};
use crate::setup::Role;

/// A scheme that no peer offers: for a credential whose preferences leave none that may sign a handshake.
const NONE: SignatureScheme = SignatureScheme(0);

/// RSASSA-PKCS1-v1_5 for the CertificateVerify of clients (RFC 9963).
pub const LEGACY_PKCS1: [u16; 3] = [0x0420, 0x0520, 0x0620];

/// Everything that one phase authenticates with, in the order of the command line, the default credential last.
pub struct Wallet {
    pub entries: Vec<Entry>,
}

/// One of them.
pub struct Entry {
    /// As the runner counts: from 0, the default credential -1.
    pub index: i32,
    pub held: Held,
}

/// What an entry is.
pub enum Held {
    /// Something to show, with the key that signs for it.
    Shown { credential: Arc<Credential>, key: Arc<dyn SigningKey>, issuers: Option<Vec<Vec<u8>>> },
    /// A key that was imported, once for each hash.
    Psk(Vec<Arc<ExternalPsk>>),
}

impl Wallet {
    /// Loads what the flags name.
    pub fn load(settings: &Settings, provider: &Provider, role: Role) -> Result<Self, Failure> {
        let restricted = Restriction::of(settings.compliance).schemes;
        let mut entries = Vec::new();
        for (index, spec) in (0..).zip(&settings.credentials) {
            entries.push(Entry { index, held: load(spec, restricted, provider, role)? });
        }
        if settings.default_credential.key_file.is_some() {
            let held = load(&settings.default_credential, restricted, provider, role)?;
            entries.push(Entry { index: -1, held });
        }
        Ok(Self { entries })
    }

    /// The imported keys of each credential that is one.
    pub fn imported(&self) -> impl Iterator<Item = (i32, &[Arc<ExternalPsk>])> {
        self.entries.iter().filter_map(|entry| match &entry.held {
            Held::Psk(keys) => Some((entry.index, keys.as_slice())),
            Held::Shown { .. } => None,
        })
    }

    /// All imported keys.
    pub fn psks(&self) -> impl Iterator<Item = &Arc<ExternalPsk>> {
        self.imported().flat_map(|(_, keys)| keys)
    }

    /// The types of what there is to show, in order, each once.
    pub fn types(&self) -> Vec<CertificateType> {
        let mut types = Vec::new();
        for entry in &self.entries {
            if let Held::Shown { credential, .. } = &entry.held
                && !types.contains(&credential.certificate_type())
            {
                types.push(credential.certificate_type());
            }
        }
        types
    }

    /// Where the key of this name is.
    pub fn index_of_psk(&self, name: &[u8]) -> Option<i32> {
        self.entries.iter().find_map(|entry| match &entry.held {
            Held::Psk(keys) if keys.iter().any(|key| key.name() == name) => Some(entry.index),
            _ => None,
        })
    }

    /// Whether there is nothing to show.
    pub fn has_psks_only(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.held, Held::Psk(_)))
    }

    /// The key that signs for a credential.
    pub fn key_of(&self, wanted: &Arc<Credential>) -> Option<&Arc<dyn SigningKey>> {
        self.entries.iter().find_map(|entry| match &entry.held {
            Held::Shown { credential, key, .. }
                if credential.chain() == wanted.chain() && credential.spki() == wanted.spki() =>
            {
                Some(key)
            }
            _ => None,
        })
    }

    /// The first credential that a peer can take.
    pub fn choose(
        &self,
        kinds: &[CertificateType],
        schemes: &[SignatureScheme],
        authorities: &[Vec<u8>],
    ) -> Result<(i32, Arc<Credential>), Unfit> {
        let mut why = Unfit::Nothing;
        for entry in &self.entries {
            let Held::Shown { credential, issuers, .. } = &entry.held else { continue };
            let misfit = if !kinds.contains(&credential.certificate_type()) {
                Unfit::Type
            } else if !credential.schemes().iter().any(|scheme| schemes.contains(scheme)) {
                Unfit::Scheme
            } else if issuers.as_ref().is_some_and(|all| !all.iter().any(|name| authorities.contains(name))) {
                Unfit::Issuer
            } else {
                return Ok((entry.index, Arc::clone(credential)));
            };
            why = misfit;
        }
        Err(why)
    }
}

/// Why no credential fits: what was wrong with the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Nothing,
    Type,
    Scheme,
    Issuer,
}

fn load(
    spec: &CredentialSpec,
    restricted: &[SignatureScheme],
    provider: &Provider,
    role: Role,
) -> Result<Held, Failure> {
    if spec.kind == CredentialKind::Psk {
        let hash = if spec.psk_sha384 { PskHash::Sha384 } else { PskHash::Sha256 };
        let keys = ExternalPsk::import(provider, &spec.psk_identity, &spec.psk_key, &spec.psk_context, hash)
            .map_err(|error| Failure::Unimplemented(format!("this pre-shared key: {error}")))?;
        return Ok(Held::Psk(keys.into_iter().map(Arc::new).collect()));
    }
    let key_file = spec.key_file.as_deref().unwrap_or_default();
    let der = PrivateKeyDer::from_pem_file(key_file).map_err(|error| outside(key_file, &error))?;
    // RSA below 2048 bits and ML-DSA are not loaded.
    let key = (provider.load_key)(&der).map_err(|error| Failure::Unimplemented(error.to_string()))?;
    let legacy = |scheme: &&SignatureScheme| LEGACY_PKCS1.contains(&scheme.0);
    if role == Role::Client
        && let Some(legacy) = spec.signing_prefs.iter().find(legacy)
    {
        return Err(Failure::Unimplemented(format!("to sign by {legacy}")));
    }
    let schemes = signs_with(&*key, &spec.signing_prefs, restricted);
    let (credential, issuers) = match spec.kind {
        CredentialKind::RawPublicKey => (Credential::remote_raw(key.public_key(), schemes), None),
        _ => {
            let chain = certificates(spec.cert_file.as_deref().unwrap_or_default())?;
            let issuers = chain.iter().filter_map(|der| Leaf::parse(der)).map(|leaf| leaf.issuer).collect();
            (Credential::remote(chain, schemes), spec.must_match_issuer.then_some(issuers))
        }
    };
    let mut credential = credential.map_err(|error| Failure::Outside(error.to_string()))?;
    if let Some(response) = &spec.ocsp_response {
        credential = credential.with_staple(response.clone());
    }
    if let Some(list) = &spec.scts {
        credential = credential.with_scts(list.clone()).map_err(|_| Failure::Named("INVALID_SCT_LIST"))?;
    }
    Ok(Held::Shown { credential: Arc::new(credential), key, issuers })
}

/// The schemes of a key, in the order of preference.
fn signs_with(
    key: &dyn SigningKey,
    prefs: &[SignatureScheme],
    restricted: &[SignatureScheme],
) -> Vec<SignatureScheme> {
    let preferred = match prefs {
        [] => key.schemes().to_vec(),
        prefs => prefs.iter().copied().filter(|scheme| key.schemes().contains(scheme)).collect(),
    };
    let permitted = |scheme: &SignatureScheme| restricted.is_empty() || restricted.contains(scheme);
    match preferred.into_iter().filter(permitted).collect::<Vec<_>>() {
        none if none.is_empty() => vec![NONE],
        some => some,
    }
}

/// The certificates in a PEM file.
pub fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(|error| outside(file, &error))
}

fn outside(file: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Outside(format!("{file}: {error}"))
}
