use std::sync::Arc;

use symbolon::internals::Verified;
use symbolon::identity::Peer;

fn trust(peer: Arc<Peer>) -> Verified {
    Verified::by_psk(peer)
}

fn main() {}
