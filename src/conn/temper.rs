//! One budget for everything that a peer can send without making progress.

use crate::error::Fault;

/// How much a peer may try our patience before real data restores it.
const ALLOWANCE: u32 = 32;

/// Tickets that cost nothing.
const FREE_TICKETS: u32 = 16;

/// How many bytes of application data pay for one more KeyUpdate.
const BYTES_PER_UPDATE: usize = 64;

/// What tries our patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trial {
    /// A record without content.
    EmptyRecord,
    /// A compatibility ChangeCipherSpec.
    ChangeCipherSpec,
    /// A KeyUpdate.
    KeyUpdate,
    /// A user_canceled alert.
    UserCanceled,
    /// A NewSessionTicket.
    Ticket,
}

/// The budget of one connection.
#[derive(Debug)]
pub(super) struct Temper {
    left: u32,
    updates_left: u32,
    bytes: usize,
    tickets: u32,
}

impl Temper {
    pub(super) fn new() -> Self {
        Self { left: ALLOWANCE, updates_left: ALLOWANCE, bytes: 0, tickets: 0 }
    }

    /// Charges for something that made no progress.
    pub(super) fn charge(&mut self, trial: Trial) -> Result<(), Fault> {
        let cost = match trial {
            Trial::EmptyRecord | Trial::ChangeCipherSpec => 1,
            Trial::KeyUpdate => {
                // Single bytes between KeyUpdates restore the allowance, but not the right to this much work.
                self.updates_left = self.updates_left.checked_sub(1).ok_or(too_many(trial))?;
                1
            }
            Trial::UserCanceled => 8,
            Trial::Ticket => {
                self.tickets = self.tickets.saturating_add(1);
                u32::from(self.tickets > FREE_TICKETS)
            }
        };
        self.left = self.left.checked_sub(cost).ok_or(too_many(trial))?;
        Ok(())
    }

    /// `bytes` of application data arrived, at least one.
    pub(super) fn restore(&mut self, bytes: usize) {
        self.left = ALLOWANCE;
        self.bytes = self.bytes.saturating_add(bytes);
        let earned = self.bytes.checked_div(BYTES_PER_UPDATE).unwrap_or(0);
        if earned > 0 {
            self.bytes = self.bytes.checked_rem(BYTES_PER_UPDATE).unwrap_or(0);
            let earned = u32::try_from(earned).unwrap_or(ALLOWANCE);
            self.updates_left = self.updates_left.saturating_add(earned).min(ALLOWANCE);
        }
    }
}

fn too_many(trial: Trial) -> Fault {
    Fault::unexpected_message(match trial {
        Trial::EmptyRecord => "too many empty records without data",
        Trial::ChangeCipherSpec => "too many ChangeCipherSpec records",
        Trial::KeyUpdate => "too many KeyUpdates without data",
        Trial::UserCanceled => "too many user_canceled alerts",
        Trial::Ticket => "too many tickets without data",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `trial` pass at once.
    fn patience(temper: &mut Temper, trial: Trial) -> usize {
        (0..1000).take_while(|_| temper.charge(trial).is_ok()).count()
    }

    #[test]
    fn each_trial_has_its_price() {
        for (trial, passes) in [
            (Trial::EmptyRecord, 32),
            (Trial::ChangeCipherSpec, 32),
            (Trial::KeyUpdate, 32),
            (Trial::UserCanceled, 4),
            (Trial::Ticket, 48),
        ] {
            assert_eq!(patience(&mut Temper::new(), trial), passes, "{trial:?}");
        }
    }

    #[test]
    fn data_restores_the_allowance() {
        let mut temper = Temper::new();
        patience(&mut temper, Trial::EmptyRecord);
        temper.restore(1);
        assert_eq!(patience(&mut temper, Trial::EmptyRecord), 32);
    }

    #[test]
    fn single_bytes_do_not_pay_for_key_updates() {
        let mut temper = Temper::new();
        let passed = (0..1000)
            .take_while(|_| {
                temper.restore(1);
                temper.charge(Trial::KeyUpdate).is_ok()
            })
            .count();
        assert!((32..=40).contains(&passed), "{passed}");
        temper.restore(64 * 10);
        assert_eq!(patience(&mut temper, Trial::KeyUpdate), 10);
    }
}
