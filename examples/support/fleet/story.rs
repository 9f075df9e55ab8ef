//! What happens to the fleet, phase by phase, and the table of what came of it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use symbolon::crypto::rustcrypto;
use symbolon::policy::tickets::FleetSecret;
use symbolon::policy::{Clock, SystemClock};

use super::balancer::Balancer;
use super::clients::{Clients, Outcome};
use super::processes::{Folder, Orders, ServerProcess};
use super::{Fallible, NAME, Size, attacker};
use crate::devpki::DevPki;
use crate::redis::Redis;

/// How long a key seals tickets here, the shortest there is.
const EPOCH: Duration = Duration::from_secs(60);

/// When the first key gives way to the second: late enough for the phases before, soon enough to wait for.
const ROTATION: Duration = Duration::from_secs(20);

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// One line of the table.
struct Phase {
    what: &'static str,
    outcome: Outcome,
    replays: usize,
    accepted: usize,
}

struct Story {
    phases: Vec<Phase>,
    balancer: std::sync::Arc<Balancer>,
    clients: Clients,
    size: Size,
    taken: Receiver<String>,
    /// How often each request was taken as early data.
    times: HashMap<String, usize>,
}

pub async fn tell(size: Size) -> Fallible<()> {
    let began = Instant::now();
    let provider = rustcrypto::provider();
    let pki = DevPki::new(&provider).map_err(|error| error.to_string())?;
    let folder = Folder::new()?;
    let (chain, key) = pki.issue_pem(&[NAME]).map_err(|error| error.to_string())?;
    let (certificate, key) =
        (folder.put("server.pem", chain.as_bytes())?, folder.put("key.pem", key.as_bytes())?);
    let secret = FleetSecret::random(&*provider.rng, SystemClock.moment().minus(EPOCH - ROTATION), EPOCH)?;
    let secret = folder.put("fleet.secret", &secret.encode())?;
    let mut redis = Redis::start()?;
    let orders = Orders { certificate: &certificate, key: &key, secret: &secret, redis: redis.url() };
    let (early, taken) = channel();
    let mut servers: Vec<ServerProcess> =
        (0..size.servers).map(|_| ServerProcess::start(&orders, early.clone())).collect::<Fallible<_>>()?;
    let addresses =
        |servers: &[ServerProcess]| servers.iter().map(|server| server.address).collect::<Vec<_>>();
    let balancer = Balancer::start(addresses(&servers)).await?;
    println!("{} servers behind {}, one ticket secret, one guard on Redis", servers.len(), balancer.address);
    println!("{} clients, {} connections each, in every phase\n", size.clients, size.connections);

    let clients = Clients::new(pki.root().clone())?;
    let mut story = Story { phases: Vec::new(), balancer, clients, size, taken, times: HashMap::new() };
    story.until_early_data("clients come and come back").await?;
    let flights = story.balancer.take_recorded();
    story.attack("replays to every server", &flights, &addresses(&servers)).await?;

    let old = servers[0].address;
    servers[0] = ServerProcess::start(&orders, early.clone())?;
    story.balancer.replace(old, servers[0].address);
    story.attack("replays to a server that was restarted", &flights, &addresses(&servers[..1])).await?;

    redis.kill();
    story.load("Redis is dead").await;
    story.must("without Redis no early data is accepted", |last| last.outcome.early == 0)?;
    let flights = story.balancer.take_recorded();
    story.attack("replays while Redis is dead", &flights, &addresses(&servers)).await?;
    redis.begin()?;
    story.attack("replays to a Redis without memory", &flights, &addresses(&servers)).await?;
    story.until_early_data("Redis is back").await?;

    story.until(began + ROTATION + Duration::from_secs(1)).await;
    story.load("the ticket key was rotated").await;
    story.must("tickets outlive a rotation", |last| last.outcome.resumed == last.outcome.offered)?;
    for server in &mut servers {
        server.revoke()?;
    }
    story.load("the ticket keys were revoked").await;
    story.must("revoked tickets are refused", |last| last.outcome.resumed < last.outcome.offered)?;
    story.until_early_data("new keys").await?;
    story.print();
    print_reasons(&mut servers)?;
    println!("\n{:.1} s in all", began.elapsed().as_secs_f64());
    let (accepted, lost) = story.phases.iter().fold((0, 0), |(a, l), p| (a + p.accepted, l + p.outcome.lost));
    if accepted + lost > 0 {
        return Err(format!("{accepted} replays were accepted, {lost} connections lost").into());
    }
    Ok(())
}

