//! I/O: one pump over a poll-shaped pipe, and thin faces for blocking streams and for tokio.
//!
//! Knows connections, their buffers and who answers their questions. Knows nothing of records or messages.

pub mod blocking;
mod buffers;
mod conn;
mod error;
mod half;
mod inbox;
mod mailbox;
mod observer;
mod outbox;
mod pipe;
mod pump;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use buffers::Buffers;
pub use error::tls_error;
pub use observer::Observer;
