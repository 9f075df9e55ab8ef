use symbolon::internals::Fresh;

fn fresh() -> Fresh {
    Fresh(())
}

fn main() {}
