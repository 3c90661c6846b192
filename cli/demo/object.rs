//! The demo's object: pseudo-random bytes from a seed, or a file of the user's; written to the source in parts.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use transload_store::{Complete, Condition, PartRef, PutBody, Store, StoreError, Target};
use transload_wire::{Attributes, ChecksumAlgorithm, ErrorName, Failure};

use crate::exit::{CliError, Outcome};
use crate::places::Place;

/// Where the bytes come from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Made from a seed: the same number of bytes gives the same bytes.
    Seed(u64),
    /// Read from a file.
    File(PathBuf),
}

/// An object to be put into the source.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// Its key.
    pub(crate) key: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// Where they come from.
    pub(crate) origin: Origin,
}

/// Bytes of a part at the source; other than the transfer's, as objects in the wild are.
const PART: u64 = 64 << 20;
/// Bytes that are in memory at a time.
const FRAME: u64 = 256 << 10;

impl Object {
    /// Headers, metadata and tags that the transfer has to carry.
    fn attributes(&self) -> Attributes {
        let pairs =
            |all: &[(&str, &str)]| all.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Attributes {
            content_type: Some("application/x-demo".to_owned()),
            cache_control: Some("max-age=3600".to_owned()),
            metadata: pairs(&[("camera", "loopback"), ("origin", "transload demo")]),
            tags: pairs(&[("team", "media"), ("keep", "no")]),
            ..Attributes::default()
        }
    }

    /// Writes the object to its place.
    ///
    /// # Errors
    /// If the file can not be read or the server refuses.
    pub(crate) async fn put(&self, store: &Arc<dyn Store>, place: &Place) -> Outcome {
        self.send(store, place)
            .await
            .map_err(|e| CliError::trouble(format!("object {} at {}", self.key, place.location), e))
    }

    async fn send(&self, store: &Arc<dyn Store>, place: &Place) -> Result<(), Trouble> {
        let target = Target {
            bucket: place.bucket.parse()?,
            key: self.key.parse()?,
            attributes: self.attributes(),
            encryption: None,
            checksum_algorithm: Some(ChecksumAlgorithm::Crc64Nvme),
        };
        if self.size <= PART {
            store.put(&target, self.body(0, self.size), &Condition::Absent).await?;
            return Ok(());
        }
        let created = store.create_upload(&target).await?;
        let upload = created.upload(&target);
        let mut parts = Vec::new();
        for (number, start) in (1..).zip((0..self.size).step_by(PART as usize)) {
            let number: transload_plan::PartNumber = number_of(number)?;
            let size = PART.min(self.size - start);
            let part = store.upload_part(&upload, number, self.body(start, size)).await?;
            parts.push(PartRef { number, size, etag: part.etag, checksum: part.checksum });
        }
        let complete = Complete { parts, size: self.size, checksum: None, condition: Condition::Absent };
        store.complete_upload(&upload, &complete).await?;
        Ok(())
    }

    fn body(&self, start: u64, len: u64) -> PutBody {
        let stream = match &self.origin {
            Origin::Seed(seed) => generated(*seed, start, len),
            Origin::File(path) => read(path.clone(), start, len),
        };
        PutBody { len, stream, md5: None, seen: None }
    }
}

type Frames = BoxStream<'static, Result<Bytes, Failure>>;

fn frames(start: u64, len: u64) -> impl Iterator<Item = (u64, usize)> {
    (0..len).step_by(FRAME as usize).map(move |at| (start + at, FRAME.min(len - at) as usize))
}

/// Each frame has a seed of its own, so that any of them can be made alone.
fn generated(seed: u64, start: u64, len: u64) -> Frames {
    let frame = move |(at, len): (u64, usize)| {
        let mut bytes = vec![0; len];
        StdRng::seed_from_u64(seed ^ at.wrapping_mul(0x9E37_79B9_7F4A_7C15)).fill_bytes(&mut bytes);
        Ok(Bytes::from(bytes))
    };
    stream::iter(frames(start, len).map(frame)).boxed()
}

fn read(path: PathBuf, start: u64, len: u64) -> Frames {
    let frame = move |(at, len): (u64, usize)| {
        let path = path.clone();
        async move {
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; len];
                let mut file = std::fs::File::open(&path)?;
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(&mut bytes)?;
                Ok::<Bytes, std::io::Error>(bytes.into())
            });
            let failed = |why: String| ErrorName::Internal.because(format!("--file at byte {at}: {why}"));
            read.await.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))
        }
    };
    stream::iter(frames(start, len).map(frame)).buffered(2).boxed()
}

fn number_of(number: u32) -> Result<transload_plan::PartNumber, Trouble> {
    transload_plan::PartNumber::new(number).map_err(|e| Trouble(e.to_string()))
}

/// Whatever went wrong, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Trouble(String);

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<transload_wire::NameError> for Trouble {
    fn from(error: transload_wire::NameError) -> Self {
        Self(error.to_string())
    }
}
