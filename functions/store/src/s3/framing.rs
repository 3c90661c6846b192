//! The `aws-chunked` form of a body: chunks, each with its length in front, then the checksum as a trailer.
//!
//! Chunks are cut out of the frames that come by, without copying. 1 MiB a chunk: 13 bytes of framing to a MiB, and no
//! store has to hold more than that to read one. (The vendor asks for at least 8 KiB in all but the last.)

use std::collections::VecDeque;

use bytes::Bytes;
use transload_wire::{Checksum, ChecksumAlgorithm};

use crate::digest::encoded_len;

/// Bytes of a chunk but the last.
const CHUNK: u64 = 1 << 20;

/// Name of the header, or trailer, of a checksum.
pub(super) fn header_name(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
        ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
        ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
        ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
        // No profile offers these two for writing.
        ChecksumAlgorithm::Crc64Xz => "x-oss-hash-crc64ecma",
        ChecksumAlgorithm::Md5 => "content-md5",
    }
}

/// Cuts a body of known length into chunks.
pub(super) struct Chunker {
    /// Bytes of the body not yet framed.
    left: u64,
    /// Bytes that the open chunk still takes.
    open: u64,
    first: bool,
}

impl Chunker {
    pub(super) fn new(len: u64) -> Self {
        Self { left: len, open: 0, first: true }
    }

    /// Bytes of the whole encoding.
    pub(super) fn encoded_len(len: u64, algorithm: ChecksumAlgorithm) -> u64 {
        let whole = (len / CHUNK) * (CHUNK + framing(CHUNK));
        let last = len % CHUNK;
        let last = if last > 0 { last + framing(last) } else { 0 };
        whole + last + trailer_len(algorithm)
    }

    /// Frames the next bytes of the body, which never exceed what is left.
    pub(super) fn push(&mut self, mut bytes: Bytes, out: &mut VecDeque<Bytes>) {
        while !bytes.is_empty() {
            if self.open == 0 {
                out.push_back(self.start());
            }
            let take = usize::try_from(self.open).map_or(bytes.len(), |open| open.min(bytes.len()));
            let piece = bytes.split_to(take);
            self.open -= take as u64;
            self.left -= take as u64;
            out.push_back(piece);
        }
    }

    /// Opens a chunk; ends the one before.
    fn start(&mut self) -> Bytes {
        self.open = self.left.min(CHUNK);
        let end = if std::mem::take(&mut self.first) { "" } else { "\r\n" };
        Bytes::from(format!("{end}{:x}\r\n", self.open))
    }

    /// The end: an empty chunk and the trailer.
    pub(super) fn end(&self, checksum: &Checksum) -> Bytes {
        let end = if self.first { "" } else { "\r\n" };
        Bytes::from(format!("{end}0\r\n{}:{}\r\n\r\n", header_name(checksum.algorithm), checksum.value))
    }
}

/// Length in hex, its line's end, and the line's end behind the bytes.
fn framing(len: u64) -> u64 {
    u64::from(16 - len.leading_zeros() / 4) + 4
}

fn trailer_len(algorithm: ChecksumAlgorithm) -> u64 {
    ("0\r\n".len() + header_name(algorithm).len() + ":".len() + encoded_len(algorithm) + "\r\n\r\n".len())
        as u64
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use transload_wire::ChecksumAlgorithm;

    use super::{CHUNK, Chunker};
    use crate::Hasher;

    fn encode(body: &[u8], frame: usize) -> Vec<u8> {
        let (mut chunker, mut out) = (Chunker::new(body.len() as u64), VecDeque::new());
        let mut hasher = Hasher::new(ChecksumAlgorithm::Crc64Nvme);
        hasher.update(body);
        body.chunks(frame).for_each(|piece| chunker.push(Bytes::copy_from_slice(piece), &mut out));
        out.push_back(chunker.end(&hasher.finish()));
        out.iter().flatten().copied().collect()
    }

    #[test]
    fn a_small_body_is_one_chunk_and_a_trailer() {
        let expected = "9\r\n123456789\r\n0\r\nx-amz-checksum-crc64nvme:rosUhgp5mIg=\r\n\r\n";
        assert_eq!(encode(b"123456789", 4), expected.as_bytes());
    }

    #[test]
    fn the_announced_length_is_the_encoded_length() {
        let chunk = CHUNK as usize;
        for len in [1, 15, 16, 4095, 4096, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17] {
            let encoded = encode(&vec![7; len], 300_000).len() as u64;
            assert_eq!(encoded, Chunker::encoded_len(len as u64, ChecksumAlgorithm::Crc64Nvme), "{len}");
        }
    }

    #[test]
    fn chunks_are_cut_at_their_length_whatever_the_frames() {
        let body: Vec<u8> = (0..2 * CHUNK + 100).map(|n| n as u8).collect();
        let encoded = encode(&body, 77_777);
        let chunk = CHUNK as usize;
        assert_eq!(&encoded[..8], b"100000\r\n");
        assert_eq!(&encoded[8..8 + chunk], &body[..chunk]);
        assert_eq!(&encoded[8 + chunk..18 + chunk], b"\r\n100000\r\n");
        assert_eq!(&encoded[18 + 2 * chunk..24 + 2 * chunk], b"\r\n64\r\n");
    }
}
