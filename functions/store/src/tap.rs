//! Computes checksums over a body while it flows from one store to the other.
//!
//! The last frame is let go only when all bytes are there and the checksum over them is the expected one. A body that is
//! cut, too long or altered therefore never comes to its end, and a PUT whose body breaks off is never committed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use futures::stream::{BoxStream, StreamExt};
use md5::{Digest, Md5};
use transload_wire::{Checksum, ChecksumAlgorithm, ErrorName, Failure};

use crate::{Hasher, PutBody, hex};

/// What went through, known once the last byte was let go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flowed {
    /// One checksum for each algorithm asked for.
    pub checksums: Vec<Checksum>,
    /// MD5 in hex, if asked for.
    pub md5: Option<String>,
}

impl Flowed {
    /// The checksum of an algorithm.
    #[must_use]
    pub fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<&Checksum> {
        self.checksums.iter().find(|checksum| checksum.algorithm == algorithm)
    }
}

/// What to compute, and what must come out.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Algorithms.
    pub algorithms: Vec<ChecksumAlgorithm>,
    /// Whether MD5 is computed too.
    pub md5: bool,
    /// The checksum that the bytes must have.
    pub expected: Option<Checksum>,
}

/// Reads the result of a tap after its body was sent.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    flowed: Arc<Mutex<Option<Flowed>>>,
    algorithms: Arc<[ChecksumAlgorithm]>,
    md5: bool,
}

