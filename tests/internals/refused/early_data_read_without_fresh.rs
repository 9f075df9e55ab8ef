use symbolon::crypto::{Digest, Failed};
use symbolon::internals::{Client, EarlyEpoch, Proven, Traffic};

fn read(key: &Proven, hello: &Digest) -> Result<Traffic<Client, EarlyEpoch>, Failed> {
    Ok(key.read_early(hello)?.client)
}

fn main() {}
