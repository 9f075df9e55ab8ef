//! Scripts of honest peers, each through another part of the machines, and scripts of a wire.

use crate::seed;
use symbolon_fuzz::{client_machine, halves, pair, server_machine};

/// The flags of `machine::setup`.
const TWO_GROUPS: u16 = 1;
const ALPN: u16 = 1 << 1;
const EXTERNAL: u16 = 1 << 2;
const TICKET: u16 = 1 << 3;
const EARLY: u16 = 1 << 4;
const PSK_KE: u16 = 1 << 5;
const RAW_SERVERS: u16 = 1 << 6;
const RAW_CLIENTS: u16 = 1 << 7;
const SCTS: u16 = 1 << 8;
const TICKETS: u16 = 1 << 9;
const VERIFY_RESUMED: u16 = 1 << 10;
const MUTUAL: u16 = 1 << 11;
const SMALL: u16 = 1 << 12;
const PADDING: u16 = 1 << 13;
const RETRY: u16 = 1 << 14;
const ASKS: u16 = 1 << 15;

/// Every question waits.
const LATER: u16 = 0x1555;

/// What each seed must lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Established,
    Refused,
}
use End::{Established, Refused};

pub fn make() {
    of_clients();
    of_servers();
    of_pairs();
    of_halves();
    of_answers();
}

fn script(flags: u16, manners: u16, orders: &[u8]) -> Vec<u8> {
    [&flags.to_be_bytes()[..], &manners.to_be_bytes(), orders].concat()
}

/// Orders to the puppet of `client_machine`.
const FLIGHT: &[u8] = &[1, 0, 2, 0, 4, 0, 5, 0, 6, 0];

fn of_clients() {
    let make = |name: &str, flags, manners, orders: &[&[u8]], end| {
        let input = script(flags, manners, &orders.concat());
        let puppet = client_machine::play(&input);
        let established = puppet.party.summary.is_some();
        assert_eq!(established, end == Established, "{name}: {:?}", puppet.party.error);
        seed("client_machine", name, &input);
    };
    let behind: &[u8] = &[7, 0x10, 14, 1, 28, 2, 1, 2, 19, 3, 1, 2, 3, 20, 0, 26, 1, 0, 21, 22];
    make("full", 0, 0, &[FLIGHT, behind], Established);
    make("mutual", MUTUAL, 0, &[&[1, 0, 2, 0, 3, 0x30, 4, 0, 5, 0, 6, 0], behind], Established);
    make("no-credential", 0, 0, &[&[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0], behind], Established);
    make("retry", TWO_GROUPS, 0, &[&[0, 0x10, 4, 9, 9, 9, 9], FLIGHT, behind], Established);
    make("alpn", ALPN, 0, &[&[1, 0, 2, 0x10, 4, 0, 5, 0, 6, 0], behind], Established);
    make("external", EXTERNAL, 0, &[&[1, 0x10, 0, 2, 0, 6, 0], behind], Established);
    make("resumed", TICKET, 0, &[&[1, 0x10, 0, 2, 0, 6, 0], behind], Established);
    make("psk-ke", TICKET | PSK_KE, 0, &[&[1, 0x30, 0, 2, 0, 6, 0], behind], Established);
    make("psk-retry", TICKET | TWO_GROUPS, 0, &[&[0, 0, 1, 0x10, 0, 2, 0, 6, 0], behind], Established);
    make(
        "early",
        TICKET | EARLY,
        0,
        &[&[30, 2, 7, 7, 1, 0x10, 0, 2, 0x20, 30, 1, 7, 6, 0], behind],
        Established,
    );
    make("early-refused", TICKET | EARLY, 0, &[&[30, 2, 7, 7, 1, 0x10, 0, 2, 0, 6, 0], behind], Established);
    make("verify-resumed", TICKET | VERIFY_RESUMED, 0, &[&[1, 0x10, 0, 2, 0, 6, 0]], Established);
    make("declined", TICKET | EXTERNAL, 0, &[FLIGHT, behind], Established);
    make("scts", SCTS, 0, &[&[1, 0, 2, 0, 4, 0xC0, 5, 0, 6, 0], behind], Established);
    make("raw", RAW_SERVERS, 0, &[&[1, 0, 2, 0x40, 4, 0, 5, 0, 6, 0]], Established);
    make("small", SMALL | PADDING, 0, &[FLIGHT, behind], Established);
    make("quiet", TICKETS | RETRY, 0, &[FLIGHT, behind], Established);
    make("asks", ASKS, 0, &[FLIGHT, behind], Established);
    let released: &[u8] = &[16, 16, 16, 16];
    make("late", MUTUAL, LATER, &[&[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0], released], Established);
    make("one-record", 0, 0, &[&[1, 0, 0x22, 0, 0x24, 0, 0x25, 0, 6, 0], behind], Established);
    make("split", 0, 0, &[&[1, 0, 0x42, 0, 0, 3, 4, 0, 5, 0, 0x46, 0, 0, 9], behind], Established);
    make("floods", 0, 0, &[FLIGHT, &[13, 30, 12, 3, 9, 3, 10, 3, 11, 3]], Established);
    make("bad-finished", 0, 0, &[&[1, 0, 2, 0, 4, 0, 5, 0, 6, 8, 0, 0, 9, 9]], Refused);
    make("wrong-order", 0, 0, &[&[1, 0, 2, 0, 5, 0]], Refused);
    make("behind-a-key-change", 0, 0, &[&[0x21, 0, 2, 0]], Refused);
    make("unasked", 0, 0, &[&[1, 0, 2, 1, 0, 0, 50, 2, 1, 1]], Refused);
    make("doubled", 0, 0, &[&[1, 2, 2, 0, 2, 0]], Refused);
    make("canceled", 0, 0, &[&[1, 0, 21]], Refused);
    make("alert", 0, 0, &[&[26, 2, 40]], Refused);
    make("http", 0, 0, &[&[25, 9], b"HTTP/1.1 "], Refused);
    make("believed", 0, 0x0C00, &[&[1, 0, 2, 0, 4, 0x20, 3, 1, 2, 3, 5, 0x10, 6, 0]], Refused);
    make(
        "signs-otherwise",
        MUTUAL,
        0x0300,
        &[&[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 4, 1, 2, 3, 4]],
        Established,
    );
}

