//! The operating system's trust store (feature `native-roots`), read when it is first wanted.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::env;
use std::sync::OnceLock;

use super::Roots;

/// How many reasons an error shows.
const SHOWN: usize = 3;

/// The roots that the operating system trusts. Reads them once, at the first use; share it by reference or `Arc`.
///
/// The variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name other places, as OpenSSL has it.
///
/// ```
/// use symbolon::{crypto::rustcrypto, pki::{NativeRoots, Verifier}};
/// let native = NativeRoots::new();
/// match native.roots() {
///     Ok(roots) => drop(Verifier::with_roots(rustcrypto::provider(), roots)?),
///     Err(why) => eprintln!("{why}"),
/// }
/// # Ok::<(), symbolon::pki::VerifyError>(())
/// ```
#[derive(Debug, Default)]
pub struct NativeRoots {
    loaded: OnceLock<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    roots: Option<Arc<Roots>>,
    rejected: Vec<String>,
}

/// The operating system has no root that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNativeRoots {
    /// Why each certificate, file or folder was of no use.
    pub rejected: Vec<String>,
}

impl fmt::Display for NoNativeRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no root certificate was found in {}", place())?;
        for why in self.rejected.iter().take(SHOWN) {
            write!(f, "; {why}")?;
        }
        f.write_str(
            "; install the system's (the package is mostly called ca-certificates), or name a CA file",
        )
    }
}

impl core::error::Error for NoNativeRoots {}

impl NativeRoots {
    /// Reads nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The roots; their [`description`](Roots::description) tells where they are from, how many there are and how many
    /// were rejected.
    ///
    /// # Errors
    ///
    /// [`NoNativeRoots`] when there is none.
    pub fn roots(&self) -> Result<Arc<Roots>, NoNativeRoots> {
        let Loaded { roots, rejected } = self.loaded();
        roots.clone().ok_or_else(|| NoNativeRoots { rejected: rejected.clone() })
    }

    /// Why each certificate, file or folder was of no use.
    #[must_use]
    pub fn rejected(&self) -> &[String] {
        &self.loaded().rejected
    }

    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            let mut rejected: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            let (roots, refused) = Roots::lenient(found.certs);
            rejected.extend(refused.iter().map(ToString::to_string));
            let described = match rejected.len() {
                0 => format!("the system's roots in {}", place()),
                count => format!("the system's roots in {}, without {count} that could not be used", place()),
            };
            let roots = (!roots.is_empty()).then(|| Arc::new(roots.described(described)));
            Loaded { roots, rejected }
        })
    }
}

/// Where the system's roots are looked for.
fn place() -> String {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| {
        env::var_os(name).map(|value| format!("{name}={}", value.to_string_lossy().escape_debug()))
    });
    let named: Vec<String> = named.into_iter().flatten().collect();
    if named.is_empty() { "the system's own place".to_string() } else { named.join(" and ") }
}
