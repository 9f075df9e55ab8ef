//! Pins: certificates and keys of which a verified path must have one.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::identity::Fingerprint;

/// A certificate or a key by its SHA-256 fingerprint; printed and read as `cert:` or `spki:` and hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// A whole DER certificate; it must be pinned anew with every renewal.
    Certificate(Fingerprint),
    /// A DER `SubjectPublicKeyInfo`, of a certificate or a raw public key.
    Spki(Fingerprint),
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(hash) => write!(f, "cert:{hash}"),
            Self::Spki(hash) => write!(f, "spki:{hash}"),
        }
    }
}

/// A text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPin;

impl fmt::Display for NotPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pin is cert: or spki: and a SHA-256 hash of 64 hexadecimal digits")
    }
}

impl core::error::Error for NotPin {}

impl FromStr for Pin {
    type Err = NotPin;

    fn from_str(text: &str) -> Result<Self, NotPin> {
        let (kind, hash) = text.split_once(':').ok_or(NotPin)?;
        let hash = hash.parse().map_err(|_| NotPin)?;
        match kind {
            "cert" => Ok(Self::Certificate(hash)),
            "spki" => Ok(Self::Spki(hash)),
            _ => Err(NotPin),
        }
    }
}

/// Fewer than two pins: whoever loses the one key locks everybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoBackupPin;

impl fmt::Display for NoBackupPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there must be at least two pins, one of them for a key in reserve; or call Pins::without_backup",
        )
    }
}

impl core::error::Error for NoBackupPin {}

/// What becomes of a peer that has none of the pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Enforced,
    Reported,
}

/// Who hears of peers that have none of the pins.
type Report = Arc<dyn Fn(&NotPinned) + Send + Sync>;

/// A set of pins. A path keeps them if any of its certificates, leaf to root, is pinned.
pub struct Pins {
    pins: Vec<Pin>,
    mode: Mode,
    broken: AtomicU64,
    report: Option<Report>,
}

impl Pins {
    /// Enforces these pins.
    ///
    /// # Errors
    ///
    /// [`NoBackupPin`] unless there are two different ones.
    pub fn new(pins: impl IntoIterator<Item = Pin>) -> Result<Self, NoBackupPin> {
        let pins = Self::without_backup(pins);
        match pins.pins.split_first() {
            Some((first, rest)) if rest.iter().any(|pin| pin != first) => Ok(pins),
            _ => Err(NoBackupPin),
        }
    }

    /// Enforces these pins, also where there is only one; without any, nobody passes.
    #[must_use]
    pub fn without_backup(pins: impl IntoIterator<Item = Pin>) -> Self {
        let pins = pins.into_iter().collect();
        Self { pins, mode: Mode::Enforced, broken: AtomicU64::new(0), report: None }
    }

    /// Counts and reports peers without a pin, and lets them pass: to see what enforcement would break.
    #[must_use]
    pub fn report_only(mut self) -> Self {
        self.mode = Mode::Reported;
        self
    }

    /// Calls `report` for every peer that has none of the pins, in either mode. It must not block.
    #[must_use]
    pub fn on_broken(mut self, report: impl Fn(&NotPinned) + Send + Sync + 'static) -> Self {
        self.report = Some(Arc::new(report));
        self
    }

    /// How many peers had none of the pins.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Checks the fingerprints of a path; `certificates` and `spkis` begin with the leaf's.
    pub(super) fn check(&self, certificates: &[Fingerprint], spkis: &[Fingerprint]) -> Result<(), NotPinned> {
        let kept = self.pins.iter().any(|pin| match pin {
            Pin::Certificate(hash) => certificates.contains(hash),
            Pin::Spki(hash) => spkis.contains(hash),
        });
        if kept {
            return Ok(());
        }
        self.broken.fetch_add(1, Ordering::Relaxed);
        let presented =
            certificates.iter().copied().map(Pin::Certificate).chain(spkis.iter().copied().map(Pin::Spki));
        let error = NotPinned { pins: self.pins.clone(), presented: presented.collect() };
        if let Some(report) = &self.report {
            report(&error);
        }
        match self.mode {
            Mode::Enforced => Err(error),
            Mode::Reported => Ok(()),
        }
    }
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pins").field("pins", &self.pins).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The peer's path verified, and has none of the pins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotPinned {
    /// What was wanted.
    pub pins: Vec<Pin>,
    /// What the path has.
    pub presented: Vec<Pin>,
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |pins: &[Pin]| {
            let texts: Vec<String> = pins.iter().map(|pin| alloc::format!("{pin}")).collect();
            texts.join(", ")
        };
        write!(
            f,
            "the path verified, but none of its certificates is pinned: wanted one of {}; it has {}; pin one of these \
             if the peer's key was changed on purpose",
            list(&self.pins),
            list(&self.presented)
        )
    }
}

impl core::error::Error for NotPinned {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const fn hash(byte: u8) -> Fingerprint {
        Fingerprint([byte; 32])
    }

    #[test]
    fn a_pin_is_read_as_it_is_printed() {
        for pin in [Pin::Certificate(hash(1)), Pin::Spki(hash(0xAB))] {
            assert_eq!(pin.to_string().parse(), Ok(pin));
        }
        for bad in ["", "spki", "spki:", "key:00", &hash(1).to_string()] {
            assert_eq!(bad.parse::<Pin>(), Err(NotPin), "{bad}");
        }
    }

    #[test]
    fn a_pin_without_a_backup_has_to_be_asked_for() {
        let pin = Pin::Spki(hash(1));
        assert!(matches!(Pins::new([]), Err(NoBackupPin)));
        assert!(matches!(Pins::new([pin, pin]), Err(NoBackupPin)));
        assert!(Pins::new([pin, Pin::Spki(hash(2))]).is_ok());
        assert!(Pins::without_backup([pin]).check(&[], &[hash(1)]).is_ok());
        assert!(Pins::without_backup([]).check(&[hash(1)], &[hash(1)]).is_err());
    }

    #[test]
    fn any_certificate_of_the_path_keeps_the_pins_by_its_own_kind_of_hash() {
        let pins = Pins::new([Pin::Certificate(hash(1)), Pin::Spki(hash(2))]).unwrap();
        assert!(pins.check(&[hash(9), hash(1)], &[]).is_ok());
        assert!(pins.check(&[], &[hash(9), hash(2)]).is_ok());
        assert_eq!(pins.broken(), 0);
        assert!(pins.check(&[hash(2)], &[hash(1)]).is_err());
        assert_eq!(pins.broken(), 1);
    }

    #[test]
    fn a_report_lets_pass_what_enforcement_refuses() {
        let told = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&told);
        let pins = Pins::without_backup([Pin::Spki(hash(1))]).report_only().on_broken(move |why| {
            assert!(why.to_string().contains("none of its certificates is pinned"));
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert!(pins.check(&[], &[hash(2)]).is_ok());
        assert_eq!((pins.broken(), told.load(Ordering::Relaxed)), (1, 1));
    }
}
