use symbolon::crypto::{Aead, Failed};
use symbolon::internals::{HandshakeEpoch, Server, Traffic};

fn keys(secret: Traffic<Server, HandshakeEpoch>, aead: &dyn Aead) -> Result<(), Failed> {
    secret.into_keys(aead)?;
    secret.into_keys(aead)?;
    Ok(())
}

fn main() {}
