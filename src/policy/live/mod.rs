//! What changes while connections run: credentials that are renewed, and trust that is rotated.
//!
//! A store is swapped as a whole: a handshake sees the old state or the new one, takes no lock, and ends with what it
//! began with. What cannot be right is refused when it is loaded, and the last good state stays.

mod check;
mod choice;
mod entry;
mod expiry;
mod files;
mod generation;
mod sessions;
mod signer;
mod store;
mod trust;

pub use check::Completeness;
pub(super) use choice::{Choice, Listed, Pick};
pub use entry::Entry;
pub use expiry::{Expiry, Renewal, Role};
pub use files::EntryFiles;
pub use generation::GenerationStatus;
pub(super) use sessions::TrustedSessions;
pub(super) use signer::sign;
pub use signer::{SignError, Signer};
pub(super) use store::Credentials;
pub use store::{CredentialStore, CredentialStoreBuilder};
pub use trust::{Trust, TrustStore};
