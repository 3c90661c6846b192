//! Object stores behind one trait of S3 verbs.
//!
//! [`Store`] is what the functions see; SDK types stop at the `s3` module. Every implementation passes one contract
//! suite. An answer that is not what was asked (another range, another total, a missing ETag) never leaves a store as
//! success: see [`StoreErrorKind`].

mod deadline;
mod error;
mod store;

pub use deadline::Deadline;
pub use error::{StoreError, StoreErrorKind};
pub use store::{
    BodyError, Complete, Condition, Created, Head, ListedUpload, ObjectBody, ObjectRef, PartBody,
    PartListing, PartRef, PutBody, Ranged, Store, StoredPart, Stores, Target, UploadRef, Uploads, Written,
};
