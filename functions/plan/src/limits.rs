//! What a destination accepts. The defaults are Amazon S3's; a location's profile overrides them.

use serde::{Deserialize, Serialize};

use crate::PlanError;

/// 2^10 bytes.
pub const KIB: u64 = 1 << 10;
/// 2^20 bytes.
pub const MIB: u64 = 1 << 20;
/// 2^30 bytes.
pub const GIB: u64 = 1 << 30;
/// 2^40 bytes.
pub const TIB: u64 = 1 << 40;

/// Limits of one location. Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Largest object. S3: 10,000 parts of 5 GiB, "50 TB" (since December 2025).
    pub max_object: u64,
    /// Smallest part but for the last one. S3: 5 MiB.
    pub min_part: u64,
    /// Largest part. S3: 5 GiB.
    pub max_part: u64,
    /// Most parts of one upload. S3: 10,000.
    pub max_parts: u32,
    /// Part size where nothing else asks for a larger one.
    pub default_part: u64,
    /// Whether all parts but the last must have one size (Cloudflare R2).
    pub equal_parts: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_object: 10_000 * 5 * GIB,
            min_part: 5 * MIB,
            max_part: 5 * GIB,
            max_parts: 10_000,
            default_part: 8 * MIB,
            equal_parts: false,
        }
    }
}

impl Limits {
    /// Checks that the limits do not contradict each other or what part numbers allow (1 to 10,000).
    ///
    /// # Errors
    /// [`PlanError::Limits`] names the first contradiction.
    pub fn check(&self) -> Result<(), PlanError> {
        let refuse = |reason: String| Err(PlanError::Limits { reason });
        if self.min_part == 0 || self.min_part > self.max_part {
            return refuse(format!(
                "expected 0 < minPart <= maxPart, found {} and {}",
                self.min_part, self.max_part
            ));
        }
        if self.max_parts == 0 || self.max_parts > 10_000 {
            return refuse(format!("maxParts: expected 1 to 10000, found {}", self.max_parts));
        }
        if !(self.min_part..=self.max_part).contains(&self.default_part) {
            return refuse(format!(
                "defaultPart: expected {} to {} bytes, found {}",
                self.min_part, self.max_part, self.default_part
            ));
        }
        Ok(())
    }

    /// The largest object that parts can carry: `max_object`, or less where the parts do not reach it.
    #[must_use]
    pub fn reach(&self) -> u64 {
        self.max_object.min(self.max_part.saturating_mul(u64::from(self.max_parts)))
    }
}
