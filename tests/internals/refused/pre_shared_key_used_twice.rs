use symbolon::crypto::Failed;
use symbolon::internals::Offered;

fn resume(key: Offered) -> Result<(), Failed> {
    key.handshake(None)?;
    key.handshake(None)?;
    Ok(())
}

fn main() {}
