//! Writes a body into a file, in place, and reads it back.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use md5::{Digest, Md5};
use rustix::fs::Advice;
use transload_wire::{Checksum, ChecksumAlgorithm, ErrorName};

use super::blocking;
use super::lock::Lock;
use super::root::World;
use super::trouble::{Call, Step};
use crate::{Hasher, PutBody, StoreError, StoreErrorKind as Kind, hex};

/// Bytes of one write: the largest of NFS.
const WRITE: usize = 1 << 20;

/// Where bytes go.
pub(super) struct Sink {
    pub(super) world: World,
    pub(super) call: Call,
    /// `None`: nowhere; only their checksum is wanted.
    pub(super) file: Option<Arc<File>>,
    pub(super) start: u64,
    /// Who is given up between two writes holds his locks until the one that is under way has ended.
    pub(super) _held: Option<Arc<(Lock, Lock)>>,
}

/// What flowed so far.
struct Sums {
    hasher: Hasher,
    md5: Option<Md5>,
    at: u64,
}

impl Sink {
    /// Takes a whole body; it is on the disk, and was read from there, when this comes back.
    pub(super) async fn pour(
        self,
        mut body: PutBody,
        algorithm: ChecksumAlgorithm,
    ) -> Result<Checksum, StoreError> {
        let sink = Arc::new(self);
        let (len, md5) = (body.len, body.md5.clone());
        let mut sums = Sums { hasher: Hasher::new(algorithm), md5: md5.is_some().then(Md5::new), at: 0 };
        let mut gathered = BytesMut::new();
        loop {
            let frame = body.stream.next().await;
            let ended = frame.is_none();
            if let Some(frame) = frame {
                let frame = frame.map_err(|failure| StoreError::of_body(&sink.call, failure))?;
                gathered.extend_from_slice(&frame);
            }
            if gathered.len() >= WRITE || ended {
                let (sink, bytes) = (Arc::clone(&sink), gathered.split().freeze());
                sums = blocking(move || sink.write(sums, &bytes, len)).await?;
            }
            if ended {
                break;
            }
        }
        if sums.at != len {
            return Err(sink.wrong_length(len, sums.at));
        }
        sink.check_md5(md5.as_deref(), sums.md5)?;
        let sent = sums.hasher.finish();
        blocking(move || sink.verify(len, sent)).await
    }

    fn write(&self, mut sums: Sums, bytes: &Bytes, len: u64) -> Result<Sums, StoreError> {
        let after = sums.at + bytes.len() as u64;
        // Not one byte into what belongs to the next part.
        if after > len {
            return Err(self.wrong_length(len, after));
        }
        sums.hasher.update(bytes);
        if let Some(md5) = &mut sums.md5 {
            md5.update(bytes);
        }
        if let Some(file) = &self.file {
            let at = self.start + sums.at;
            let written = self.world.step(Step::Write).and_then(|()| file.write_all_at(bytes, at));
            written.map_err(|error| self.call.io(&format!("write {} bytes at {at}", bytes.len()), error))?;
        }
        sums.at = after;
        Ok(sums)
    }

    fn wrong_length(&self, expected: u64, found: u64) -> StoreError {
        let message = format!("body: expected {expected} bytes, found {found}");
        StoreError::of_body(&self.call, ErrorName::PartCorrupted.because(message))
    }

    fn check_md5(&self, expected: Option<&str>, found: Option<Md5>) -> Result<(), StoreError> {
        let found = found.map(|md5| hex(&md5.finalize()));
        match (expected, found) {
            (Some(expected), Some(found)) if expected != found => {
                Err(self.call.refuse(Kind::Corrupted, format!("expected MD5 {expected}, found {found}")))
            }
            _ => Ok(()),
        }
    }

    /// Makes the bytes last, forgets what is cached of them, and compares what the disk gives with what was sent.
    fn verify(&self, len: u64, sent: Checksum) -> Result<Checksum, StoreError> {
        let Some(file) = &self.file else { return Ok(sent) };
        let synced = self.world.step(Step::Sync).and_then(|()| Ok(rustix::fs::fdatasync(file)?));
        // On NFS this is when the server has them, and tells that its disk is full.
        synced.map_err(|error| self.call.io("make it last", error))?;
        if let Some(len) = NonZeroU64::new(len) {
            // A hint: where it is not taken, the cache is compared.
            let _ = rustix::fs::fadvise(file, self.start, Some(len), Advice::DontNeed);
        }
        let found = self.read_back(file, len, sent.algorithm);
        let found = found.map_err(|error| self.call.io("read it back", error))?;
        if found != sent {
            let (algorithm, sent) = (sent.algorithm.as_str(), sent.value);
            let why = format!("expected {algorithm} {sent} (of what was sent), read back {}", found.value);
            return Err(self.call.refuse(Kind::Corrupted, why));
        }
        Ok(found)
    }

    fn read_back(&self, file: &File, len: u64, algorithm: ChecksumAlgorithm) -> io::Result<Checksum> {
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; WRITE.min(usize::try_from(len).unwrap_or(WRITE))];
        let mut done = 0;
        while done < len {
            self.world.step(Step::Read)?;
            let most = buffer.len().min(usize::try_from(len - done).unwrap_or(usize::MAX));
            let read = file.read_at(&mut buffer[..most], self.start + done)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hasher.update(&buffer[..read]);
            done += read as u64;
        }
        Ok(hasher.finish())
    }
}