impl Story {
    /// A phase of clients alone.
    async fn load(&mut self, what: &'static str) {
        let outcome = self.clients.load(self.balancer.address, self.size).await;
        self.end(what, outcome, 0);
    }

    /// The same, over and over, until early data is accepted: a guard accepts none with tickets that are older than its
    /// memory.
    async fn until_early_data(&mut self, what: &'static str) -> Fallible<()> {
        let began = Instant::now();
        let mut sum = Outcome::default();
        while sum.early == 0 {
            if began.elapsed() > PATIENCE {
                return Err(format!("{what}: no early data is accepted, because of {:?}", sum.reasons).into());
            }
            sum.add(&self.clients.load(self.balancer.address, self.size).await);
        }
        self.end(what, sum, 0);
        Ok(())
    }

    /// Lets time go by, with clients that keep coming.
    async fn until(&mut self, until: Instant) {
        let few = Size { clients: 1, connections: 1, ..self.size };
        let mut sum = Outcome::default();
        while Instant::now() < until {
            sum.add(&self.clients.load(self.balancer.address, few).await);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        self.end("an epoch goes by", sum, 0);
    }

    /// A phase of replays alone.
    async fn attack(
        &mut self,
        what: &'static str,
        flights: &[Vec<u8>],
        servers: &[SocketAddr],
    ) -> Fallible<()> {
        let replays = attacker::replay(flights, servers).await?;
        self.end(what, Outcome::default(), replays);
        Ok(())
    }

    fn end(&mut self, what: &'static str, outcome: Outcome, replays: usize) {
        // A request that is taken as early data once more was replayed: no client sends one twice.
        let mut accepted = 0;
        for request in self.taken.try_iter() {
            let times = self.times.entry(request).or_default();
            *times += 1;
            accepted += usize::from(*times > 1);
        }
        self.phases.push(Phase { what, outcome, replays, accepted });
    }

    fn must(&self, rule: &str, holds: impl Fn(&Phase) -> bool) -> Fallible<()> {
        match self.phases.last() {
            Some(last) if !holds(last) => {
                Err(format!("{rule}: not so in {:?}, because of {:?}", last.what, last.outcome.reasons)
                    .into())
            }
            _ => Ok(()),
        }
    }

    fn print(&self) {
        println!(
            "{:<40} {:>11} {:>7} {:>7} {:>8} {:>7} {:>8} {:>4}",
            "", "connections", "offered", "resumed", "0-RTT", "replays", "accepted", "lost"
        );
        let mut sum = Phase { what: "all", outcome: Outcome::default(), replays: 0, accepted: 0 };
        for phase in &self.phases {
            line(phase);
            sum.outcome.add(&phase.outcome);
            sum.replays += phase.replays;
            sum.accepted += phase.accepted;
        }
        line(&sum);
    }
}

/// What the servers counted, those of them that were not restarted.
fn print_reasons(servers: &mut [ServerProcess]) -> Fallible<()> {
    let mut sum: BTreeMap<String, usize> = BTreeMap::new();
    for server in servers {
        for (reason, times) in server.reasons()? {
            *sum.entry(reason).or_default() += times;
        }
    }
    println!("\nwhy not, as the servers counted it (the restarted one since then):");
    for (reason, times) in sum.iter().filter(|(_, times)| **times > 0) {
        println!("  {reason:<36} {times:>7}");
    }
    Ok(())
}

fn line(phase: &Phase) {
    let Phase { what, outcome, replays, accepted } = phase;
    println!(
        "{what:<40} {:>11} {:>7} {:>7} {:>8} {replays:>7} {accepted:>8} {:>4}",
        outcome.connections, outcome.offered, outcome.resumed, outcome.early, outcome.lost
    );
}
