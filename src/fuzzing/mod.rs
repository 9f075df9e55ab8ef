//! The inside of the library, for its fuzz targets; absent from every normal build.
//!
//! What is asserted here is what must hold of any bytes. A failure is a defect of the library.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc
)]

mod extension;
mod record;
mod wire;

pub use crate::crypto::null;
pub use record::{Join, Joined, Open, Opening};
pub use wire::{Offers, Trip, round_trip};
