use symbolon::crypto::{Aead, Failed};
use symbolon::internals::{Client, EarlyEpoch, Traffic};

fn keys(secret: Traffic<Client, EarlyEpoch>, aead: &dyn Aead) -> Result<(), Failed> {
    secret.into_keys(aead)?;
    secret.into_keys(aead)?;
    Ok(())
}

fn main() {}
