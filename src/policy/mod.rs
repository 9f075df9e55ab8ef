//! Policies: who answers a connection's questions.
//!
//! An [`Answerer`] decides with whatever it has: certificates, keys, clocks, files. The machines know nothing of it.

#[cfg(feature = "pki")]
mod client;
pub mod clock;
#[cfg(feature = "pki")]
mod credentials;
#[cfg(feature = "http")]
pub mod http;
mod keylog;
#[cfg(feature = "pki")]
mod live;
#[cfg(feature = "redis")]
pub mod redis;
pub mod replay;
#[cfg(feature = "pki")]
mod server;
mod sessions;
mod statistics;
pub mod tickets;
#[cfg(feature = "pki")]
mod verify;
#[cfg(feature = "watch")]
pub mod watch;

#[cfg(feature = "pki")]
pub use client::{ClientPolicy, ClientPolicyBuilder};
pub use clock::{Clock, FixedClock, SystemClock};
#[cfg(feature = "pki")]
pub use credentials::{
    LoadError, certificates_from_file, certificates_from_pem, credential_from_der, credential_from_files,
    credential_from_pem,
};
pub use keylog::KeyLog;
#[cfg(feature = "pki")]
pub use live::{
    Completeness, CredentialStore, CredentialStoreBuilder, Entry, EntryFiles, Expiry, GenerationStatus,
    Renewal, Role, SignError, Signer, Trust, TrustStore,
};
#[cfg(feature = "pki")]
pub use server::{ServerPolicy, ServerPolicyBuilder};
pub use sessions::{FileSessions, MemorySessions, SessionFileError, SessionStore};
pub use statistics::{Counts, Statistics};

#[cfg(feature = "pki")]
pub use verify::{Authorize, Denied, NoBackupPin, NotPin, NotPinned, Pin, Pins, Verification};

use crate::moment::Moment;
use crate::question::{Answer, Question};

/// Answers questions at once. For answers that take time there is the async face of `io::tokio`.
pub trait Answerer: Send + Sync {
    /// Answers one question.
    fn answer(&self, question: Question) -> Answer;

    /// Client: where tickets are kept, for adapters that resume by themselves. By default nowhere.
    fn sessions(&self) -> Option<&dyn SessionStore> {
        None
    }

    /// Now, by which adapters tell the age of tickets. By default the system's clock.
    fn moment(&self) -> Moment {
        SystemClock.moment()
    }
}

impl<A: Answerer + ?Sized> Answerer for alloc::sync::Arc<A> {
    fn answer(&self, question: Question) -> Answer {
        (**self).answer(question)
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        (**self).sessions()
    }

    fn moment(&self) -> Moment {
        (**self).moment()
    }
}

impl<A: Answerer + ?Sized> Answerer for &A {
    fn answer(&self, question: Question) -> Answer {
        (**self).answer(question)
    }

    fn sessions(&self) -> Option<&dyn SessionStore> {
        (**self).sessions()
    }

    fn moment(&self) -> Moment {
        (**self).moment()
    }
}
