use symbolon::crypto::{Digest, Failed};
use symbolon::internals::Main;

fn derive(stage: Main, finished: &Digest) -> Result<(), Failed> {
    stage.application(finished)?;
    stage.application(finished)?;
    Ok(())
}

fn main() {}
