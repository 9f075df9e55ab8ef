//! A mesh of services with mutual TLS: SPIFFE identities by a private authority, an allow-list for every service, and
//! certificates of a minute's life that are renewed under load, the authority's own included; all the while attackers
//! try to get in. Tells on stderr of every connection, reports, and fails if a request was lost or an attacker heard
//! anything but the right refusal.
//!
//! `cargo run --release --example mesh -- --seconds 90`

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/mesh/mod.rs"]
mod mesh;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;

/// How much longer than asked for the program may run at most.
const GRACE: Duration = Duration::from_secs(60);

/// A mesh of services with mutual TLS whose certificates are renewed under load and under attack.
#[derive(Parser)]
struct Arguments {
    /// How long the load lasts
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(10..=86_400))]
    seconds: u64,

    /// How long certificates live, in seconds; they are renewed after two thirds of it
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    lifetime: u64,

    /// How many threads call the proxy at the same time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=256))]
    callers: u64,
}

fn main() -> ExitCode {
    let Arguments { seconds, lifetime, callers } = Arguments::parse();
    // Otherwise there would be nothing to see: none is renewed between the change of authorities and the end.
    if lifetime > seconds * 4 / 5 {
        eprintln!("mesh: --lifetime is at most four fifths of --seconds");
        return ExitCode::from(2);
    }
    let settings = mesh::Settings {
        runtime: Duration::from_secs(seconds),
        lifetime: Duration::from_secs(lifetime),
        callers: callers.try_into().unwrap_or(1),
    };
    let watch = move || {
        thread::sleep(settings.runtime + GRACE);
        eprintln!("mesh: it does not come to an end");
        std::process::exit(1);
    };
    let watched = thread::Builder::new().spawn(watch).map_err(Into::into);
    match watched.and_then(|_| mesh::story::tell(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mesh: {error}");
            ExitCode::FAILURE
        }
    }
}
