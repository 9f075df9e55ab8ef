//! Connections: bytes in, events and bytes out.
//!
//! A connection's methods come in four families. *Ask*: `is_established`, `exporter`, `records_sent`. *Feed*:
//! `process` with received bytes, `resume` with an answer, `eof` at the transport's end. *Command*: `write`,
//! `seal_frame`, `update_keys`, `close`. *Convert by value*: `split`, `into_kernel`.

mod client;
mod core;
mod early;
mod event;
mod kernel;
mod line;
mod methods;
mod reading;
mod server;
mod side;
mod split;
mod temper;
mod writing;

pub use self::client::Client;
pub use self::early::{EarlyPlaintext, EarlyWriter, HalfRttWriter};
pub use self::event::{Direction, Epoch, Event, MessageKind, Plaintext, Reported, Revealed, Step};
pub use self::kernel::{Kernel, KernelKeys};
pub use self::server::Server;
pub use self::split::{HalfEvent, HalfStep, Order, RecvHalf, SendHalf, Unsplit};
pub use self::writing::{Ask, Frame, Updated};
pub use crate::handshake::{EarlyOpening, EarlyVerdict, Offer, Resumed, SecretLabel, Summary};
pub use crate::psk::{NewTicket, NoEarlyData, NotResumed, Unknowable};
pub use crate::record::{Padding, SendBuf};

/// What a frame for [`Client::seal_frame`] holds beside its content, in bytes: 5 before it, at least 17 behind it.
pub mod frame {
    /// Room before the content, for the record header.
    pub const HEAD: usize = crate::record::HEADER_LEN;
    /// Room behind the content, for the content type and the tag; more is filled with padding.
    pub const TAIL: usize = crate::record::TAIL_LEN;
    /// The most content in one record without a smaller limit of the peer (RFC 9846 section 5.1).
    pub const MAX_CONTENT: usize = crate::record::MAX_CONTENT;
}
