//! Object stores behind one trait of S3 verbs.
//!
//! [`Store`] is what the functions see; SDK types stop at the `s3` module. Every implementation passes one contract
//! suite. An answer that is not what was asked (another range, another total, a missing ETag) never leaves a store as
//! success: see [`StoreErrorKind`].

mod combine;
#[cfg(any(test, feature = "contract"))]
#[allow(clippy::expect_used, clippy::panic)] // It is a test, wherever it is compiled.
pub mod contract;
mod deadline;
mod digest;
mod ends;
mod error;
mod failure;
pub mod faulty;
pub mod file;
pub mod gone;
mod http;
pub mod in_order;
mod keys;
mod listing;
pub mod location;
pub mod look;
pub mod memory;
mod pace;
mod pages;
pub mod parked;
pub mod prove;
pub mod resume;
mod retry;
pub mod rewind;
pub mod s3;
pub mod sender;
mod stamp;
mod store;
pub mod tap;
mod verb;
pub mod whole;
pub mod work;

pub use combine::Combiner;
pub use deadline::{Deadline, Until};
pub use digest::{Hasher, encoded_len, hex, md5_etag};
pub use ends::Ends;
pub use error::{StoreError, StoreErrorKind};
pub use failure::{Side, failure_of};
pub use keys::account;
pub use listing::{ListedObject, ObjectListing, Shelf, Unfit};
pub use pace::Pace;
pub use pages::all_parts;
pub use retry::Backoff;
pub use stamp::{Stamp, fingerprint, is_from, is_ours, made_from};
pub use store::{
    BodyError, Complete, Condition, Created, Deleted, Head, ListedUpload, ObjectBody, ObjectRef, Opened,
    PartBody, PartListing, PartRef, PutBody, Ranged, Restore, Store, StoredPart, StoredRef, Stores, Target,
    UploadRef, Uploads, Written,
};
pub use verb::Verb;
