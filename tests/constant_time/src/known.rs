//! What may be reported where, and why.

/// A place whose reports are expected.
pub struct Known {
    /// A file of a crate, as `crate/src/file.rs`, or with a slash at its end all that begins so.
    pub place: &'static str,
    /// Functions of that file, as they are called there.
    pub functions: &'static [&'static str],
    /// How often at most, where that tells a verdict from a secret that leaks bit by bit.
    pub most: u64,
    /// Why.
    pub why: Why,
}

/// Why a report is expected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The case is there to show that such a thing is found.
    Control,
    /// It depends on a verdict, which the protocol makes public.
    Verdict(&'static str),
    /// It depends on something that is not secret, though it is computed from a secret.
    Public(&'static str),
    /// It leaks.
    Leak(&'static str),
}

impl Known {
    /// Whether this place is meant.
    pub fn covers(&self, place: &str, function: &str) -> bool {
        let here =
            if self.place.ends_with('/') { place.starts_with(self.place) } else { place == self.place };
        // Where all is optimised as a whole, valgrind does not find the names of what was inlined.
        let nameless = function.is_empty();
        here && (nameless || self.functions.is_empty() || self.functions.contains(&function))
    }
}
