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
}

impl Default for Budget {
    /// 32 signatures, paths of 8, 32 certificates.
    fn default() -> Self {
        Self { signatures: 32, path: 8, certificates: 32 }
    }
}

impl Budget {
    /// Pays for one signature check.
    pub(super) fn pay(&mut self) -> Result<(), VerifyError> {
        self.signatures = self.signatures.checked_sub(1).ok_or(VerifyError::Budget("signature checks"))?;
        Ok(())
    }
}
