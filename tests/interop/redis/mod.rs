//! A replay guard and a ticket ring over a real Redis, and over servers that are none.

mod early;
mod fake;
mod guard;
mod impostors;
mod ring;
pub mod store;
