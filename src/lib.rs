//! TLS 1.3 (RFC 9846, which obsoletes RFC 8446) from scratch: a pure state machine, and thin adapters on top of it.
//!
//! The machine has no sockets, clocks, callbacks or locks: bytes go in, events and bytes come out. There is no
//! process-wide state and no `unsafe`, and there is no version but 1.3.
//!
//! # Where to start
//!
//! - Threads and blocking sockets: [`io::blocking::Stream`], which implements `Read` and `Write`.
//! - tokio: `io::tokio` with the feature `tokio`: `TlsConnector`, `TlsAcceptor`, `TlsStream`.
//! - Anything else: [`conn::Client`] and [`conn::Server`], the machine itself.
//!
//! All of them begin with a [`config::ClientConfig`] or a [`config::ServerConfig`]: built once from a
//! [`crypto::Provider`], checked once, shared by `Arc`. Who is trusted, and with what a server authenticates, is said by
//! [`policy::ClientPolicy`] and [`policy::ServerPolicy`].
//!
//! # The loop
//!
//! One call takes one step: a record or a message. Data is decrypted where it lies in the caller's buffer; what is to be
//! sent is appended to a [`conn::SendBuf`] that the caller owns. What `consumed` covers is finished with; the rest was not
//! touched.
//!
//! ```no_run
//! use symbolon::conn::{Client, Event, SendBuf, Step};
//! use symbolon::{Error, policy::Answerer};
//!
//! /// Takes what was received; gives back how many bytes of it are finished with, for the caller to drop.
//! fn received(conn: &mut Client, input: &mut [u8], out: &mut SendBuf, policy: &dyn Answerer) -> Result<usize, Error> {
//!     let mut at = 0;
//!     loop {
//!         let Step { consumed, event } = conn.process(&mut input[at..], out)?;
//!         at += consumed;
//!         match event {
//!             // Send what is pending in `out`, then read more; when there is no more: `conn.eof()?`.
//!             Event::NeedInput { .. } => return Ok(at),
//!             Event::Ask(question) => conn.resume(policy.answer(question), out)?,
//!             Event::Established(summary) => println!("{} {:?}", summary.suite, summary.resumed),
//!             Event::Data(plain) => println!("{} bytes", plain.bytes.len()),
//!             Event::PeerClosed => conn.close(out),
//!             _ => {}
//!         }
//!     }
//! }
//! ```
//!
//! After an error, what is pending in `out` ends with the alert that tells the peer; send it before hanging up.
//! [`conn::Client::write`] sends data. A connection can be split into two halves, or handed to a kernel.
//!
//! # Questions and answers
//!
//! A decision that needs the outside world comes out as a [`question::Question`]: whether to trust a peer, a signature,
//! which configuration serves a client. Its answer is a value that only this question can make, and only this connection
//! takes. Between the two there may be a thread, an await, an HSM or another process; a [`policy::Answerer`] is for
//! answers that are at hand.
//!
//! # Features
//!
//! - `std` (default): adapters, clocks, files. Without it everything up to [`conn`] is `no_std` with `alloc`.
//! - `rustcrypto` (default): `crypto::rustcrypto`, a crypto provider in Rust alone.
//! - `pki` (default): path validation, and the policies that use it.
//! - `watch`: `policy::watch`, which reloads credentials and trust when their files change.
//! - `tokio`: `io::tokio`.
//! - `redis`: `policy::redis`, a replay guard and a ticket ring for a fleet of servers, over tokio.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(symbolon_internals), warn(missing_docs))]
// What only tests can reach needs no public documentation.
#![cfg_attr(symbolon_internals, allow(missing_docs))]
// No panic on any input: what could, is written so that it cannot.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions
    )
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod alert;
pub mod codepoint;
pub mod config;
pub mod conn;
pub mod crypto;
pub mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
pub mod identity;
#[cfg(symbolon_internals)]
#[doc(hidden)]
pub mod internals;
#[cfg(feature = "std")]
pub mod io;
mod moment;
#[cfg(feature = "pki")]
pub mod pki;
#[cfg(feature = "std")]
pub mod policy;
pub mod psk;
pub mod question;
mod record;
mod schedule;
mod secret;
#[cfg(all(test, feature = "rustcrypto"))]
mod trace;
mod transcript;
mod wire;

pub use alert::AlertCode;
pub use error::{Error, Failed, Fault, Misuse, Refusal};
pub use moment::Moment;

/// The README's examples are compiled with the documentation's.
#[cfg(all(doctest, feature = "rustcrypto", feature = "pki"))]
#[doc = include_str!("../README.md")]
struct Readme;
