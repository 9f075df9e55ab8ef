use symbolon::internals::{FinishedMatched, Server};

fn matched() -> FinishedMatched<Server> {
    FinishedMatched(std::marker::PhantomData)
}

fn main() {}
