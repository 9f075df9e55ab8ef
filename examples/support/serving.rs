//! Which clients `tlsserver` lets in, by its command line.

use std::path::PathBuf;

use symbolon::config::ClientAuth;
use symbolon::crypto::Provider;
use symbolon::pki::Verifier;

use super::cli::Failure;
use super::trusting::Trusting;

#[derive(clap::Args)]
pub struct Clients {
    /// The CA certificates that clients' certificates must lead to, PEM or DER
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,

    /// Whether a client needs a certificate; `migrate` is `optional` that tells how many have none
    #[arg(long, value_name = "MODE", default_value = "required", requires = "client_ca")]
    client_auth: Mode,

    #[command(flatten)]
    trusting: Trusting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Required,
    Optional,
    Migrate,
}

impl Clients {
    /// Who verifies clients, where they are asked for certificates, and how they are asked.
    pub fn prepare(&self, provider: &Provider) -> Result<(ClientAuth, Option<Verifier>), Failure> {
        let Some(file) = &self.client_ca else { return Ok((ClientAuth::Off, None)) };
        let verifier = self.trusting.verifier(provider, file)?;
        // Clients with several certificates choose by these names (RFC 9846 section 4.3.4).
        let authorities = verifier.roots().subjects().map(<[u8]>::to_vec).collect();
        let mode = match self.client_auth {
            Mode::Required => ClientAuth::Required { authorities },
            Mode::Optional => ClientAuth::Optional { authorities },
            Mode::Migrate => ClientAuth::Migrating { authorities },
        };
        Ok((mode, Some(verifier)))
    }
}
