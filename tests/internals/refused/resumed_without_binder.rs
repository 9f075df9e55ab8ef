use symbolon::crypto::{Failed, SharedSecret};
use symbolon::internals::{Claimed, Handshake};

fn go_on(key: Claimed, shared: &SharedSecret) -> Result<Handshake, Failed> {
    Ok(key.handshake(Some(shared))?.0)
}

fn main() {}