impl Seen {
    /// What flowed; `None` if the body did not come to its end.
    #[must_use]
    pub fn get(&self) -> Option<Flowed> {
        self.flowed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the checksum of an algorithm will be known at the end.
    #[must_use]
    pub fn computes(&self, algorithm: ChecksumAlgorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Whether the MD5 will be known at the end.
    #[must_use]
    pub const fn computes_md5(&self) -> bool {
        self.md5
    }

    /// The same, of a body that is sent once more: nothing flowed yet.
    #[must_use]
    pub(crate) fn afresh(&self) -> Self {
        Self { flowed: Arc::default(), ..self.clone() }
    }

    /// What another one knows is known here too.
    pub(crate) fn copy(&self, other: &Self) {
        if let Some(flowed) = other.get() {
            self.set(flowed);
        }
    }

    fn set(&self, flowed: Flowed) {
        *self.flowed.lock().unwrap_or_else(PoisonError::into_inner) = Some(flowed);
    }
}

/// Makes a body of exactly `len` bytes out of a stream. `place` stands in front of messages.
///
/// # Errors
/// `ChecksumMismatch` at once if nothing is to flow and something else is expected of it.
pub fn tap(
    stream: BoxStream<'static, Result<Bytes, Failure>>,
    len: u64,
    wanted: &Wanted,
    place: String,
) -> Result<(PutBody, Seen), Failure> {
    let mut algorithms = wanted.algorithms.clone();
    algorithms.extend(wanted.expected.as_ref().map(|checksum| checksum.algorithm));
    algorithms.sort_unstable();
    algorithms.dedup();
    let seen = Seen { algorithms: algorithms.as_slice().into(), md5: wanted.md5, ..Seen::default() };
    let mut tap = Tap {
        stream,
        hashers: algorithms.into_iter().map(Hasher::new).collect(),
        md5: wanted.md5.then(Md5::new),
        left: len,
        expected: wanted.expected.clone(),
        place,
        seen: seen.clone(),
    };
    if len == 0 {
        tap.finish()?;
    }
    Ok((PutBody { len, stream: tap.boxed(), md5: None, seen: Some(seen.clone()) }, seen))
}

struct Tap {
    stream: BoxStream<'static, Result<Bytes, Failure>>,
    hashers: Vec<Hasher>,
    md5: Option<Md5>,
    left: u64,
    expected: Option<Checksum>,
    place: String,
    seen: Seen,
}

impl Tap {
    fn pass(&mut self, frame: Bytes) -> Result<Bytes, Failure> {
        let len = frame.len() as u64;
        self.left = self.left.checked_sub(len).ok_or_else(|| {
            let found = format!("{}: expected {} more bytes, found {len}", self.place, self.left);
            ErrorName::SourceBroken.because(found)
        })?;
        self.hashers.iter_mut().for_each(|hasher| hasher.update(&frame));
        if let Some(md5) = &mut self.md5 {
            md5.update(&frame);
        }
        if self.left == 0 && len > 0 {
            self.finish()?;
        }
        Ok(frame)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let checksums = self.hashers.drain(..).map(Hasher::finish).collect();
        let md5 = self.md5.take().map(|md5| hex(&md5.finalize()));
        let flowed = Flowed { checksums, md5 };
        if let Some(expected) = &self.expected {
            let found = flowed.checksum(expected.algorithm).map_or("none", |found| found.value.as_str());
            if found != expected.value {
                return Err(ErrorName::ChecksumMismatch.because(format!(
                    "{}: expected {} {} (the source's own), found {found} over the bytes that arrived",
                    self.place,
                    expected.algorithm.as_str(),
                    expected.value
                )));
            }
        }
        self.seen.set(flowed);
        Ok(())
    }

    fn cut(&self) -> Failure {
        ErrorName::ConnectionLost
            .because(format!("{}: the source ended {} bytes before its length", self.place, self.left))
    }
}

impl Stream for Tap {
    type Item = Result<Bytes, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.stream.poll_next_unpin(cx));
        Poll::Ready(match next {
            Some(Ok(frame)) => Some(self.pass(frame)),
            Some(Err(failure)) => Some(Err(failure)),
            None if self.left > 0 => {
                let failure = self.cut();
                self.left = 0;
                Some(Err(failure))
            }
            None => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::{StreamExt, TryStreamExt, stream};
    use transload_wire::{Checksum, ChecksumAlgorithm, ErrorName, Failure};

    use super::{Seen, Wanted, tap};
    use crate::Hasher;

    fn crc(bytes: &[u8]) -> Checksum {
        let mut hasher = Hasher::new(ChecksumAlgorithm::Crc64Nvme);
        hasher.update(bytes);
        hasher.finish()
    }

    async fn run(
        frames: &[&'static [u8]],
        len: u64,
        expected: Option<Checksum>,
    ) -> (Result<Vec<Bytes>, Failure>, Seen) {
        let frames: Vec<_> = frames.iter().map(|frame| Ok(Bytes::from_static(frame))).collect();
        let wanted = Wanted { algorithms: vec![ChecksumAlgorithm::Crc64Nvme], md5: true, expected };
        match tap(stream::iter(frames).boxed(), len, &wanted, "s".to_owned()) {
            Ok((body, seen)) => (body.stream.try_collect().await, seen),
            Err(failure) => (Err(failure), Seen::default()),
        }
    }

    #[tokio::test]
    async fn what_flows_is_unchanged_and_its_checksums_are_known_at_the_end() {
        let (frames, seen) = run(&[b"12", b"", b"345"], 5, Some(crc(b"12345"))).await;
        assert_eq!(frames.unwrap().concat(), b"12345");
        let flowed = seen.get().unwrap();
        assert_eq!(flowed.checksum(ChecksumAlgorithm::Crc64Nvme), Some(&crc(b"12345")));
        assert_eq!(flowed.md5.as_deref(), Some("827ccb0eea8a706c4c34a16891f84e7b"));
    }

    #[tokio::test]
    async fn a_body_that_is_cut_too_long_or_altered_never_ends_well() {
        let rows = [
            (run(&[b"1234"], 5, None).await, ErrorName::ConnectionLost),
            (run(&[b"123", b"456"], 5, None).await, ErrorName::SourceBroken),
            (run(&[b"12345"], 5, Some(crc(b"12344"))).await, ErrorName::ChecksumMismatch),
            (run(&[], 0, Some(crc(b"1"))).await, ErrorName::ChecksumMismatch),
        ];
        for ((frames, seen), expected) in rows {
            assert_eq!((frames.unwrap_err().name, seen.get()), (expected, None));
        }
    }

    #[tokio::test]
    async fn nothing_flows_with_the_checksum_of_nothing() {
        let (frames, seen) = run(&[], 0, Some(crc(b""))).await;
        assert_eq!((frames.unwrap().len(), seen.get().unwrap().checksums), (0, vec![crc(b"")]));
    }
}
