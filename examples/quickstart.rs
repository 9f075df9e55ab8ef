//! The main job in one program: a server and a client on a TCP socket of this machine, a full handshake in which both
//! authenticate with certificates made on the spot, data both ways, a clean close; then the story as a timeline. After
//! that, at a simulated distance: what resumption and 0-RTT save.
//!
//! `cargo run --release --example quickstart`

#[path = "support/devpki.rs"]
mod devpki;
#[path = "support/distance.rs"]
mod distance;
#[path = "support/timeline.rs"]
mod timeline;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use symbolon::config::{ClientAuth, ClientConfig, ServerConfig};
use symbolon::conn::{Offer, Summary};
use symbolon::crypto::rustcrypto;
use symbolon::io::blocking::Stream;
use symbolon::pki::{Expected, Verifier};
use symbolon::policy::replay::{DEFAULT_WINDOW, ReplayRegister};
use symbolon::policy::tickets::TicketRing;
use symbolon::policy::{ClientPolicy, Clock, ServerPolicy, SystemClock, Verification};

use devpki::Leaf;
use distance::{Distance, Visit};
use timeline::{Side, Timed, Timeline};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const REQUEST: &[u8] = b"Is this the half that fits?";
const RESPONSE: &[u8] = b"It is. Now we both know who we are.";

fn main() -> Result<(), Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let pki = devpki::DevPki::new(&provider)?;
    let server_config = ServerConfig::builder(provider.clone())
        .alpn(["h2", "http/1.1"])
        .client_auth(ClientAuth::Required { authorities: Vec::new() })
        .report_messages()
        .build()?;
    let workloads = Verification::by(Verifier::new(provider.clone(), [pki.root().clone()])?)
        .expecting(Expected::TrustDomain("dev.example".parse()?));
    let server_policy = ServerPolicy::serving(Arc::clone(&server_config))
        .credential(pki.issue(&["localhost"])?)?
        .clients(workloads)
        .build()?;
    let client_config =
        ClientConfig::builder(provider.clone()).alpn(["h2", "http/1.1"]).report_messages().build()?;
    let client_policy = ClientPolicy::trusting(provider, [pki.root().clone()])?
        .credential(pki.issue_leaf(&Leaf::workload("spiffe://dev.example/quickstart").client_only())?)
        .build();

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let timeline = Arc::new(Timeline::start());

    let for_server = Arc::clone(&timeline);
    let server = thread::spawn(move || -> Fallible<Summary> {
        let (socket, _) = listener.accept()?;
        let socket = Timed::new(socket)?;
        let observer = for_server.observer(Side::Server);
        let mut stream = Stream::server(&server_config, server_policy, socket).with_observer(observer);
        let summary = stream.handshake()?.clone();
        for_server.computed(Side::Server, stream.get_ref().computed());
        let mut request = vec![0; REQUEST.len()];
        stream.read_exact(&mut request)?;
        stream.write_all(RESPONSE)?;
        stream.flush()?;
        for_server.data(Side::Server, RESPONSE);
        stream.close()?;
        // The client's close_notify; anything less would be an error here.
        stream.read_to_end(&mut request)?;
        Ok(summary)
    });

    let summary = client(&client_config, client_policy, address, &timeline);
    let served = server.join().map_err(|_| "the server's thread panicked")?;
    let both = summary.and_then(|client| Ok((client, served?)));
    let (client, server) = both.map_err(|error| -> Box<dyn Error> { error })?;
    timeline.print(address, &client, &server)?;
    at_a_distance(&pki)
}

/// Visits a server three times from each distance: with nothing, with a ticket, and with early data.
fn at_a_distance(pki: &devpki::DevPki) -> Result<(), Box<dyn Error>> {
    let provider = rustcrypto::provider();
    let now = SystemClock.moment();
    let guard = ReplayRegister::new(100, DEFAULT_WINDOW, now);
    let server_config =
        ServerConfig::builder(provider.clone()).tickets(2).early_data(1024, guard.proof().clone()).build()?;
    let server_policy = ServerPolicy::serving(Arc::clone(&server_config))
        .credential(pki.issue(&["localhost"])?)?
        .tickets(Arc::new(TicketRing::random(&provider)?))
        .replay_guard(guard)
        .build()?;
    let client_config = ClientConfig::builder(provider.clone()).build()?;
    let client_policy = ClientPolicy::trusting(provider, [pki.root().clone()])?.build();

    println!("\nFrom the first byte to the end of the response, the connection of TCP not counted:\n");
    println!("  {:<22} {:>11}  {:>9} {:>9} {:>9}", "", "round trips", "at 0 ms", "at 20 ms", "at 70 ms");
    let kinds = [Kind::Full, Kind::Resumed, Kind::EarlyData];
    let mut visits: [Vec<Visit>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for milliseconds in [0, 20, 70] {
        let distance = Distance {
            client: (&client_config, &client_policy),
            server: (&server_config, &server_policy),
            name: "localhost".try_into()?,
            round_trip: Duration::from_millis(milliseconds),
        };
        let mut tickets = Vec::new();
        for (kind, visits) in kinds.into_iter().zip(&mut visits) {
            let offer = match (kind, tickets.pop()) {
                (Kind::Resumed, Some(ticket)) => Offer::resume(ticket, SystemClock.moment()),
                (Kind::EarlyData, Some(ticket)) => {
                    Offer::resume(ticket, SystemClock.moment()).with_early_data()
                }
                _ => Offer::fresh(),
            };
            let mut visit = distance.visit(offer, SystemClock.moment(), REQUEST, RESPONSE)?;
            tickets.append(&mut visit.tickets);
            visits.push(visit);
        }
    }
    for (kind, visits) in kinds.into_iter().zip(&visits) {
        let Some(last) = visits.last() else { continue };
        kind.check(&last.summary)?;
        let took: Vec<String> =
            visits.iter().map(|visit| format!("{:>6.1} ms", visit.took.as_secs_f64() * 1e3)).collect();
        println!("  {:<22} {:>11}  {}", kind.name(), last.round_trips, took.join(" "));
    }
    Ok(())
}

/// How a client comes.
#[derive(Clone, Copy)]
enum Kind {
    Full,
    Resumed,
    EarlyData,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full handshake",
            Self::Resumed => "resumed",
            Self::EarlyData => "resumed, with 0-RTT",
        }
    }

    /// Whether it came to what the table says.
    fn check(self, summary: &Summary) -> Result<(), String> {
        match (self, summary.resumed, summary.early_data) {
            (Self::Full, Err(_), _) | (Self::Resumed, Ok(_), Err(_)) | (Self::EarlyData, Ok(_), Ok(())) => {
                Ok(())
            }
            (kind, resumed, early_data) => Err(format!("{}: {resumed:?}, {early_data:?}", kind.name())),
        }
    }
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
