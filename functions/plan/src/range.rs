//! A run of bytes inside an object.

use std::fmt;

/// `len` bytes from `start`. Never empty where a layout made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Number of bytes.
    pub len: u64,
}

impl ByteRange {
    /// Offset behind the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }

    /// What is left of the range after its first `received` bytes.
    #[must_use]
    pub fn after(&self, received: u64) -> Self {
        let received = received.min(self.len);
        Self { start: self.start + received, len: self.len - received }
    }
}

/// The value of an HTTP `Range` header (RFC 9110): both ends included.
impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes={}-{}", self.start, self.end().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::ByteRange;

    #[test]
    fn a_range_is_written_with_both_ends_included() {
        assert_eq!(ByteRange { start: 5, len: 3 }.to_string(), "bytes=5-7");
    }

    #[test]
    fn what_is_left_starts_at_the_received_offset() {
        let range = ByteRange { start: 10, len: 4 };
        assert_eq!(range.after(3), ByteRange { start: 13, len: 1 });
        assert_eq!(range.after(9), ByteRange { start: 14, len: 0 });
    }
}
