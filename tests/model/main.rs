//! The whole model: every state of both machines, of open and of ended connections; everything that can come to each; and
//! what follows, as tables. The walk tries every cell on a fresh connection.
//!
//! `cargo test --test model -- --nocapture` prints how many cells there are.
#![cfg(feature = "rustcrypto")]

#[path = "../support/mod.rs"]
mod support;

mod act;
mod answers;
mod cheap;
mod conn;
mod halves;
mod input;
mod place;
mod places;
mod scene;
mod source;
mod tables;
mod then;
mod walk;
mod wire;

use symbolon::conn::{Client, Server};

use place::Place;

/// Holds every cell of `places`, and says how many there are.
fn hold<E: conn::Conn>(what: &str, places: &[Place]) {
    let names = walk::names(places);
    let (cells, wrong) = walk::walk::<E>(places);
    println!("{what}: {} states, {cells} cells", names.len());
    assert!(wrong.is_empty(), "{} cells are not as the tables have them:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_client_does_what_its_tables_say() {
    hold::<Client>("client", &places::clients());
}

#[test]
fn a_server_does_what_its_tables_say() {
    hold::<Server>("server", &places::servers());
}

#[test]
fn the_halves_of_a_client_do_what_the_whole_does() {
    halves::hold::<Client>("halves of a client", &places::clients());
}

#[test]
fn the_halves_of_a_server_do_what_the_whole_does() {
    halves::hold::<Server>("halves of a server", &places::servers());
}
