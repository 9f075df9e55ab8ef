//! The file with the secret that a fleet's ticket keys come from: made once, and moved on as time goes by, so that it
//! does not open the tickets of the past.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use symbolon::crypto::Provider;
use symbolon::policy::tickets::{FleetSecret, TicketRing};
use symbolon::policy::{Clock, SystemClock};

use super::cli::{Failure, say};

/// How long a key seals tickets.
const PERIOD: Duration = Duration::from_secs(6 * 3600);

/// For how long after that it opens them.
const DECRYPT_ONLY: Duration = Duration::from_secs(48 * 3600);

/// How often it is looked whether an epoch has ended.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60);

/// A ring whose keys come from the secret in the file, which is kept at the present epoch from now on.
pub fn ring(provider: &Provider, path: &Path) -> Result<Arc<TicketRing>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {why}", path.display()));
    let secret = match read(path).map_err(|error| wrong(&error))? {
        Some(secret) => secret,
        None => {
            let fresh = FleetSecret::random(&*provider.rng, SystemClock.moment(), PERIOD)
                .map_err(|_| wrong(&"there is no randomness to make a secret of"))?;
            publish(path, &fresh).map_err(|error| wrong(&format_args!("cannot be made: {error}")))?;
            // Another server may have been first.
            read(path).map_err(|error| wrong(&error))?.ok_or_else(|| wrong(&"is gone"))?
        }
    };
    let ring = TicketRing::derived(provider, secret, DECRYPT_ONLY, SystemClock.moment());
    let ring = Arc::new(ring.map_err(|error| wrong(&error))?);
    advance(path, &ring).map_err(|error| wrong(&format_args!("cannot be moved on: {error}")))?;
    let (path, kept) = (path.to_owned(), Arc::clone(&ring));
    let spawned = thread::Builder::new().spawn(move || keep_advancing(&path, &kept));
    spawned.map_err(Failure::connection)?;
    Ok(ring)
}

fn keep_advancing(path: &Path, ring: &TicketRing) -> ! {
    loop {
        thread::sleep(BETWEEN_LOOKS);
        if let Err(error) = advance(path, ring) {
            say(format_args!("{}: the ticket secret cannot be moved on: {error}", path.display()));
        }
    }
}

/// Replaces the file where it opens tickets that do not count any more. Servers may do so at the same time: what they
/// write is the same, or older than what another one writes next time.
fn advance(path: &Path, ring: &TicketRing) -> io::Result<()> {
    let Some(present) = ring.provision(SystemClock.moment()) else { return Ok(()) };
    match read(path)? {
        Some(written) if written.epoch() < present.epoch() => {
            let new = write_aside(path, &present)?;
            fs::rename(&new, path).inspect_err(|_| drop(fs::remove_file(&new)))
        }
        // Who removed it wants it gone.
        _ => Ok(()),
    }
}

/// What the file holds; nothing where there is none.
fn read(path: &Path) -> io::Result<Option<FleetSecret>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if is_exposed(&metadata) {
        let why = "others may read this ticket secret, and with it all tickets; forbid that (chmod 600) or delete it";
        return Err(io::Error::other(why));
    }
    let encoded = zeroize::Zeroizing::new(fs::read(path)?);
    let secret = FleetSecret::decode(&encoded);
    secret.map(Some).ok_or_else(|| io::Error::other("this is no ticket secret"))
}

#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(_: &fs::Metadata) -> bool {
    false
}

/// Makes the file, whole from the beginning, unless it is there.
fn publish(path: &Path, secret: &FleetSecret) -> io::Result<()> {
    let new = write_aside(path, secret)?;
    let published = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match published {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file beside it that its owner alone may read.
fn write_aside(path: &Path, secret: &FleetSecret) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    let written = file.write_all(&secret.encode()).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(fs::remove_file(&new)))?;
    Ok(new)
}
