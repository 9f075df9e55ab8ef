//! How much work a verification may cost: the peer chooses the certificates, so the limits are ours.

use super::VerifyError;

/// Limits on one verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Signatures checked, over all paths that are tried.
    pub signatures: usize,
    /// Certificates in a path, leaf and root included.
    pub path: usize,
    /// Certificates that a peer may send.
    pub certificates: usize,
    /// Comparisons of names with name constraints, over all paths that are tried.
    pub comparisons: usize,
}

impl Default for Budget {
    /// 32 signatures, paths of 8, 32 certificates, 250,000 comparisons.
    fn default() -> Self {
        Self { signatures: 32, path: 8, certificates: 32, comparisons: 250_000 }
    }
}

impl Budget {
    /// Pays for one signature check.
    pub(super) fn pay(&mut self) -> Result<(), VerifyError> {
        self.signatures = self.signatures.checked_sub(1).ok_or(VerifyError::Budget("signature checks"))?;
        Ok(())
    }

    /// Pays for one comparison of a name.
    pub(super) fn pay_comparison(&mut self) -> Result<(), VerifyError> {
        self.comparisons = self.comparisons.checked_sub(1).ok_or(VerifyError::Budget("name comparisons"))?;
        Ok(())
    }
}
