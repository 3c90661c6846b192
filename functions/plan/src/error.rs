//! Why a plan can not be made. Every variant names the field, what was expected and what was found.

use thiserror::Error;

/// A refused plan. Nothing was written anywhere when one of these is returned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The object is larger than the destination stores.
    #[error("size: expected at most {max} bytes (the destination's limit for one object), found {size}")]
    ObjectTooLarge {
        /// Size of the source, in bytes.
        size: u64,
        /// The destination's limit, in bytes.
        max: u64,
    },
    /// The requested part size lies outside what the destination accepts.
    #[error("options.partSize: expected {min} to {max} bytes, found {found}")]
    PartSize {
        /// Requested size of a part, in bytes.
        found: u64,
        /// The destination's smallest part, in bytes.
        min: u64,
        /// The destination's largest part, in bytes.
        max: u64,
    },
    /// The requested part size cuts the object into too many parts.
    #[error(
        "options.partSize: expected at least {least} bytes so that {size} bytes fit {max} parts, found {found}"
    )]
    TooManyParts {
        /// Requested size of a part, in bytes.
        found: u64,
        /// The smallest part size that would do, in bytes.
        least: u64,
        /// Size of the source, in bytes.
        size: u64,
        /// The destination's limit on the number of parts.
        max: u32,
    },
    /// The source's own boundaries can not be reused at the destination.
    #[error("options.preserveEtag: the source's own parts can not be reused: {reason}")]
    SourceParts {
        /// Expected and found, in words.
        reason: String,
    },
    /// The limits contradict each other.
    #[error("location.limits: {reason}")]
    Limits {
        /// Expected and found, in words.
        reason: String,
    },
    /// A part that is already uploaded does not belong to this layout.
    #[error(
        "upload: part {part} of this layout has {expected} bytes, the upload holds one of {found}: another layout was used for it"
    )]
    LayoutMismatch {
        /// Number of the part.
        part: u32,
        /// Bytes that the layout gives it; 0 where the layout has no such part.
        expected: u64,
        /// Bytes that the destination lists.
        found: u64,
    },
    /// A part number outside of the layout, or text that is no set of part numbers.
    #[error("parts: expected part numbers from 1 to {max} such as \"1-4,9\", found {found:?}")]
    PartNumbers {
        /// What was found.
        found: String,
        /// The highest part number allowed.
        max: u32,
    },
}
