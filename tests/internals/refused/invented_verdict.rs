use std::sync::Arc;

use symbolon::internals::Verified;
use symbolon::identity::Peer;

fn trust(peer: Peer) -> Verified {
    Verified(Arc::new(peer))
}

fn main() {}
