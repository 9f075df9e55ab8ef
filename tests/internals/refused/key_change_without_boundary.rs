use symbolon::internals::{Client, Keys, Opener};

fn change(opener: &mut Opener<Client>, keys: Keys<Client>) {
    opener.rekey(keys);
}

fn main() {}
