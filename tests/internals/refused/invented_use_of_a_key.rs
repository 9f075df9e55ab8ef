use symbolon::internals::PskUsed;

fn used() -> PskUsed {
    PskUsed(())
}

fn main() {}
