//! Whom a program trusts, by its command line: roots, rules, revocation lists.

#![allow(dead_code)] // no program uses everything

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use symbolon::crypto::Provider;
use symbolon::pki::{Crl, Profile, Revocation, RevocationPolicy, Roots, Verifier};
use symbolon::policy;

use super::cli::Failure;
#[cfg(feature = "native-roots")]
use {super::cli::say, symbolon::pki::NativeRoots};

#[derive(clap::Args)]
pub struct Trusting {
    /// A list of revoked certificates, PEM or DER; repeat it for more issuers
    ///
    /// With any, every certificate below a root must be covered by a list or a stapled OCSP response that is in date,
    /// unless --revocation says otherwise.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// What becomes of a certificate whose state nobody tells: `hard` refuses it, `soft` lets it pass
    #[arg(long, value_name = "MODE", default_value = "hard")]
    revocation: Judgement,

    /// The rules for certificates: `web` for public ones, `private` for those of a CA of one's own [default: what both
    /// keep]
    #[arg(long, value_name = "NAME")]
    profile: Option<Rules>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Judgement {
    Hard,
    Soft,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Rules {
    Web,
    Private,
}

impl Trusting {
    /// A verifier over the roots in `file`.
    pub fn verifier(&self, provider: &Provider, file: &Path) -> Result<Verifier, Failure> {
        let roots = policy::certificates_from_file(file).map_err(Failure::usage)?;
        self.verifier_over(provider, roots, file.display().to_string())
    }

    /// A verifier over `roots`, which came from `source`.
    pub fn verifier_over(
        &self,
        provider: &Provider,
        roots: Vec<CertificateDer<'static>>,
        source: String,
    ) -> Result<Verifier, Failure> {
        let roots = Roots::new(roots).map_err(Failure::usage)?.described(source);
        self.finish(Verifier::with_roots(provider.clone(), Arc::new(roots)).map_err(Failure::usage)?)
    }

    fn finish(&self, verifier: Verifier) -> Result<Verifier, Failure> {
        let verifier = match self.profile {
            Some(Rules::Web) => verifier.profile(Profile::web()),
            Some(Rules::Private) => verifier.profile(Profile::private_pki()),
            None => verifier,
        };
        Ok(match self.revocation()? {
            Some(revocation) => verifier.revocation(Arc::new(revocation)),
            None => verifier,
        })
    }

    /// A verifier over the roots of the operating system.
    #[cfg(feature = "native-roots")]
    pub fn system_verifier(&self, provider: &Provider) -> Result<Verifier, Failure> {
        let native = NativeRoots::new();
        let roots = native.roots().map_err(Failure::usage)?;
        let (source, count) = (roots.description().unwrap_or_default(), roots.len());
        say(format_args!("trusting {source}: {count} loaded, {} rejected", native.rejected().len()));
        self.finish(Verifier::with_roots(provider.clone(), roots).map_err(Failure::usage)?)
    }

    /// There are no roots in the library itself.
    #[cfg(not(feature = "native-roots"))]
    pub fn system_verifier(&self, _: &Provider) -> Result<Verifier, Failure> {
        Err(Failure::usage(
            "no --ca FILE: there is no built-in trust store, so the server could not be verified; the feature \
             native-roots brings the system's",
        ))
    }

    fn revocation(&self) -> Result<Option<Revocation>, Failure> {
        if self.crl.is_empty() {
            return Ok(None);
        }
        let policy = match self.revocation {
            Judgement::Hard => RevocationPolicy::hard_fail(),
            Judgement::Soft => RevocationPolicy::soft_fail(),
        };
        let mut lists = Vec::new();
        for path in &self.crl {
            let failed =
                |why: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {why}", path.display()));
            let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
            lists.extend(Crl::from_pem_or_der(&bytes).map_err(|error| failed(&error))?);
        }
        Ok(Some(Revocation::new(policy).crls(lists)))
    }
}
