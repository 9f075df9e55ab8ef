//! However late and to whomever answers are given: an answer that is not to the question that is out changes nothing, and a
//! connection whose questions were answered honestly comes to the same end as one that never waited.
//!
//! Input: flags of clients and of servers, then orders, each a byte. There are two pairs, alike to the last byte.

use symbolon::Error;
use symbolon::conn::{Client, Server};
use symbolon::question::{Answer, Question};

use crate::Script;
use crate::machine::answers::{Manner, Manners};
use crate::machine::party::{Endpoint, Party};
use crate::machine::provider::Tags;
use crate::machine::setup::{Flags, client_config, client_with, server_config, server_with};
use symbolon::conn::Offer;

/// More orders than any state needs.
const MOST: usize = 64;

/// Every question waits.
const ALL_LATER: Manners = Manners(0b01_01_01_01_01_01_01);

struct Scene {
    clients: [Party<Client>; 2],
    servers: [Party<Server>; 2],
    /// Of each pair, whether it got its own answers, and honest ones.
    undisturbed: [bool; 2],
}

pub fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (of_client, of_server) = (Flags(script.u16()), Flags(script.u16()));
    let (clients, servers) = (client_config(of_client, Tags::Null), server_config(of_server, Tags::Null));
    let client = |manners| client_with(&clients, of_client, manners, Offer::fresh());
    let server = |manners| server_with(&servers, of_server, manners);
    let mut example = Scene {
        clients: [client(Manners(0)), client(ALL_LATER)],
        servers: [server(Manners(0)), server(ALL_LATER)],
        undisturbed: [true; 2],
    };
    example.settle(0, &mut Script::new(&[]));
    let mut scene = Scene {
        clients: [client(ALL_LATER), client(ALL_LATER)],
        servers: [server(ALL_LATER), server(ALL_LATER)],
        undisturbed: [true; 2],
    };
    let mut orders = 0;
    while !script.is_empty() && orders < MOST {
        orders += 1;
        scene.order(&mut script);
    }
    for pair in 0..2 {
        scene.settle(pair, &mut script);
        if scene.undisturbed[pair] {
            assert_eq!(scene.end(pair), example.end(0), "to wait changes nothing");
        }
    }
}

impl Scene {
    fn order(&mut self, script: &mut Script<'_>) {
        let order = script.byte();
        match order % 4 {
            0 => self.carry(usize::from(order >> 7), script),
            1 => {
                let pair = usize::from(order >> 7);
                match order & 4 {
                    0 => self.clients[pair].release(Manner::Honest, script),
                    _ => self.servers[pair].release(Manner::Honest, script),
                }
            }
            2 => self.answer(order, Manner::Honest, script),
            _ => {
                let manner = *script.pick(&[Manner::Odd, Manner::Refused]);
                self.answer(order, manner, script);
            }
        }
    }

    /// The order's upper bits say whose question is answered, and to whom.
    fn answer(&mut self, order: u8, manner: Manner, script: &mut Script<'_>) {
        let (from, to) = (usize::from(order >> 2) % 4, usize::from(order >> 4) % 4);
        let held = if from < 2 { &mut self.clients[from].held } else { &mut self.servers[from - 2].held };
        let at = if held.is_empty() { 0 } else { usize::from(script.byte()) % held.len() };
        let Some(question) = held.remove(at) else { return };
        let of_ticket = matches!(question, Question::SealTicket(_));
        let answer = match from {
            0 | 1 => self.clients[from].answer(question, manner, script),
            _ => self.servers[from - 2].answer(question, manner, script),
        };
        match from {
            0 | 1 => self.clients[from].lost |= from != to,
            _ => self.servers[from - 2].lost |= from != to,
        }
        if from != to || manner != Manner::Honest {
            // A ticket may stay away.
            self.undisturbed[from % 2] &= of_ticket;
        }
        match to {
            0 | 1 => give(&mut self.clients[to], answer, from == to, script),
            _ => give(&mut self.servers[to - 2], answer, from == to, script),
        }
    }

    fn carry(&mut self, pair: usize, script: &mut Script<'_>) {
        let (client, server) = (&mut self.clients[pair], &mut self.servers[pair]);
        server.inbox.append(&mut client.sent);
        server.run(script);
        client.inbox.append(&mut server.sent);
        client.run(script);
    }

    fn settle(&mut self, pair: usize, script: &mut Script<'_>) {
        for _ in 0..40 {
            self.carry(pair, script);
            // What is lost is waited for.
            if self.undisturbed[pair] {
                self.clients[pair].release(Manner::Honest, script);
                self.servers[pair].release(Manner::Honest, script);
            }
        }
    }

    /// How both ended: established with whom, or with which error.
    fn end(&self, pair: usize) -> [(bool, Option<String>, Option<Error>); 2] {
        let (client, server) = (&self.clients[pair], &self.servers[pair]);
        let who = |summary: &Option<symbolon::conn::Summary>| {
            summary.as_ref().map(|summary| format!("{:?} {:?}", summary.identity(), summary.resumed))
        };
        [
            (client.conn.is_established(), who(&client.summary), client.error.clone()),
            (server.conn.is_established(), who(&server.summary), server.error.clone()),
        ]
    }
}

/// Gives an answer to a connection that asked, or to one that did not.
fn give<E: Endpoint>(party: &mut Party<E>, answer: Answer, asked: bool, script: &mut Script<'_>) {
    if !asked {
        let before = (party.conn.is_established(), party.error.clone());
        let given = party.conn.resume(answer, &mut party.out);
        match (&party.error, given) {
            (None, Err(Error::Misuse(_))) => {}
            (Some(error), Err(given)) => assert_eq!(*error, given),
            (_, given) => panic!("an answer to somebody else is {given:?}"),
        }
        assert!(party.out.is_empty() && before == (party.conn.is_established(), party.error.clone()));
        return;
    }
    party.resume(answer);
    party.run(script);
}
