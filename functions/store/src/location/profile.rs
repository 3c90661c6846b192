//! What stores can do, by name. Only what is known of a store stands here; a location's own fields override it.

use serde::{Deserialize, Serialize};
use transload_plan::{Limits, TIB};
use transload_wire::ChecksumAlgorithm;

use crate::s3::Capabilities;

/// A named set of capabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Amazon S3: CRC64NVME, CRC32C and CRC32 over whole objects, trailers, conditional writes.
    #[default]
    Aws,
    /// Any other store, asked for nothing that some of them refuse: no checksums, no trailers, no conditions.
    Generic,
    /// Aliyun OSS. Refuses `aws-chunked`; tells the CRC-64/XZ of what it took.
    Oss,
    /// Tencent COS. The same.
    Cos,
    /// Huawei OBS. Refuses `aws-chunked`.
    Obs,
    /// Google Cloud Storage. Refuses `aws-chunked`.
    Gcs,
    /// Backblaze B2. Answers 501 to `If-None-Match`.
    B2,
    /// OVH. Refuses CRC32.
    Ovh,
    /// Cloudflare R2. Parts of one upload must have one size, but for the last.
    R2,
}

impl Profile {
    /// What it stands for.
    #[must_use]
    pub fn capabilities(self) -> Capabilities {
        match self {
            Self::Aws => Capabilities::default(),
            Self::R2 => {
                let generic = generic();
                Capabilities { limits: Limits { equal_parts: true, ..generic.limits }, ..generic }
            }
            Self::Oss | Self::Cos => {
                Capabilities { checksums: vec![ChecksumAlgorithm::Crc64Xz], ..generic() }
            }
            Self::Generic | Self::Obs | Self::Gcs | Self::B2 | Self::Ovh => generic(),
        }
    }
}

/// 5 TiB was S3's own limit until December 2025; other stores have not all followed.
fn generic() -> Capabilities {
    Capabilities {
        limits: Limits { max_object: 5 * TIB, ..Limits::default() },
        checksums: Vec::new(),
        trailers: false,
        conditional_writes: false,
        etag_md5: false,
    }
}
