//! The tables: what follows from which input. A row names its inputs one by one, or by a group that is a list.

pub mod client;
pub mod groups;
pub mod open;
pub mod server;
pub mod shared;
