//! Checksums as S3 names and writes them, and two that other sources tell.

use serde::{Deserialize, Serialize};

/// Algorithm of a checksum. Only CRCs can be combined from parts to the whole object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-64/NVME, S3's own default.
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
    /// CRC-32C (Castagnoli).
    #[serde(rename = "CRC32C")]
    Crc32c,
    /// CRC-32 (ISO-HDLC).
    #[serde(rename = "CRC32")]
    Crc32,
    /// SHA-1; composite only for objects in parts.
    #[serde(rename = "SHA1")]
    Sha1,
    /// SHA-256; composite only for objects in parts.
    #[serde(rename = "SHA256")]
    Sha256,
    /// CRC-64/XZ, which Aliyun OSS and Tencent COS tell of what they took (`x-oss-hash-crc64ecma`). S3 has it not.
    #[serde(rename = "CRC64XZ")]
    Crc64Xz,
    /// MD5, as `Content-MD5` has it. S3 takes it for no checksum.
    #[serde(rename = "MD5")]
    Md5,
}

impl ChecksumAlgorithm {
    /// Those that prove a whole object from its parts, best first.
    pub const COMBINABLE: [Self; 3] = [Self::Crc64Nvme, Self::Crc32c, Self::Crc32];

    /// Whether a store is told what it has to be: S3's own are sent in headers, all others are only compared.
    #[must_use]
    pub fn is_sent(self) -> bool {
        !matches!(self, Self::Crc64Xz | Self::Md5)
    }

    /// S3's name, or what it would be.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "CRC64NVME",
            Self::Crc32c => "CRC32C",
            Self::Crc32 => "CRC32",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Crc64Xz => "CRC64XZ",
            Self::Md5 => "MD5",
        }
    }
}

/// Whether a checksum covers the object or the checksums of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChecksumKind {
    /// Over all bytes of the object.
    FullObject,
    /// Over the checksums of the parts (`...-n`): says nothing about another layout.
    Composite,
}

/// A checksum's value, base64 as in S3's headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// Base64 of the big-endian digest.
    pub value: String,
    /// What it covers.
    pub kind: ChecksumKind,
}
