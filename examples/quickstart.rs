//! The main job in one program: a server and a client on a TCP socket of this machine, a full handshake with
//! certificates made on the spot, data both ways, a clean close; then the story as a timeline, and what resuming and
//! early data save over a distance.
//!
//! `cargo run --release --example quickstart`

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/distance.rs"]
mod distance;
#[path = "support/timeline.rs"]
mod timeline;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use symbolon::config::{ClientConfig, ServerConfig};
use symbolon::conn::{Offer, Summary};
use symbolon::crypto::rustcrypto;
use symbolon::io::blocking::Stream;
use symbolon::policy::replay::{DEFAULT_WINDOW, ReplayRegister};
use symbolon::policy::tickets::TicketRing;
use symbolon::policy::{ClientPolicy, Clock, ServerPolicy, SystemClock};

use distance::{Distance, Visit};
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
    let distant_policy = Arc::clone(&client_policy);

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
    savings(&pki, distant_policy)
}

/// For a question and its answer, there and back.
const ROUND_TRIPS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), Duration::from_millis(70)];

/// Of so many visits the fastest counts: a machine has other work as well.
const TRIES: u32 = 5;

/// The same question over a distance that is simulated: after a full handshake, resumed, and resumed with early data.
fn savings(pki: &devpki::DevPki, client_policy: Arc<ClientPolicy>) -> Result<(), Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let guard = ReplayRegister::new(ReplayRegister::DEFAULT_CAPACITY, DEFAULT_WINDOW, SystemClock.moment());
    let ring = TicketRing::random(&provider)?;
    let server_config =
        ServerConfig::builder(provider.clone()).tickets(2).early_data(1024, guard.proof().clone()).build()?;
    let server_policy = ServerPolicy::serving(Arc::clone(&server_config))
        .credential(pki.issue(&["localhost"])?)?
        .tickets(Arc::new(ring))
        .replay_guard(guard)
        .build()?;
    let client_config = ClientConfig::builder(provider).build()?;
    let mut lines = ["full handshake", "resumed", "resumed with 0-RTT"].map(|name| (name, 0, String::new()));
    for round_trip in ROUND_TRIPS {
        let distance = Distance {
            client: (&client_config, &client_policy),
            server: (&server_config, &server_policy),
            name: "localhost".try_into()?,
            round_trip,
        };
        let visit = |offer| distance.visit(offer, SystemClock.moment(), REQUEST, RESPONSE);
        let mut best: Option<[Visit; 3]> = None;
        for _ in 0..TRIES {
            let mut full = visit(Offer::fresh())?;
            let mut tickets =
                full.tickets.drain(..).map(|ticket| Offer::resume(ticket, SystemClock.moment()));
            let mut resume = || tickets.next().ok_or("no ticket came");
            let resumed = visit(resume()?)?;
            let early = visit(resume()?.with_early_data())?;
            drop(tickets);
            resumed.summary.resumed.map_err(|why| why.to_string())?;
            early.summary.early_data.map_err(|why| why.to_string())?;
            let visits = [full, resumed, early];
            best = Some(match best {
                None => visits,
                Some(mut best) => {
                    let faster = |(best, visit): (&mut Visit, Visit)| {
                        if visit.took < best.took {
                            *best = visit;
                        }
                    };
                    best.iter_mut().zip(visits).for_each(faster);
                    best
                }
            });
        }
        for ((_, round_trips, times), visit) in lines.iter_mut().zip(best.into_iter().flatten()) {
            let Visit { took, round_trips: needed, .. } = visit;
            *round_trips = needed;
            times.push_str(&format!("{:>11.2} ms", took.as_secs_f64() * 1e3));
        }
    }
    let mut out = io::stdout().lock();
    writeln!(out, "\nUntil the answer was there, over a link that is simulated\n")?;
    let head: String = ROUND_TRIPS.iter().map(|time| format!("{:>11} ms", time.as_millis())).collect();
    writeln!(out, "  {:<20}{:>12}{head}", "there and back", "round trips")?;
    for (name, round_trips, times) in lines {
        writeln!(out, "  {name:<20}{round_trips:>12}{times}")?;
    }
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
