//! One data file of an inventory: unpacked as it comes, cut into lines, and held against its size and its MD5.

use std::io::Write;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::StreamExt;
use md5::{Digest, Md5};
use transload_store::work::WorkBody;
use transload_wire::Failure;

use super::document::DataFile;
use super::hex;

/// Packed bytes that are unpacked at a time: gzip makes at most a thousand times as many of them.
const SLICE: usize = 16 << 10;
/// Bytes of a line, at most: a key of 1,024 bytes is 3 KiB when it is URL-encoded, and what else a row tells is as much.
const LONGEST: usize = 64 << 10;

/// A file that is being read.
pub(super) struct Reader {
    /// Where it is.
    pub(super) place: String,
    file: DataFile,
    body: WorkBody,
    frame: Bytes,
    md5: Md5,
    size: u64,
    unpacked: MultiGzDecoder<Vec<u8>>,
    /// What is wrong with it. It is told only of a file that is the one that S3 wrote: else that is what is wrong.
    broken: Option<String>,
}

/// What came next.
pub(super) enum Next {
    /// Whole lines, each with its end; there may be none.
    Lines(Vec<u8>),
    /// All of it was read: the last line, if it has no end.
    End(Vec<u8>),
}

impl Reader {
    pub(super) fn new(file: DataFile, (place, body): (String, WorkBody)) -> Self {
        Self {
            place,
            file,
            body,
            frame: Bytes::new(),
            md5: Md5::new(),
            size: 0,
            unpacked: MultiGzDecoder::new(Vec::new()),
            broken: None,
        }
    }

    /// The next lines.
    ///
    /// # Errors
    /// The body's.
    pub(super) async fn next(&mut self) -> Result<Next, Failure> {
        if self.frame.is_empty() {
            match self.body.next().await {
                Some(frame) => self.frame = frame?,
                None => return Ok(Next::End(self.last())),
            }
        }
        let slice = self.frame.split_to(self.frame.len().min(SLICE));
        self.size += slice.len() as u64;
        self.md5.update(&slice);
        if self.broken.is_none()
            && let Err(error) = self.unpacked.write_all(&slice)
        {
            self.broken = Some(format!("expected gzip, found {error}"));
        }
        Ok(Next::Lines(self.lines()))
    }

    fn lines(&mut self) -> Vec<u8> {
        let buffer = self.unpacked.get_mut();
        if self.broken.is_some() {
            buffer.clear();
        }
        let end = buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = buffer.drain(..end).collect();
        if buffer.len() > LONGEST {
            self.broken = Some(format!("expected lines of at most {LONGEST} bytes, found a longer one"));
        }
        lines
    }

    fn last(&mut self) -> Vec<u8> {
        if self.broken.is_none()
            && let Err(error) = self.unpacked.try_finish()
        {
            self.broken = Some(format!("expected gzip, found {error}"));
        }
        std::mem::take(self.unpacked.get_mut())
    }

    /// Whether what was read is the file that S3 wrote.
    ///
    /// # Errors
    /// What was expected and found, behind the place.
    pub(super) fn check(self) -> Result<(), String> {
        let Self { place, file, md5, size, broken, .. } = self;
        let found = hex(&md5.finalize());
        if size != file.size {
            let expected = file.size;
            return Err(format!("{place}: expected {expected} bytes (as manifest.json says), found {size}"));
        }
        if found != file.md5 {
            let expected = &file.md5;
            return Err(format!("{place}: expected MD5 {expected} (as manifest.json says), found {found}"));
        }
        broken.map_or(Ok(()), |what| Err(format!("{place}: {what}")))
    }
}
