use symbolon::crypto::Failed;
use symbolon::internals::{HandshakeEpoch, Server, Traffic};

fn update(secret: &mut Traffic<Server, HandshakeEpoch>) -> Result<(), Failed> {
    secret.update()
}

fn main() {}
