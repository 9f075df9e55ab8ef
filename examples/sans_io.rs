//! A client and a server in one thread, without sockets: what one puts into its output is the other's input.
//!
//! `cargo run --example sans_io`

#[path = "support/devpki.rs"]
mod devpki;

use std::error::Error;
use std::sync::Arc;

use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Client, Event, Offer, SendBuf, Server, Step};
use symbolon::crypto::rustcrypto;
use symbolon::policy::{Answerer, ClientPolicy, ServerPolicy};

fn main() -> Result<(), Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let pki = devpki::DevPki::new(&provider)?;
    let trust = ClientPolicy::trusting(provider.clone(), [pki.root().clone()])?.build();
    let client_config = ClientConfig::builder(provider.clone()).build()?;
    let serving = ServerConfig::builder(provider).build()?;
    let identity =
        ServerPolicy::serving(Arc::clone(&serving)).credential(pki.issue(&["localhost"])?)?.build()?;

    let (mut up, mut down) = (SendBuf::with_limit(64 << 10), SendBuf::with_limit(64 << 10));
    let mut client = Client::start(&client_config, "localhost".try_into()?, Offer::fresh(), &mut up)?;
    let mut server = Server::new(&serving)?;

    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut done = false;
    while !done {
        carry(&mut up, &mut to_server);
        // The loop of the README, for the server: one record or one message a call.
        let mut at = 0;
        loop {
            let Step { consumed, event } = server.process(&mut to_server[at..], &mut down)?;
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Ask(question) => server.resume(identity.answer(question), &mut down)?,
                Event::Data(plain) => {
                    println!("server: received {:?}", String::from_utf8_lossy(plain.bytes));
                    server.write(&[b"and hello to you"], &mut down)?;
                    server.close(&mut down);
                }
                _ => {}
            }
        }
        to_server.drain(..at);

        carry(&mut down, &mut to_client);
        let mut at = 0;
        loop {
            let Step { consumed, event } = client.process(&mut to_client[at..], &mut up)?;
            at += consumed;
            match event {
                Event::NeedInput { .. } => break,
                Event::Ask(question) => client.resume(trust.answer(question), &mut up)?,
                Event::Established(summary) => {
                    println!("client: {} with {:?}, {:?}", summary.suite, summary.group, summary.signature);
                    client.write(&[b"hello from ", b"the client"], &mut up)?;
                }
                Event::Data(plain) => {
                    println!("client: received {:?}", String::from_utf8_lossy(plain.bytes));
                }
                Event::PeerClosed => {
                    client.close(&mut up);
                    done = true;
                }
                _ => {}
            }
        }
        to_client.drain(..at);
    }
    client.eof()?;
    println!("closed cleanly");
    Ok(())
}

/// The network.
fn carry(from: &mut SendBuf, to: &mut Vec<u8>) {
    to.extend_from_slice(from.pending());
    from.advance(from.pending().len());
}
