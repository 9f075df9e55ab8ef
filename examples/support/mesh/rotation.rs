//! Renews the certificates of workloads before they expire, for as long as this value lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Fallible;
use super::workload::Workload;

/// How long until a renewal that failed is tried again.
const AGAIN: Duration = Duration::from_millis(200);

pub struct Rotation {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    renewals: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl Rotation {
    pub fn start(workloads: &[Arc<Workload>]) -> Fallible<Self> {
        let mut rotation =
            Self { stop: Vec::new(), threads: Vec::new(), renewals: Arc::default(), failed: Arc::default() };
        for workload in workloads {
            let (stop, stopped) = channel();
            let workload = Arc::clone(workload);
            let (renewals, failed) = (Arc::clone(&rotation.renewals), Arc::clone(&rotation.failed));
            let work = move || {
                let mut wait = workload.until_renewal();
                while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                    wait = workload.until_renewal();
                    if !wait.is_zero() {
                        // Somebody else renewed it meanwhile.
                        continue;
                    }
                    match workload.renew() {
                        Ok(_) => {
                            renewals.fetch_add(1, Ordering::Relaxed);
                            wait = workload.until_renewal();
                        }
                        Err(error) => {
                            eprintln!("mesh: {}: the certificate cannot be renewed: {error}", workload.name);
                            failed.fetch_add(1, Ordering::Relaxed);
                            wait = AGAIN;
                        }
                    }
                }
            };
            rotation.threads.push(thread::Builder::new().spawn(work)?);
            rotation.stop.push(stop);
        }
        Ok(rotation)
    }

    /// Gives how often certificates were renewed, and how often they could not be.
    pub fn stop(self) -> Fallible<(usize, usize)> {
        drop(self.stop);
        for thread in self.threads {
            thread.join().map_err(|_| "a renewal panicked")?;
        }
        Ok((self.renewals.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed)))
    }
}
