//! The inside of the library, for tests of what must not compile there; absent from every normal build.
//!
//! These are the items themselves, not wrappers: they are `pub` in private modules, which makes them nobody else's.

pub use crate::handshake::Established;
pub use crate::handshake::client::{Flight, Request, WaitFinished, WaitPeerVerdict};
pub use crate::question::Verified;
pub use crate::record::{EpochBoundary, Opener};
pub use crate::schedule::{
    ApplicationEpoch, Client, Direction, Ending, Exporter, Finished, FinishedMatched, Handshake,
    HandshakeEpoch, Keys, Main, Resumption, Server, Traffic,
};
