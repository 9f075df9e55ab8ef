use symbolon::crypto::{Digest, Failed};
use symbolon::internals::{Claimed, Client, EarlyEpoch, Traffic};

fn read(key: &Claimed, hello: &Digest) -> Result<Traffic<Client, EarlyEpoch>, Failed> {
    Ok(key.send_early(hello)?.client)
}

fn main() {}