fn of_servers() {
    let make = |name: &str, flags, manners, orders: &[&[u8]], end| {
        let input = script(flags, manners, &orders.concat());
        let puppet = server_machine::play(&input);
        let established = puppet.party.summary.is_some();
        assert_eq!(established, end == Established, "{name}: {:?}", puppet.party.error);
        seed("server_machine", name, &input);
    };
    let behind: &[u8] = &[14, 1, 28, 2, 1, 2, 19, 3, 1, 2, 3, 20, 0, 26, 1, 0, 21, 22];
    make("full", TICKETS, 0, &[&[0, 0, 4, 0], behind], Established);
    make("mutual", MUTUAL, 0, &[&[0, 0, 2, 0, 3, 0, 4, 0], behind], Established);
    make("mutual-refused", MUTUAL, 0, &[&[0, 0, 2, 0x10, 4, 0]], Refused);
    make("optional", RAW_CLIENTS, 0, &[&[0, 0, 2, 0x10, 4, 0], behind], Established);
    make("raw-client", RAW_CLIENTS | MUTUAL, 0, &[&[0, 0x40, 2, 0, 3, 0, 4, 0], behind], Established);
    make("raw-server", RAW_SERVERS, 0, &[&[0, 0x40, 4, 0], behind], Established);
    make("retry", 0, 0, &[&[0, 0x80, 0, 0, 4, 0], behind], Established);
    make("either-group", TWO_GROUPS, 0, &[&[0, 0x80, 4, 0], behind], Established);
    make("stateless-retry", RETRY, 0, &[&[0, 0x80, 0, 0, 4, 0], behind], Established);
    make("another-server", RETRY, 0, &[&[0, 0x80, 13, 0, 0, 4, 0], behind], Established);
    make("alpn", ALPN, 0, &[&[0, 0, 4, 0], behind], Established);
    make("external", EXTERNAL, 0, &[&[0, 0x10, 4, 0], behind], Established);
    make("resumed", TICKET | TICKETS, 0, &[&[0, 0x20, 4, 0], behind], Established);
    make("resumed-retry", TICKET, 0, &[&[0, 0xA0, 0, 0x20, 4, 0], behind], Established);
    make("verify-resumed", TICKET | VERIFY_RESUMED, 0, &[&[0, 0x20, 4, 0], behind], Established);
    make("early", TICKET | EARLY, 0, &[&[0, 0x30, 5, 3, 1, 2, 3, 1, 0, 4, 0], behind], Established);
    make("half-rtt", TICKET | EARLY, 0, &[&[0, 0x30, 30, 2, 8, 8, 5, 1, 1, 1, 0, 4, 0], behind], Established);
    make("early-refused", TICKET, 0, &[&[0, 0x30, 5, 3, 1, 2, 3, 5, 1, 1, 4, 0], behind], Established);
    make("early-replayed", TICKET | EARLY, 0x30, &[&[0, 0x30, 5, 3, 1, 2, 3, 4, 0], behind], Established);
    make("early-retry", TICKET | EARLY, 0, &[&[0, 0xB0, 5, 1, 1, 0, 0x20, 4, 0], behind], Established);
    make("too-much-early", TICKET | EARLY, 0, &[&[0, 0x30, 10, 39, 5, 255, 3, 0]], Refused);
    make("staples", SCTS | MUTUAL, 0, &[&[0, 0x40, 2, 0xC0, 3, 0, 4, 0], behind], Established);
    make("small", SMALL | PADDING, 0, &[&[0, 0, 4, 0], behind], Established);
    make("asks", ASKS, 0, &[&[0, 0, 4, 0], behind], Established);
    make(
        "late",
        ASKS | MUTUAL | TICKETS,
        LATER,
        &[&[0, 0, 16, 16, 2, 0, 3, 0, 16, 4, 0, 16, 16, 17, 0, 0, 9, 9, 2, 1, 1], behind],
        Established,
    );
    make("prefers-the-second", TWO_GROUPS, 0, &[&[0, 0xC0, 4, 0], behind], Established);
    make("floods", 0, 0, &[&[0, 0, 6, 3, 4, 0, 7, 3, 8, 3, 9, 3, 11, 39]], Established);
    make("bad-binder", TICKET, 0, &[&[0, 0x28, 0, 0xFF, 0xFF, 7]], Refused);
    make("bad-finished", 0, 0, &[&[0, 0, 4, 8, 0, 0, 9, 9]], Refused);
    make("behind-the-end", 0, 0, &[&[0, 0, 0x24, 0, 14, 0]], Refused);
    make("old-version", 0, 0, &[&[0, 1, 1, 3]], Refused);
    make("http", 0, 0, &[&[25, 16], b"GET / HTTP/1.1\r\n"], Refused);
    make("odd-lookup", TICKET, 0x0C, &[&[0, 0x20, 3, 0, 1, 5, 4, 0]], Established);
}

