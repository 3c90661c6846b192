//! The operations of a store, named as S3 names them.

use std::fmt;

/// An operation. Its name stands in request counts, messages and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Facts of an object.
    HeadObject,
    /// Tags of an object.
    GetObjectTagging,
    /// Parts of an object.
    GetObjectAttributes,
    /// Bytes of an object.
    GetObject,
    /// An object in one request.
    PutObject,
    /// A new upload.
    CreateMultipartUpload,
    /// A part.
    UploadPart,
    /// Parts of an upload.
    ListParts,
    /// The end of an upload.
    CompleteMultipartUpload,
    /// The release of an upload.
    AbortMultipartUpload,
    /// Open uploads.
    ListMultipartUploads,
    /// Objects.
    ListObjectsV2,
    /// Objects with their versions.
    ListObjectVersions,
    /// The removal of an object.
    DeleteObject,
    /// The return of an object from its archive tier.
    RestoreObject,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::HeadObject,
        Self::GetObjectTagging,
        Self::GetObjectAttributes,
        Self::GetObject,
        Self::PutObject,
        Self::CreateMultipartUpload,
        Self::UploadPart,
        Self::ListParts,
        Self::CompleteMultipartUpload,
        Self::AbortMultipartUpload,
        Self::ListMultipartUploads,
        Self::ListObjectsV2,
        Self::ListObjectVersions,
        Self::DeleteObject,
        Self::RestoreObject,
    ];

    /// S3's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HeadObject => "HeadObject",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::GetObjectAttributes => "GetObjectAttributes",
            Self::GetObject => "GetObject",
            Self::PutObject => "PutObject",
            Self::CreateMultipartUpload => "CreateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::ListParts => "ListParts",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::ListObjectVersions => "ListObjectVersions",
            Self::DeleteObject => "DeleteObject",
            Self::RestoreObject => "RestoreObject",
        }
    }

    /// Whether it may change what the store holds.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::PutObject
                | Self::CreateMultipartUpload
                | Self::UploadPart
                | Self::CompleteMultipartUpload
                | Self::AbortMultipartUpload
                | Self::DeleteObject
                | Self::RestoreObject
        )
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
