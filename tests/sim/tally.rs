//! What happened, so that a run in which something never did is seen.

use std::collections::BTreeMap;

/// Everything that must have happened in a whole run.
pub const EVENTS: &[&str] = &[
    "established",
    "established after damage, a cut or an injection",
    "failed",
    "full handshake",
    "resumed",
    "resumed with an external key",
    "without a key exchange",
    "early data was sent",
    "early data accepted",
    "early data refused",
    "early data ended",
    "early data delivered to an attacker's connection",
    "HelloRetryRequest",
    "HelloRetryRequest, and another server went on",
    "client authenticated",
    "client anonymous though asked",
    "raw public key of the server",
    "raw public key of the client",
    "record size limit agreed on",
    "record keys changed by themselves",
    "a client asked for new keys",
    "a server asked for new keys",
    "keys were changed unasked",
    "new keys were asked for twice",
    "a connection was split into halves",
    "a half was ordered to answer a KeyUpdate",
    "a half was ordered to stop",
    "a half was told of the peer's new keys",
    "a write was cut short by a full buffer",
    "a frame was sealed where it lay",
    "a server wrote before the client's Finished",
    "a question was waited for",
    "an answer was late",
    "answers out of order",
    "a refusal",
    "a wrong answer",
    "a ticket that was never sealed",
    "a question at which the transport ended",
    "an answer for another connection",
    "a ticket's answer for another connection",
    "server: Certificate, client: off",
    "server: Certificate, client: optional",
    "server: Certificate, client: migrating",
    "server: Certificate, client: required",
    "server: RawKey, client: off",
    "server: RawKey, client: optional",
    "server: RawKey, client: migrating",
    "server: RawKey, client: required",
    "server: Nothing, client: off",
    "bits flipped",
    "connection cut",
    "bytes injected",
    "a record repeated",
    "a record left out",
    "a recording sent to a server",
    "a recording sent to a client",
    "a first flight sent to another server at once",
    "the provider failed",
    "closed during the handshake",
    "closed one way, and data the other",
    "closed cleanly",
    "cut without an end",
    "keys handed over",
    "nothing in common: Suites",
    "nothing in common: Groups",
    "nothing in common: Protocols",
    "nothing in common: Schemes",
    "nothing in common: ServerTypes",
    "nothing in common: ClientTypes",
    "nothing in common: ClientCertificate",
    "nothing in common: Keys",
];

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, usize>);

impl Tally {
    pub fn count(&mut self, event: &str) {
        match self.0.get_mut(event) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(event.to_owned(), 1)),
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (event, count) in &other.0 {
            *self.0.entry(event.clone()).or_default() += count;
        }
    }

    pub fn of(&self, event: &str) -> usize {
        self.0.get(event).copied().unwrap_or(0)
    }

    /// What of [`EVENTS`] never happened.
    pub fn missing(&self) -> Vec<&'static str> {
        EVENTS.iter().copied().filter(|event| self.of(event) == 0).collect()
    }
}