fn of_halves() {
    let make = |name: &str, flags: u16, how: u8, orders: &[u8]| {
        // Only a server's tickets are answered.
        let input = [&(flags & !TICKETS).to_be_bytes()[..], &flags.to_be_bytes(), &[how], orders].concat();
        let apart = halves::play(&input).is_some();
        assert_eq!(apart, how != 1, "{name}");
        seed("halves", name, &input);
    };
    let data: &[u8] = &[14, 3, 1, 2, 3, 15, 2, 4, 5, 16, 3, 6, 7, 8, 17, 1, 9];
    let keys: &[u8] = &[18, 0, 19, 1, 0, 1, 20, 21, 18, 1, 19, 0, 0, 1];
    let tickets: &[u8] = &[23, 0, 1, 23, 1];
    let ends: &[u8] = &[24, 0, 25, 1];
    for (number, flags) in
        [0, TICKETS, SMALL, PADDING, TICKETS | EARLY | PADDING, MUTUAL].into_iter().enumerate()
    {
        make(&format!("all-{number}"), flags, 0, &[data, keys, tickets, data, ends].concat());
        make(&format!("kernel-{number}"), flags, 1, &[]);
    }
    let mend: &[u8] = &[0, 1, 20, 21, 0, 1, 14, 1, 1, 15, 1, 1, 24, 25, 0, 1];
    for (name, tampering) in [
        ("flipped", &[4, 0, 9, 0xFF][..]),
        ("dropped", &[6]),
        ("repeated", &[8]),
        ("inserted", &[10, 0, 0, 5, 23, 3, 3, 0, 0]),
        ("turned", &[12]),
        ("cut", &[2, 7]),
    ] {
        make(name, TICKETS, 0, &[data, tampering, mend].concat());
        make(&format!("keys-{name}"), 0, 0, &[keys, data, &[18, 0], tampering, mend].concat());
    }
}

