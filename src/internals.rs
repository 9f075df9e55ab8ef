//! The inside of the library, for tests of what must not compile there; absent from every normal build.
//!
//! These are the items themselves, not wrappers: they are `pub` in private modules, which makes them nobody else's.

pub use crate::handshake::client::{Flight, Request, WaitFinished, WaitPeerVerdict};
pub use crate::handshake::{Established, Remember};
pub use crate::question::{Fresh, Verified};
pub use crate::record::{EpochBoundary, Opener};
pub use crate::schedule::{
    ApplicationEpoch, Claimed, Client, Direction, EarlyEpoch, Ending, Exporter, Finished, FinishedMatched,
    Handshake, HandshakeEpoch, Keys, Main, Offered, Proven, PskUsed, Resumption, Server, Traffic,
};
