//! A strict S3 server for tests, with seeded faults.
//!
//! It speaks S3 over real sockets on loopback and holds clients to the rules the vendor documents: signatures,
//! multipart limits, checksums, conditional requests. A [`FaultPlan`] makes it misbehave on purpose, the same way each
//! time.

mod checksum;
mod clock;
mod config;
mod direct;
mod errors;
mod events;
mod faults;
mod front;
mod ops;
mod record;
mod server;
mod storage;

pub use checksum::{Algorithm, Checksum, ChecksumType};
pub use config::{BucketOptions, Capabilities, DEFAULT_OWNER, Limits, Storage, Versioning};
pub use direct::{Direct, OpenUpload, StoredObject};
pub use faults::{Action, Answer, FaultPlan, Hook, Rule};
pub use front::Stream;
pub use front::rights::Asked;
pub use record::RequestRecord;
pub use server::{Builder, Server};
