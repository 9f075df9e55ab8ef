//! What a check of revocation has at hand: the provider, the time, and what may be spent.

use alloc::format;
use alloc::string::String;

use crate::crypto::Provider;
use crate::pki::time::date;
use crate::pki::{Budget, Certificate, Moment, SignedWith, VerifyError};

/// The means of one check.
pub(in crate::pki) struct RevocationCheck<'a> {
    pub(in crate::pki) provider: &'a Provider,
    pub(in crate::pki) moment: Moment,
    pub(in crate::pki) budget: &'a mut Budget,
}

/// Something signed, with its signature.
pub(super) struct Signed<'a> {
    pub(super) with: &'a SignedWith,
    pub(super) message: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// What came of checking a signature.
pub(super) enum Signature {
    Right,
    Wrong,
    /// It is not checked at all, for this reason.
    NotRelied(String),
}

impl RevocationCheck<'_> {
    /// Whether `signer` signed; only an empty budget is an error.
    pub(super) fn check_signature(
        &mut self,
        signer: &Certificate<'_>,
        signed: &Signed<'_>,
    ) -> Result<Signature, VerifyError> {
        let by = signed.with;
        if let Some(why) = signer.key.weakness() {
            return Ok(Signature::NotRelied(format!("its signer's key, {}, {why}", signer.key)));
        }
        // There is none for MD5 and SHA-1.
        let Some(verifier) = by.by(&signer.key).and_then(|algorithm| self.provider.verifier(algorithm))
        else {
            return Ok(Signature::NotRelied(format!(
                "a signature by {by} under {} is not checked",
                signer.key
            )));
        };
        self.budget.pay()?;
        Ok(match verifier.verify(signer.spki, signed.message, signed.signature) {
            Ok(()) => Signature::Right,
            Err(_) => Signature::Wrong,
        })
    }

    /// Why something that is good from `this_update` to `next_update` is not good now.
    pub(super) fn outside(&self, this_update: i64, next_update: i64) -> Option<String> {
        let Moment { now, tolerance } = self.moment;
        if now.saturating_add(tolerance) < this_update {
            return Some(format!("begins on {}; our clock says {}", date(this_update), date(now)));
        }
        if now.saturating_sub(tolerance) > next_update {
            return Some(format!("was good until {}; our clock says {}", date(next_update), date(now)));
        }
        None
    }
}
