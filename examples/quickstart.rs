//! The main job in one program: a server and a client on a TCP socket of this machine, a full handshake with
//! certificates made on the spot, data both ways, a clean close; then the story as a timeline.
//!
//! `cargo run --release --example quickstart`

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/timeline.rs"]
mod timeline;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::Summary;
use symbolon::crypto::rustcrypto;
use symbolon::io::blocking::Stream;
use symbolon::policy::{ClientPolicy, ServerPolicy};

use timeline::{Side, Timed, Timeline};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const REQUEST: &[u8] = b"Is this the half that fits?";
const RESPONSE: &[u8] = b"It is. Now we both know who we are.";

fn main() -> Result<(), Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let pki = devpki::DevPki::new(&provider)?;
    let server_config =
        ServerConfig::builder(provider.clone()).alpn(["h2", "http/1.1"]).report_messages().build()?;
    let server_policy =
        ServerPolicy::serving(Arc::clone(&server_config)).credential(pki.issue(&["localhost"])?)?.build()?;
    let client_config =
        ClientConfig::builder(provider.clone()).alpn(["h2", "http/1.1"]).report_messages().build()?;
    let client_policy = ClientPolicy::trusting(provider, [pki.root().clone()])?.build();

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let timeline = Arc::new(Timeline::start());

    let for_server = Arc::clone(&timeline);
    let server = thread::spawn(move || -> Fallible<()> {
        let (socket, _) = listener.accept()?;
        let socket = Timed::new(socket)?;
        let observer = for_server.observer(Side::Server);
        let mut stream = Stream::server(&server_config, server_policy, socket).with_observer(observer);
        stream.handshake()?;
        for_server.computed(Side::Server, stream.get_ref().computed());
        let mut request = vec![0; REQUEST.len()];
        stream.read_exact(&mut request)?;
        stream.write_all(RESPONSE)?;
        stream.flush()?;
        for_server.data(Side::Server, RESPONSE);
        stream.close()?;
        // The client's close_notify; anything less would be an error here.
        stream.read_to_end(&mut request)?;
        Ok(())
    });

    let summary = client(&client_config, client_policy, address, &timeline);
    let served = server.join().map_err(|_| "the server's thread panicked")?;
    let summary = summary.and_then(|summary| served.map(|()| summary));
    let summary = summary.map_err(|error| -> Box<dyn Error> { error })?;
    timeline.print(address, &summary)?;
    Ok(())
}

fn client(
    config: &Arc<ClientConfig>,
    policy: Arc<ClientPolicy>,
    address: std::net::SocketAddr,
    timeline: &Timeline,
) -> Fallible<Summary> {
    let socket = Timed::new(TcpStream::connect(address)?)?;
    let observer = timeline.observer(Side::Client);
    let began = Instant::now();
    let mut stream = Stream::client(config, "localhost".try_into()?, policy, socket).with_observer(observer);
    let summary = stream.handshake()?.clone();
    timeline.handshake_took(began.elapsed());
    timeline.computed(Side::Client, stream.get_ref().computed());
    stream.write_all(REQUEST)?;
    stream.flush()?;
    timeline.data(Side::Client, REQUEST);
    let mut response = Vec::new();
    // Ends with the server's close_notify: nothing was cut off.
    stream.read_to_end(&mut response)?;
    stream.close()?;
    if response != RESPONSE {
        return Err("the response is not what the server sent".into());
    }
    Ok(summary)
}
