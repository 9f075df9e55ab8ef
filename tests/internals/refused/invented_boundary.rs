use symbolon::internals::{Client, EpochBoundary, Keys, Opener};

fn change(opener: &mut Opener<Client>, keys: Keys<Client>) {
    opener.rekey(keys, EpochBoundary(()));
}

fn main() {}
