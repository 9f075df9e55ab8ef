use symbolon::conn::{NoEarlyData, NotResumed, Resumed};
use symbolon::internals::{Flight, Request, WaitFinished};

fn go_on(
    flight: Flight,
    early_data: Result<(), NoEarlyData>,
    resumed: Result<Resumed, NotResumed>,
    request: Option<Request>,
) -> WaitFinished {
    WaitFinished { flight, early_data, resumed, request, signature: None }
}

fn main() {}
