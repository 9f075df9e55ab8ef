use symbolon::crypto::{Digest, Failed};
use symbolon::internals::{Claimed, Client, EarlyEpoch, Fresh, Traffic};

fn read(key: &Claimed, fresh: &Fresh, hello: &Digest) -> Result<Traffic<Client, EarlyEpoch>, Failed> {
    Ok(key.read_early(fresh, hello)?.client)
}

fn main() {}
