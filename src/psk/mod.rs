//! Pre-shared keys: those of tickets on both sides, and those that were provisioned externally.
//!
//! Knows their encodings and lifetimes. Decides nothing, opens nothing and stores nothing.

mod external;
mod peer;
mod reason;
mod session;
mod ticket;

pub(crate) use external::PskKind;
pub use external::{ExternalPsk, PskError, PskHash};
pub use peer::ChainInTicket;
pub use reason::{NoEarlyData, NotResumed, Unknowable};
pub(crate) use session::SKEW;
pub use session::Session;
pub(crate) use ticket::Issued;
pub use ticket::{NewTicket, SessionKey, Ticket};
