//! What the shim's own answers refuse, with the alert and the name that the runner knows it by.

use std::fmt;

use symbolon::{AlertCode, Refusal};

/// A reason of the shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(pub &'static str);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Reason {}

/// Refuses with `alert`, under this name.
pub fn refuse(alert: AlertCode, name: &'static str) -> Refusal {
    Refusal::new(alert, Reason(name))
}

/// The name of a refusal that the shim made.
pub fn name_of(refusal: &Refusal) -> Option<&'static str> {
    refusal.cause().downcast_ref::<Reason>().map(|reason| reason.0)
}
