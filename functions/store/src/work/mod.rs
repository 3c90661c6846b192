//! Files of the workflow's own: lists of work, results, reports. Names are keys of one bucket.
//!
//! Three places keep them: a bucket in the account and Region of the machine ([`S3Files`]), a folder ([`DirectoryFiles`])
//! that the engine of one machine uses as its bucket, and memory ([`MemoryFiles`]) for tests.
//!
//! ```
//! # async fn example() -> Result<(), transload_wire::Failure> {
//! use transload_store::work::{MemoryFiles, WorkFiles, collect};
//!
//! let files = MemoryFiles::new("lists");
//! files.put("sync/a/batches/0001.jsonl", "{}\n".into()).await?;
//! assert_eq!(files.list("sync/a/").await?[0].size, 3);
//! assert_eq!(collect(files.get("sync/a/batches/0001.jsonl").await?.unwrap()).await?, "{}\n");
//! # Ok(())
//! # }
//! ```

mod directory;
mod lines;
mod memory;
mod open;
mod plan;
mod s3;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use transload_wire::{ErrorName, Failure};

pub use directory::DirectoryFiles;
pub use lines::Lines;
pub use memory::MemoryFiles;
pub use open::{OpenWork, WORK_BUCKET_VARIABLE, WORK_DIRECTORY_VARIABLE};
pub use plan::{PlanReader, PlanWriter};
pub use s3::S3Files;

/// Bytes of a file as they come. An error ends them.
pub type WorkBody = BoxStream<'static, Result<Bytes, Failure>>;

/// A file as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFile {
    /// Its whole name.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// Keeps files under names of 1 to 1,024 bytes. Failures that may pass were tried again already; what remains is told by its
/// name, or as `WorkDenied` where somebody has to mend it.
#[async_trait]
pub trait WorkFiles: Send + Sync {
    /// The bucket, as a definition names it.
    fn bucket(&self) -> &str;

    /// Writes a file, whole or not at all; what stands there is replaced.
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure>;

    /// The same of bytes that need not fit into memory; tells how many there were. A body that fails leaves no file.
    async fn put_stream(&self, name: &str, body: WorkBody) -> Result<u64, Failure>;

    /// Reads a file; `None` if there is none.
    async fn get(&self, name: &str) -> Result<Option<WorkBody>, Failure>;

    /// All files whose names begin so, in byte order.
    async fn list(&self, prefix: &str) -> Result<Vec<WorkFile>, Failure>;

    /// Deletes a file; nothing there is no failure.
    async fn delete(&self, name: &str) -> Result<(), Failure>;
}

/// All bytes of a body: for files that are known to be small.
///
/// # Errors
/// The body's.
pub async fn collect(mut body: WorkBody) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.next().await {
        bytes.extend_from_slice(&frame?);
    }
    Ok(bytes.freeze())
}

fn check_name(name: &str) -> Result<(), Failure> {
    match name.parse::<transload_wire::ObjectKey>() {
        Ok(_) => Ok(()),
        Err(error) => Err(ErrorName::Internal.because(format!("name of a file: {error}"))),
    }
}

#[cfg(test)]
pub(crate) mod tests;
