//! Names.
use crate::refusals::name_of;
use symbolon::Error;

/// The name.
pub fn name(error: &Error) -> &'static str {
    match error {
        Error::Refused(refusal) => name_of(refusal).unwrap_or("REFUSED"),
        _ => "OTHER",
    }
}
