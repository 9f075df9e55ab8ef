//! The load: threads that call all the time, and count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Fallible;
use super::caller::Caller;

/// How long a caller rests between two requests.
const REST: Duration = Duration::from_millis(3);

/// What came of the requests of one kind.
#[derive(Default)]
pub struct Counts {
    pub answered: AtomicUsize,
    pub failed: AtomicUsize,
}

/// Who asks whom for what.
pub struct Route {
    pub words: &'static str,
    pub paths: &'static [&'static str],
    pub counts: Arc<Counts>,
}

impl Route {
    pub fn new(words: &'static str, paths: &'static [&'static str]) -> Self {
        Self { words, paths, counts: Arc::default() }
    }
}

/// Callers at work.
pub struct Load {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    pub routes: Vec<Route>,
}

impl Load {
    pub fn new() -> Self {
        Self { stop: Vec::new(), threads: Vec::new(), routes: Vec::new() }
    }

    /// Has these callers ask by this route until the load is stopped.
    pub fn add(&mut self, route: Route, callers: impl IntoIterator<Item = Caller>) -> Fallible<()> {
        for mut caller in callers {
            let (stop, stopped) = channel();
            let (paths, counts) = (route.paths, Arc::clone(&route.counts));
            let work = move || {
                for path in paths.iter().cycle() {
                    let outcome = match caller.get(path, None) {
                        Ok(response) if response.status == 200 => Ok(()),
                        Ok(response) => Err(format!("{} {}", response.status, response.body.trim_end())),
                        Err(error) => Err(error.to_string()),
                    };
                    counts.count(path, outcome);
                    if stopped.recv_timeout(REST) != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                }
                if let Err(error) = caller.close() {
                    counts.count("the end", Err(error.to_string()));
                }
            };
            self.threads.push(thread::Builder::new().spawn(work)?);
            self.stop.push(stop);
        }
        self.routes.push(route);
        Ok(())
    }

    /// Lets everybody finish what they are at. Gives the routes with what came of them.
    pub fn stop(self) -> Fallible<Vec<Route>> {
        drop(self.stop);
        for thread in self.threads {
            thread.join().map_err(|_| "a caller panicked")?;
        }
        Ok(self.routes)
    }
}

impl Counts {
    fn count(&self, what: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.answered.fetch_add(1, Ordering::Relaxed),
            Err(why) => {
                eprintln!("mesh: a request failed: {what}: {why}");
                self.failed.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}
