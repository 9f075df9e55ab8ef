use symbolon::conn::Summary;
use symbolon::crypto::Suite;
use symbolon::internals::{ApplicationEpoch, Client, Established, Exporter, Server, Traffic};

fn complete(
    suite: &'static Suite,
    read: Traffic<Server, ApplicationEpoch>,
    write: Traffic<Client, ApplicationEpoch>,
    exporter: Exporter,
    summary: Box<Summary>,
) -> Established<Server, Client> {
    Established { suite, read, write, exporter, summary, tickets: Vec::new() }
}

fn main() {}
