use symbolon::crypto::{Digest, Failed};
use symbolon::internals::Handshake;

fn derive(stage: Handshake, hello: &Digest, later: &Digest) -> Result<(), Failed> {
    stage.derive(hello)?;
    stage.derive(later)?;
    Ok(())
}

fn main() {}
