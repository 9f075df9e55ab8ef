//! I/O: one pump over a poll-shaped pipe, and thin faces for blocking streams and for tokio.
//!
//! Knows connections, their buffers and who answers their questions. Knows nothing of records or messages.
//!
//! # Resumption
//!
//! A client's stream that is given no [`Offer`](crate::conn::Offer) takes a ticket from the store of whoever answers its
//! questions ([`Answerer::sessions`](crate::policy::Answerer::sessions)) when its handshake begins, and puts the tickets
//! that arrive into it, also when it was split. A ticket that was taken is used up, whatever becomes of the connection.
//! External pre-shared keys are offered by `Offer::fresh().with_psks(..)`.
//!
//! # Early data
//!
//! A client sends it by `write_early`, as long as its ticket permits and before the handshake is complete. Nothing is ever
//! sent again: `early_verdict` says what became of it, and the application decides.
//!
//! A server reads it by `read_early` and by nothing else. Until the handshake is complete these bytes may be a replay
//! that another server has seen. A server that completes its handshake first has them kept meanwhile, at most as many
//! as its configuration accepts on a connection, and reads them by `read_early` then. While such bytes wait, reading
//! ordinary data and splitting the stream are refused: they are neither taken for ordinary data nor lost unnoticed. A
//! failed handshake takes them with it. Configurations accept no early data unless told to.

pub mod blocking;
mod buffers;
mod conn;
mod early;
mod error;
mod half;
mod inbox;
mod mailbox;
mod observer;
mod outbox;
mod pipe;
mod pump;
mod sessions;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use buffers::Buffers;
pub use error::tls_error;
pub use observer::Observer;
