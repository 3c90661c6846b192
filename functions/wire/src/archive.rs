//! What archives are written in, and what is not in them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ErrorName, Failure};

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArchiveFormat {
    /// A tar, not compressed.
    #[serde(rename = "tar")]
    Tar,
    /// In members of gzip (RFC 1952).
    #[serde(rename = "tar.gz")]
    Gzip,
    /// In frames of Zstandard (RFC 8878).
    #[serde(rename = "tar.zst")]
    Zstd,
}

impl ArchiveFormat {
    /// By the end of a key.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let ends = |ends: [&str; 2]| ends.iter().any(|end| key.ends_with(end));
        if ends([".tar.gz", ".tgz"]) {
            Some(Self::Gzip)
        } else if ends([".tar.zst", ".tzst"]) {
            Some(Self::Zstd)
        } else {
            key.ends_with(".tar").then_some(Self::Tar)
        }
    }

    /// By the first bytes of an archive.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        match bytes {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one to skip.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Tar,
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Gzip => "tar.gz",
            Self::Zstd => "tar.zst",
        }
    }

    /// Its `Content-Type`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Tar => "application/x-tar",
            Self::Gzip => "application/gzip",
            Self::Zstd => "application/zstd",
        }
    }

    /// The level of its compression.
    ///
    /// # Errors
    /// `InputInvalid` for one that it does not have.
    pub fn level(self, asked: Option<u32>) -> Result<u32, Failure> {
        let (standard, most) = match self {
            Self::Gzip => (6, 9),
            Self::Zstd => (3, 19),
            Self::Tar => (0, 0),
        };
        match asked {
            None => Ok(standard),
            Some(level) if (1..=most).contains(&level) => Ok(level),
            Some(level) => {
                let expected = if most == 0 { "none".to_owned() } else { format!("1 to {most}") };
                Err(ErrorName::InputInvalid
                    .because(format!("pack.level: expected {expected} for {}, found {level}", self.as_str())))
            }
        }
    }
}

impl fmt::Display for ArchiveFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was found and not taken: into an archive, or out of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LeftOut {
    /// How many, by reason.
    pub reasons: BTreeMap<String, u64>,
    /// The first of them, at most [`TOLD`](Self::TOLD).
    pub examples: Vec<NotTaken>,
}

impl LeftOut {
    /// How many are named: states and histories take 256 KiB.
    pub const TOLD: usize = 20;
    /// Most characters of a name.
    const NAME: usize = 1_024;

    /// Counts one.
    pub fn add(&mut self, name: &str, reason: &str) {
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
        if self.examples.len() < Self::TOLD {
            let name = name.chars().take(Self::NAME).collect();
            self.examples.push(NotTaken { name, reason: reason.to_owned() });
        }
    }
}

/// One that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotTaken {
    /// Its key, or its name in the archive.
    pub name: String,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::{ArchiveFormat, LeftOut};

    #[test]
    fn the_first_bytes_tell_the_format() {
        assert_eq!(ArchiveFormat::of_bytes(&[0x1f, 0x8b, 8]), ArchiveFormat::Gzip);
        assert_eq!(ArchiveFormat::of_bytes(&0xfd2f_b528_u32.to_le_bytes()), ArchiveFormat::Zstd);
        assert_eq!(ArchiveFormat::of_bytes(&0x184d_2a50_u32.to_le_bytes()), ArchiveFormat::Zstd);
        assert_eq!(ArchiveFormat::of_bytes(b"name\0"), ArchiveFormat::Tar);
        assert_eq!(ArchiveFormat::of_bytes(&[]), ArchiveFormat::Tar);
    }

    #[test]
    fn all_are_counted_and_the_first_are_named() {
        let mut left_out = LeftOut::default();
        (0..30).for_each(|n| left_out.add(&format!("{n}"), if n % 2 == 0 { "even" } else { "odd" }));
        assert_eq!((left_out.reasons["even"], left_out.reasons["odd"]), (15, 15));
        assert_eq!((left_out.examples.len(), left_out.examples[19].name.as_str()), (LeftOut::TOLD, "19"));
    }
}