fn of_pairs() {
    let make = |name: &str, client: u16, server: u16, orders: &[u8], end| {
        let input = [&client.to_be_bytes()[..], &server.to_be_bytes(), &[0; 4], orders].concat();
        let pair = pair::play(&input);
        let established = pair.client.summary.is_some() && pair.server.summary.is_some();
        assert_eq!(established, end == Established, "{name}");
        seed("pair", name, &input);
    };
    // Everything that can be done afterwards.
    let behind: &[u8] =
        &[32, 14, 3, 1, 2, 3, 15, 2, 4, 5, 16, 3, 0, 18, 0, 19, 1, 32, 14, 1, 9, 20, 21, 32, 22, 23];
    let flags = [
        0,
        ALPN,
        EXTERNAL,
        TICKET,
        TICKET | PSK_KE,
        RAW_SERVERS,
        SMALL,
        PADDING,
        SCTS,
        VERIFY_RESUMED | TICKET,
    ];
    for (index, both) in flags.into_iter().enumerate() {
        make(&format!("both-{index}"), both, both, behind, Established);
    }
    make("mutual", MUTUAL, MUTUAL, behind, Established);
    make("mutual-raw", MUTUAL | RAW_CLIENTS, MUTUAL | RAW_CLIENTS, behind, Established);
    make("retry", TWO_GROUPS, 0, behind, Established);
    make("stateless-retry", TWO_GROUPS, RETRY, behind, Established);
    make(
        "early",
        TICKET | EARLY,
        TICKET | EARLY,
        &[&[30, 3, 1, 2, 3, 0, 31, 2, 6, 6][..], behind].concat(),
        Established,
    );
    make("early-refused", TICKET | EARLY, TICKET, &[&[30, 3, 1, 2, 3][..], behind].concat(), Established);
    make("tickets", ASKS, TICKETS, behind, Established);
    make("changed", 0, 0, &[4, 0, 40, 1, 32], Refused);
    make("changed-back", 0, 0, &[0, 5, 0, 40, 99, 32], Refused);
    make("dropped", 0, 0, &[0, 7, 32], Refused);
    make("twice", 0, 0, &[0, 1, 32, 14, 2, 1, 1, 8, 32], Established);
    make("turned-round", 0, 0, &[0, 1, 32, 14, 2, 1, 1, 14, 1, 2, 12, 32], Established);
    make("inserted", 0, 0, &[10, 0, 0, 6, 20, 3, 3, 0, 1, 1, 32], Refused);
    make("by-bytes", 0, 0, &[2, 1, 2, 5, 2, 200, 3, 1, 3, 9, 3, 255, 32], Established);
    make("cut", 0, 0, &[0, 1, 32, 14, 2, 1, 1, 23], Established);
}

fn of_answers() {
    let make = |name: &str, client: u16, server: u16, orders: &[u8]| {
        let input = [&client.to_be_bytes()[..], &server.to_be_bytes(), orders].concat();
        seed("answers", name, &input);
    };
    make("honest", MUTUAL, MUTUAL | TICKETS, &[0, 1, 0, 5, 0, 1, 0]);
    make("to-the-twin", 0, 0, &[0, 128, 0x1A, 0, 0, 0x42, 0]);
    make("client-to-server", MUTUAL, MUTUAL, &[0, 0, 128, 0x22, 0, 5, 0, 0x2A, 0, 1]);
    make("asks", ASKS, ASKS, &[0, 5, 128, 0x3A, 0, 133, 0]);
    make("resumed", EXTERNAL | TICKET, TICKETS, &[0, 0, 0x2E, 0, 0, 0x2F, 0, 1]);
    make("refused", 0, 0, &[0, 3, 0, 1, 0, 0]);
}
