//! Every peer with every feature, in both roles: what passes, what a peer does not offer, what fails and why.
//!
//! `cargo test --release --features interop,tokio,redis,http,native-roots --test interop_matrix -- [PEER ..]`
//!
//! Without names the peers of every run; `--full` adds those that `tests/interop/full.sh` builds, `--only FEATURE` is for
//! looking closer, `--readme` puts the last results into the README.

#[path = "../certs.rs"]
mod certs;
mod features;
#[path = "../ours.rs"]
#[allow(dead_code)] // the other target uses the rest
mod ours;
mod peer;
mod peers;
#[path = "../process.rs"]
#[allow(dead_code)] // the other target uses the rest
mod process;
mod table;
mod talk;

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use features::{FEATURES, Feature};
use peer::{Lacks, Peer, Role, Runs, lacking};
use table::{Outcome, Results, Side};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--readme") {
        table::into_readme();
        return ExitCode::SUCCESS;
    }
    let mut chosen = Chosen::default();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--full" => chosen.full = Some(Runs::Full),
            "--only" => chosen.features.extend(rest.next()),
            _ => chosen.peers.push(argument),
        }
    }
    chosen.run()
}

/// What the command line asks for.
#[derive(Default)]
struct Chosen {
    peers: Vec<String>,
    features: Vec<String>,
    full: Option<Runs>,
}

impl Chosen {
    fn has(&self, peer: &Peer) -> bool {
        if self.peers.is_empty() {
            peer.runs == Runs::Always || self.full == Some(peer.runs)
        } else {
            self.peers.iter().any(|name| name == peer.name)
        }
    }

    fn run(&self) -> ExitCode {
        let peers: Vec<&Peer> = peers::ALL.iter().copied().filter(|peer| self.has(peer)).collect();
        for name in &self.peers {
            assert!(peers.iter().any(|peer| peer.name == name), "there is no peer {name:?}");
        }
        check_names(&peers);
        let began = Instant::now();
        quiet_panics();
        let results = Mutex::new(Results::of(&peers));
        let jobs = self.jobs(&peers);
        let next = AtomicUsize::new(0);
        // One more than there are processors: a job waits much of its time.
        let workers = thread::available_parallelism().map_or(2, usize::from) + 1;
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let began = Instant::now();
                        let outcome = job.outcome();
                        let seconds = began.elapsed().as_secs_f64();
                        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                        results.add(job.peer.name, job.feature.name, job.side, outcome, seconds);
                    }
                });
            }
        });
        let results = results.into_inner().unwrap();
        results.print(began.elapsed());
        results.save();
        if results.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn jobs<'p>(&self, peers: &[&'p Peer]) -> Vec<Job<'p>> {
        let wanted = |feature: &&Feature| {
            self.features.is_empty() || self.features.iter().any(|name| name == feature.name)
        };
        let features: Vec<&'static Feature> = FEATURES.iter().filter(wanted).collect();
        assert!(!features.is_empty(), "there is no such feature");
        let mut jobs = Vec::new();
        for peer in peers {
            for feature in &features {
                for side in [Side::Client, Side::Server] {
                    jobs.push(Job { peer, feature, side });
                }
            }
        }
        jobs
    }
}

/// One cell.
struct Job<'p> {
    peer: &'p Peer,
    feature: &'static Feature,
    side: Side,
}

impl Job<'_> {
    fn outcome(&self) -> Outcome {
        match self.side {
            Side::Client => match &self.peer.client {
                Role::None(why) => Outcome::NotOffered((*why).into()),
                Role::Has(client) => self.tried(client.lacks, || (self.feature.client)(client)),
            },
            Side::Server => match &self.peer.server {
                Role::None(why) => Outcome::NotOffered((*why).into()),
                Role::Has(server) => self.tried(server.lacks, || (self.feature.server)(server)),
            },
        }
    }

    fn tried(&self, lacks: Lacks, case: impl FnOnce() -> usize) -> Outcome {
        if let Some(why) = lacking(lacks, self.feature.name) {
            return Outcome::NotOffered(why.into());
        }
        match panic::catch_unwind(AssertUnwindSafe(case)) {
            Ok(cases) => Outcome::Passed(cases),
            Err(_) => Outcome::Failed(PANICKED.take()),
        }
    }
}

thread_local! {
    /// What the last panic of this thread said, and where.
    static PANICKED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic is the end of a case, and told with its cell.
fn quiet_panics() {
    panic::set_hook(Box::new(|told| {
        let payload = told.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let words = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("panicked");
        let place = told.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        PANICKED.set(format!("{words}{}", place.unwrap_or_default()));
    }));
}

/// What a peer lacks must be something that others are tried with.
fn check_names(peers: &[&Peer]) {
    let lacks = |peer: &&Peer| {
        let client = if let Role::Has(client) = &peer.client { client.lacks } else { &[] };
        let server = if let Role::Has(server) = &peer.server { server.lacks } else { &[] };
        client.iter().chain(server).map(|(name, _)| *name).collect::<Vec<_>>()
    };
    for name in peers.iter().flat_map(lacks) {
        let known = name == talk::CLOSE_NOTIFY
            || FEATURES.iter().any(|feature| feature.name == name)
            || certs::KINDS.contains(&name)
            || features::SUITES.contains(&name)
            || features::GROUPS.iter().any(|groups| groups[0] == name);
        assert!(known, "nothing is called {name:?}");
    }
}
