use symbolon::internals::{WaitFinished, WaitPeerVerdict};

fn go_on(state: WaitPeerVerdict) -> WaitFinished {
    state.on_verified()
}

fn main() {}
