use symbolon::internals::Claimed;

fn look_for(key: &Claimed) -> [u8; 32] {
    key.id()
}

fn main() {}
