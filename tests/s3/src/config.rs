//! What a server enforces and supports: limits, quirks of compatible stores, options of a bucket.

use std::path::PathBuf;

/// Where object bytes are kept.
#[derive(Debug, Clone, Default)]
pub enum Storage {
    /// In memory: for objects of megabytes.
    #[default]
    Memory,
    /// As files below a directory, which is created: memory stays flat however large the objects are. The index is in
    /// memory, so objects end with the server.
    Directory(PathBuf),
}

/// Sizes and counts, as AWS documents them for general purpose buckets; smaller ones make tests small.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of every part but the last: 5 MiB.
    pub min_part: u64,
    /// Bytes of a part, of a PutObject and of a copy: 5 GiB.
    pub max_part: u64,
    /// Parts in an upload: 10,000.
    pub max_parts: u32,
    /// Bytes of an object: 10,000 parts of 5 GiB.
    pub max_object: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { min_part: 5 << 20, max_part: 5 << 30, max_parts: 10_000, max_object: 10_000 * (5 << 30) }
    }
}

/// What the server can do and how it differs from AWS. The default is AWS.
#[derive(Debug, Clone)]
pub struct Capabilities {
    /// CRC64NVME is known, and stored when a client names no checksum.
    pub crc64nvme: bool,
    /// `x-amz-checksum-*` of any algorithm is known; when not, such headers are refused with 501.
    pub checksums: bool,
    /// `aws-chunked` bodies are known; when not, they are refused with 501.
    pub trailers: bool,
    /// `aws-chunked` stays in an object's `Content-Encoding`, as SeaweedFS has it.
    pub framing_kept: bool,
    /// `If-Match` and `If-None-Match` on writes; when not, they are refused with 501.
    pub conditional_writes: bool,
    /// Conditions of writes are taken and not heeded, as older stores do.
    pub conditions_unheeded: bool,
    /// All parts but the last must have one size (R2).
    pub equal_parts: bool,
    /// A repeated CompleteMultipartUpload is answered `NoSuchUpload` instead of 200.
    pub no_such_upload_after_complete: bool,
    /// Answers about an object or a part tell the CRC-64/XZ of its bytes (`x-oss-hash-crc64ecma`), as Aliyun OSS does.
    pub crc64ecma: bool,
    /// ETags are MD5. When not they are unique and opaque, which also makes the server faster.
    pub md5_etags: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            crc64nvme: true,
            checksums: true,
            trailers: true,
            framing_kept: false,
            conditional_writes: true,
            conditions_unheeded: false,
            equal_parts: false,
            no_such_upload_after_complete: false,
            crc64ecma: false,
            md5_etags: true,
        }
    }
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// Never enabled: one version, without an id.
    #[default]
    Off,
    /// Each write makes a version.
    Enabled,
    /// Writes replace the version `null`; older ones stay.
    Suspended,
}

/// The account that owns buckets when none is named.
pub const DEFAULT_OWNER: &str = "123456789012";

/// Options of a bucket made with the server.
#[derive(Debug, Clone)]
pub struct BucketOptions {
    /// Whether old versions are kept.
    pub versioning: Versioning,
    /// The owner's account id, 12 digits.
    pub owner: String,
}

impl Default for BucketOptions {
    fn default() -> Self {
        Self { versioning: Versioning::Off, owner: DEFAULT_OWNER.to_owned() }
    }
}

impl BucketOptions {
    /// A bucket with versioning enabled.
    #[must_use]
    pub fn versioned() -> Self {
        Self { versioning: Versioning::Enabled, ..Self::default() }
    }
}
