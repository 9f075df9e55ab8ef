//! Which replay guards look at early data with which tickets: never two that know nothing of each other.

use alloc::sync::Weak;
use alloc::vec::Vec;
use std::sync::{Mutex, PoisonError};

use crate::config::{GuardId, Reach, ReplayGuarded};

/// The guards that are in use with the tickets of one ring or cache.
#[derive(Default)]
pub(super) struct Guards {
    used: Mutex<Vec<Used>>,
}

struct Used {
    /// Of the configuration; tickets of another one are others.
    fingerprint: Vec<u8>,
    reach: Reach,
    guard: Weak<GuardId>,
}

impl Guards {
    /// Whether the guard of `proof` sees all early data under `fingerprint`; it counts as in use then.
    pub(super) fn admit(&self, proof: &ReplayGuarded, fingerprint: &[u8]) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|used| used.guard.strong_count() > 0);
        let guard = proof.guard();
        let others = used.iter().filter(|used| used.fingerprint == fingerprint && !used.guard.ptr_eq(&guard));
        // Guards of a fleet share what they remember.
        if others.clone().any(|other| (other.reach, proof.reach()) != (Reach::Fleet, Reach::Fleet)) {
            return false;
        }
        if !used.iter().any(|used| used.fingerprint == fingerprint && used.guard.ptr_eq(&guard)) {
            used.push(Used { fingerprint: fingerprint.to_vec(), reach: proof.reach(), guard });
        }
        true
    }
}
