use symbolon::conn::Summary;
use symbolon::crypto::Suite;
use symbolon::internals::{ApplicationEpoch, Established, Exporter, Remember, Server, Traffic};

fn complete(
    suite: &'static Suite,
    read: Traffic<Server, ApplicationEpoch>,
    exporter: Exporter,
    summary: Box<Summary>,
    remember: Option<Box<Remember>>,
) -> Established<Server> {
    Established { suite, read, exporter, summary, tickets: Vec::new(), remember }
}

fn main() {}
