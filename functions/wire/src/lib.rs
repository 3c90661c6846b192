//! The JSON of every state's input and output, and the names of failures.
//!
//! Unknown and duplicate fields are refused, names are parsed once into types, and no type here has a place for a
//! secret: a request names a *location*, whose credentials live where the workers run.
//!
//! ```
//! let text = r#"{"source": {"location": "global", "bucket": "photos", "key": "a"},
//!                "destination": {"location": "china", "bucket": "photos-cn", "key": "a", "colour": "red"}}"#;
//! let refused = transload_wire::parse::<transload_wire::TransferRequest>(text.as_bytes()).unwrap_err();
//! assert_eq!(refused.name.as_str(), "InputInvalid");
//! assert!(refused.message.starts_with("destination.colour: unknown field `colour`"), "{}", refused.message);
//! ```

mod archive;
mod attributes;
mod checksum;
mod failure;
mod manifest;
mod names;
mod options;
mod parse;
mod place;
mod plan;
mod remove;
mod report;
mod shorten;
mod source;
mod states;
mod sync;
mod thaw;
mod url;
mod window;

pub use archive::{ArchiveFormat, LeftOut, NotTaken};
pub use attributes::{
    Attributes, MAX_METADATA_BYTES, ORDER_METADATA, RESERVED_METADATA_PREFIX, SOURCE_METADATA, TOKEN_METADATA,
};
pub use checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
pub use failure::{ErrorName, Failure};
pub use manifest::{Manifest, ManifestEntry, ManifestFacts};
pub use names::{
    BucketName, Etag, LocationName, NameError, ObjectKey, RouteName, Token, UploadId, VersionId,
};
pub use options::{Encryption, Options, Overwrite, Verify, is_archive_class, is_portable_storage_class};
pub use parse::parse;
pub use place::{Destination, Event, Expect, TransferRequest};
pub use plan::{Frozen, PLAN_VERSION, PlanCopy, PlanEnd, PlanHead, PlanLine, PlanSkip};
pub use remove::{Removal, RemoveInput, RemoveOutput};
pub use report::{Counts, DeleteInput, DeleteOutput, ReportInput, ReportOutput, Round, Todo};
pub use shorten::shorten;
pub use source::{KnownChecksum, QueryPlace, Source, StoredSource, UrlSource};
pub use states::{
    AbortInput, AbortOutput, CompleteInput, CompleteOutput, CopyInput, Decision, ExecutionInfo, HeadInput,
    HeadOutput, InitInput, InitOutput, PartInput, PartOutput, PartRecord, Pinned, Proof, Requests, Upload,
};
pub use sync::{
    Archived, Bandwidth, Batch, BatchInput, BatchOutput, Budget, Compare, Delete, Deletes, Dollars, Doomed,
    Found, Item, KeyRange, Large, Left, ListInput, ListOutput, Mode, ObjectRecord, Outcome, SyncOptions,
    SyncRequest, Tally, Tree, Unfinished, Versions, WorkPlace,
};
pub use thaw::{Thaw, ThawInput, ThawOutput, Tier, WhenArchived};
pub use url::{Host, Url, UrlError};
pub use window::{check_window, opens_in};
