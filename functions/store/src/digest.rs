//! Checksums over bytes as they flow by.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use sha1::Digest as _;
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind};

/// Computes one checksum over a stream of bytes.
pub struct Hasher {
    algorithm: ChecksumAlgorithm,
    state: State,
}

enum State {
    Crc(crc_fast::Digest),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Md5(md5::Md5),
}

impl Hasher {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        let state = match algorithm {
            ChecksumAlgorithm::Crc64Nvme => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
            ChecksumAlgorithm::Crc32c => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            ChecksumAlgorithm::Crc32 => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            ChecksumAlgorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            ChecksumAlgorithm::Crc64Xz => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc64Xz)),
            ChecksumAlgorithm::Md5 => State::Md5(md5::Md5::new()),
        };
        Self { algorithm, state }
    }

    /// The checksum of bytes that are all at hand.
    #[must_use]
    pub fn sum(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Checksum {
        let mut hasher = Self::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(digest) => digest.update(bytes),
            State::Sha1(digest) => digest.update(bytes),
            State::Sha256(digest) => digest.update(bytes),
            State::Md5(digest) => digest.update(bytes),
        }
    }

    /// The checksum over all bytes, as S3 writes it: base64 of the big-endian digest.
    #[must_use]
    pub fn finish(self) -> Checksum {
        let value = match self.state {
            State::Crc(digest)
                if matches!(self.algorithm, ChecksumAlgorithm::Crc64Nvme | ChecksumAlgorithm::Crc64Xz) =>
            {
                STANDARD.encode(digest.finalize().to_be_bytes())
            }
            // A 32-bit CRC is handed out in the low half of the 64 bits.
            State::Crc(digest) => STANDARD.encode(&digest.finalize().to_be_bytes()[4..]),
            State::Sha1(digest) => STANDARD.encode(digest.finalize()),
            State::Sha256(digest) => STANDARD.encode(digest.finalize()),
            State::Md5(digest) => STANDARD.encode(digest.finalize()),
        };
        Checksum { algorithm: self.algorithm, value, kind: ChecksumKind::FullObject }
    }
}

/// MD5, as ETags are made of.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    md5::Md5::digest(bytes).into()
}

/// The same in hex, as ETags are written.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex(&md5(bytes))
}

/// The ETag of bytes that are put whole, at stores whose ETags are MD5s.
#[must_use]
pub fn md5_etag(bytes: &[u8]) -> Option<transload_wire::Etag> {
    md5_hex(bytes).parse().ok()
}

/// A digest in hex.
#[must_use]
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Length of an algorithm's digest in base64, padding included.
#[must_use]
pub const fn encoded_len(algorithm: ChecksumAlgorithm) -> usize {
    match algorithm {
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => 8,
        ChecksumAlgorithm::Crc64Nvme | ChecksumAlgorithm::Crc64Xz => 12,
        ChecksumAlgorithm::Md5 => 24,
        ChecksumAlgorithm::Sha1 => 28,
        ChecksumAlgorithm::Sha256 => 44,
    }
}

/// Headers in which Aliyun OSS and Tencent COS tell a CRC-64/XZ.
pub(crate) const TOLD_CRC64: [&str; 2] = ["x-oss-hash-crc64ecma", "x-cos-hash-crc64ecma"];

/// They write the number in decimal digits; here it is base64 as all others.
pub(crate) fn of_decimal(value: &str) -> Option<String> {
    value.trim().parse::<u64>().ok().map(|number| STANDARD.encode(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use transload_wire::ChecksumAlgorithm as A;

    use super::{Hasher, encoded_len};

    /// "123456789" is the check input of the CRC catalogues; the digests stand there in hex.
    #[test]
    fn each_algorithm_gives_the_published_check_value() {
        let published = [
            (A::Crc64Nvme, "rosUhgp5mIg="),
            (A::Crc32c, "4waSgw=="),
            (A::Crc32, "y/Q5Jg=="),
            (A::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (A::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
            // 995dc9bbdf1939fa in the CRC catalogue (CRC-64/XZ).
            (A::Crc64Xz, "mV3Ju98ZOfo="),
            (A::Md5, "JfnnlDI7RTiF9RgfG2JNCw=="),
        ];
        for (algorithm, expected) in published {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"1234");
            hasher.update(b"56789");
            let checksum = hasher.finish();
            assert_eq!((checksum.algorithm, checksum.value.len()), (algorithm, encoded_len(algorithm)));
            assert_eq!(checksum.value, expected);
        }
    }
}
