//! Names.
use symbolon::Error;
use crate::refusals::name_of;

/// The name.
pub fn name(error: &Error) -> &'static str {
    match error {
        Error::Refused(refusal) => name_of(refusal).unwrap_or("REFUSED"),
        _ => "OTHER",
    }
}
