use symbolon::internals::{Client, EpochBoundary, Keys, Opener};

fn change(opener: &mut Opener<Client>, keys: [Keys<Client>; 2], boundary: EpochBoundary) {
    let [first, second] = keys;
    opener.rekey(first, boundary);
    opener.rekey(second, boundary);
}

fn main() {}
