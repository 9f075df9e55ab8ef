//! Key log files (draft-ietf-tls-keylogfile), for looking into captured traffic.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::string::String;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::conn::Revealed;

/// Appends secrets to a file in the format that Wireshark and others read.
///
/// Whoever reads the file can read the traffic: it is for debugging alone, and is opened for its owner alone.
pub struct KeyLog {
    file: Mutex<File>,
    failed: AtomicBool,
}

impl KeyLog {
    /// Appends to the file at `path`; a new file is readable by its owner alone.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: Mutex::new(options.open(path)?), failed: AtomicBool::new(false) })
    }

    /// The file that the environment variable `SSLKEYLOGFILE` names; `None` when it is not set or empty.
    ///
    /// # Errors
    ///
    /// What the operating system says about a file that is named but cannot be opened.
    pub fn from_env() -> io::Result<Option<Self>> {
        match std::env::var_os("SSLKEYLOGFILE") {
            Some(path) if !path.is_empty() => Self::open(path).map(Some),
            _ => Ok(None),
        }
    }

    /// Appends one secret. A failing disk never breaks a connection: `false` tells, once, that it failed.
    pub fn write(&self, revealed: &Revealed) -> bool {
        let mut line = Zeroizing::new(String::with_capacity(256));
        line.push_str(revealed.label.key_log_name());
        line.push(' ');
        push_hex(&mut line, &revealed.client_random);
        line.push(' ');
        push_hex(&mut line, revealed.secret.expose());
        line.push('\n');
        // One write per line, so that processes that share the file do not mix theirs.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.write_all(line.as_bytes()) {
            Ok(()) => true,
            Err(_) => self.failed.swap(true, Ordering::Relaxed),
        }
    }
}

impl core::fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("KeyLog").finish_non_exhaustive()
    }
}

fn push_hex(line: &mut String, bytes: &[u8]) {
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        line.push(char::from_digit(u32::from(nibble), 16).unwrap_or('?'));
    }
}
