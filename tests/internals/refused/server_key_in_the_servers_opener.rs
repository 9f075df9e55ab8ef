use symbolon::internals::{Client, EpochBoundary, Keys, Opener, Server};

fn read(opener: &mut Opener<Client>, keys: Keys<Server>, boundary: EpochBoundary) {
    opener.rekey(keys, boundary);
}

fn main() {}
