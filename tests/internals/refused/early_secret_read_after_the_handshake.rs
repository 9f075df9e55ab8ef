use symbolon::conn::Summary;
use symbolon::crypto::Suite;
use symbolon::internals::{Client, EarlyEpoch, Established, Exporter, FinishedMatched, Remember, Traffic};

fn complete(
    suite: &'static Suite,
    read: Traffic<Client, EarlyEpoch>,
    exporter: Exporter,
    summary: Box<Summary>,
    remember: Option<Box<Remember>>,
    finished: FinishedMatched<Client>,
) -> Established<Client> {
    Established { suite, read, exporter, summary, tickets: Vec::new(), remember, finished }
}

fn main() {}
