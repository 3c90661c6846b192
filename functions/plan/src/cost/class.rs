//! Classes of size: what an object costs depends on little else.

use serde::{Deserialize, Serialize};

use crate::{GIB, KIB, MIB};

/// A class of size, by the most bytes of an object in it. In the order of size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SizeClass {
    /// 64 KiB: requests are all that counts.
    #[serde(rename = "upTo64KiB")]
    UpTo64KiB,
    /// 1 MiB.
    #[serde(rename = "upTo1MiB")]
    UpTo1MiB,
    /// 16 MiB.
    #[serde(rename = "upTo16MiB")]
    UpTo16MiB,
    /// 64 MiB: the largest objects of batches, unless the request says otherwise.
    #[serde(rename = "upTo64MiB")]
    UpTo64MiB,
    /// 1 GiB.
    #[serde(rename = "upTo1GiB")]
    UpTo1GiB,
    /// 100 GiB.
    #[serde(rename = "upTo100GiB")]
    UpTo100GiB,
    /// Everything larger.
    #[serde(rename = "larger")]
    Larger,
}

impl SizeClass {
    /// All of them, smallest first, with the most bytes of each.
    const BOUNDS: [(Self, u64); 7] = [
        (Self::UpTo64KiB, 64 * KIB),
        (Self::UpTo1MiB, MIB),
        (Self::UpTo16MiB, 16 * MIB),
        (Self::UpTo64MiB, 64 * MIB),
        (Self::UpTo1GiB, GIB),
        (Self::UpTo100GiB, 100 * GIB),
        (Self::Larger, u64::MAX),
    ];

    /// The class of an object.
    #[must_use]
    pub fn of(size: u64) -> Self {
        Self::BOUNDS.iter().find(|(_, most)| size <= *most).map_or(Self::Larger, |(class, _)| *class)
    }

    /// What a reader calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UpTo64KiB => "up to 64 KiB",
            Self::UpTo1MiB => "up to 1 MiB",
            Self::UpTo16MiB => "up to 16 MiB",
            Self::UpTo64MiB => "up to 64 MiB",
            Self::UpTo1GiB => "up to 1 GiB",
            Self::UpTo100GiB => "up to 100 GiB",
            Self::Larger => "above 100 GiB",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SizeClass;

    #[test]
    fn bounds_belong_to_the_smaller_class() {
        let of = |size| SizeClass::of(size).name();
        assert_eq!((of(0), of(65_536), of(65_537)), ("up to 64 KiB", "up to 64 KiB", "up to 1 MiB"));
        assert_eq!((of(100 << 30), of(u64::MAX)), ("up to 100 GiB", "above 100 GiB"));
    }
}
