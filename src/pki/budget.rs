//! How much work a verification may cost: the peer chooses the certificates, so the limits are ours.

use super::VerifyError;

/// Limits on one verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Signatures checked, over all paths that are tried.
    pub signatures: usize,
    /// Certificates in a path, leaf and root included; self-issued ones between them do not count (RFC 5280 section
    /// 4.2.1.9 counts alike).
    pub path: usize,
    /// Certificates that a peer may send.
    pub certificates: usize,
    /// Comparisons of names with name constraints and of policies, over all paths that are tried.
    pub comparisons: usize,
}

impl Default for Budget {
    /// 64 signatures, paths of 10, 64 certificates, 250,000 comparisons.
    fn default() -> Self {
        Self { signatures: 64, path: 10, certificates: 64, comparisons: 250_000 }
    }
}

impl Budget {
    /// Pays for one signature check.
    pub(super) fn pay(&mut self) -> Result<(), VerifyError> {
        self.signatures = self.signatures.checked_sub(1).ok_or(VerifyError::Budget("signature checks"))?;
        Ok(())
    }

    /// Pays for one comparison.
    pub(super) fn pay_comparison(&mut self) -> Result<(), VerifyError> {
        self.comparisons =
            self.comparisons.checked_sub(1).ok_or(VerifyError::Budget("comparisons of names"))?;
        Ok(())
    }
}
