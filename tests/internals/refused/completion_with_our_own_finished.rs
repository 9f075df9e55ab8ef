use symbolon::conn::Summary;
use symbolon::crypto::Suite;
use symbolon::internals::{
    ApplicationEpoch, Client, Established, Exporter, FinishedMatched, Remember, Server, Traffic,
};

fn complete(
    suite: &'static Suite,
    read: Traffic<Server, ApplicationEpoch>,
    exporter: Exporter,
    summary: Box<Summary>,
    remember: Option<Box<Remember>>,
    finished: FinishedMatched<Client>,
) -> Established<Server> {
    Established { suite, read, exporter, summary, tickets: Vec::new(), remember, finished }
}

fn main() {}
