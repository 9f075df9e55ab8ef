use symbolon::codepoint::SignatureScheme;
use symbolon::internals::{Flight, Request, WaitFinished};

fn go_on(flight: Flight, request: Option<Request>, signature: SignatureScheme) -> WaitFinished {
    WaitFinished { flight, request, signature }
}

fn main() {}
