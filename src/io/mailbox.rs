//! What the reading half of a split stream leaves for the writing half.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use crate::alert::AlertCode;
use crate::conn::Order;

const ANSWER_KEY_UPDATE: u32 = 1;
const PEER_UPDATED: u32 = 2;
const STOP: u32 = 4;
const ALERT: u32 = 8;
/// Where the alert's code lies, above the flags.
const CODE_SHIFT: u32 = 8;

/// One word that both halves share: orders of one kind are carried out once, however many there were.
#[derive(Clone)]
pub(super) struct Mailbox {
    shared: Arc<Shared>,
}

struct Shared {
    orders: AtomicU32,
    /// A writer that waits for its transport.
    waiting: Mutex<Option<Waker>>,
}

impl Mailbox {
    pub(super) fn new() -> Self {
        Self { shared: Arc::new(Shared { orders: AtomicU32::new(0), waiting: Mutex::new(None) }) }
    }

    /// Leaves an order, and wakes a writer that waits.
    pub(super) fn post(&self, order: Order) {
        let bits = match order {
            Order::AnswerKeyUpdate => ANSWER_KEY_UPDATE,
            Order::PeerUpdated => PEER_UPDATED,
            Order::Stop => STOP,
            Order::Alert(code) => ALERT | (u32::from(code.0) << CODE_SHIFT),
        };
        self.shared.orders.fetch_or(bits, Ordering::Release);
        let waiting = self.shared.waiting.lock().ok().and_then(|mut waiting| waiting.take());
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Whether an order waits.
    pub(super) fn is_empty(&self) -> bool {
        self.shared.orders.load(Ordering::Acquire) == 0
    }

    /// Takes all orders, what ends the connection last.
    pub(super) fn take(&self) -> impl Iterator<Item = Order> + use<> {
        let bits = match self.is_empty() {
            true => 0,
            false => self.shared.orders.swap(0, Ordering::AcqRel),
        };
        let code = AlertCode(u8::try_from((bits >> CODE_SHIFT) & 0xFF).unwrap_or(0));
        [
            (PEER_UPDATED, Order::PeerUpdated),
            (ANSWER_KEY_UPDATE, Order::AnswerKeyUpdate),
            (ALERT, Order::Alert(code)),
            (STOP, Order::Stop),
        ]
        .into_iter()
        .filter(move |(bit, _)| bits & bit != 0)
        .map(|(_, order)| order)
    }

    /// Has `waker` woken by the next order; wakes it at once when one waits already.
    #[cfg(feature = "tokio")]
    pub(super) fn register(&self, waker: &Waker) {
        if let Ok(mut waiting) = self.shared.waiting.lock() {
            match &mut *waiting {
                Some(old) => old.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
        if !self.is_empty() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn orders_are_taken_once_and_what_ends_the_connection_comes_last() {
        let mailbox = Mailbox::new();
        let reader = mailbox.clone();
        reader.post(Order::Alert(AlertCode::BAD_RECORD_MAC));
        reader.post(Order::AnswerKeyUpdate);
        reader.post(Order::AnswerKeyUpdate);
        let orders: Vec<Order> = mailbox.take().collect();
        assert_eq!(orders, vec![Order::AnswerKeyUpdate, Order::Alert(AlertCode::BAD_RECORD_MAC)]);
        assert!(mailbox.is_empty() && mailbox.take().next().is_none());
    }
}
