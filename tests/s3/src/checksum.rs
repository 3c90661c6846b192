//! The checksums S3 keeps: computed, combined from parts, read from and written to headers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Digest as _;

/// A checksum algorithm of the S3 API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// 64 bits, reflected; the default of AWS since December 2024. Only for whole objects.
    Crc64Nvme,
    /// The CRC of zip and Ethernet.
    Crc32,
    /// The CRC of iSCSI.
    Crc32C,
    /// 160 bits; only composite for multipart objects.
    Sha1,
    /// 256 bits; only composite for multipart objects.
    Sha256,
}

/// Whether a multipart object's checksum covers its bytes or the checksums of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumType {
    /// Over all bytes of the object.
    FullObject,
    /// Over the concatenated digests of the parts; written with `-<number of parts>` behind it.
    Composite,
}

impl ChecksumType {
    /// The spelling of `x-amz-checksum-type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::FullObject, Self::Composite].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A checksum as stored with an object or a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// Which algorithm.
    pub algorithm: Algorithm,
    /// Over what.
    pub kind: ChecksumType,
    /// Base64, with `-N` behind it when composite.
    pub value: String,
}

impl Checksum {
    pub(crate) fn put_header(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.value) {
            headers.insert(self.algorithm.header(), value);
        }
    }

    pub(crate) fn put_headers(&self, headers: &mut HeaderMap) {
        self.put_header(headers);
        headers.insert("x-amz-checksum-type", HeaderValue::from_static(self.kind.as_str()));
    }
}

impl Algorithm {
    /// Every algorithm this server knows.
    pub const ALL: [Self; 5] = [Self::Crc64Nvme, Self::Crc32, Self::Crc32C, Self::Sha1, Self::Sha256];

    /// The spelling of `x-amz-checksum-algorithm`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "CRC64NVME",
            Self::Crc32 => "CRC32",
            Self::Crc32C => "CRC32C",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries a value of this algorithm.
    #[must_use]
    pub const fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32C => "x-amz-checksum-crc32c",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        })
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }

    /// The type of a multipart upload that names this algorithm and no type.
    pub(crate) const fn default_type(self) -> ChecksumType {
        match self {
            Self::Crc64Nvme => ChecksumType::FullObject,
            _ => ChecksumType::Composite,
        }
    }

    pub(crate) const fn allows(self, kind: ChecksumType) -> bool {
        match kind {
            ChecksumType::FullObject => !matches!(self, Self::Sha1 | Self::Sha256),
            ChecksumType::Composite => !matches!(self, Self::Crc64Nvme),
        }
    }

    /// Bytes of a digest.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::Crc64Nvme => 8,
            Self::Crc32 | Self::Crc32C => 4,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The reflected polynomial and its width in bits; none for the SHAs.
    const fn polynomial(self) -> Option<(u64, u32)> {
        match self {
            Self::Crc64Nvme => Some((0x9A6C_9329_AC4B_C9B5, 64)),
            Self::Crc32 => Some((0xEDB8_8320, 32)),
            Self::Crc32C => Some((0x82F6_3B78, 32)),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// The digest of `bytes`, raw.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Whether `text` is base64 of a digest's length.
    pub(crate) fn accepts(self, text: &str) -> bool {
        decode(text).is_some_and(|raw| raw.len() == self.width())
    }
}

/// Computes one checksum over a stream of bytes.
pub(crate) enum Hasher {
    Crc(Algorithm, crc_fast::Digest),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        use crc_fast::CrcAlgorithm as Crc;
        let crc = |kind| Self::Crc(algorithm, crc_fast::Digest::new(kind));
        match algorithm {
            Algorithm::Crc64Nvme => crc(Crc::Crc64Nvme),
            Algorithm::Crc32 => crc(Crc::Crc32IsoHdlc),
            Algorithm::Crc32C => crc(Crc::Crc32Iscsi),
            Algorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Crc(algorithm, _) => *algorithm,
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Sha256(_) => Algorithm::Sha256,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    /// The digest, big-endian as S3 writes it.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(algorithm, digest) => {
                let all = digest.finalize().to_be_bytes();
                all[all.len() - algorithm.width()..].to_vec()
            }
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

/// Base64 as headers and XML carry it.
pub(crate) fn encode(raw: &[u8]) -> String {
    BASE64.encode(raw)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// The checksum of an object from its parts' digests and sizes, in order.
///
/// None when the algorithm has no checksum of that type.
pub(crate) fn of_parts(
    algorithm: Algorithm,
    kind: ChecksumType,
    parts: &[(Vec<u8>, u64)],
) -> Option<Checksum> {
    if !algorithm.allows(kind) {
        return None;
    }
    let value = match kind {
        ChecksumType::Composite => {
            let mut hasher = Hasher::new(algorithm);
            parts.iter().for_each(|(digest, _)| hasher.update(digest));
            format!("{}-{}", encode(&hasher.finish()), parts.len())
        }
        ChecksumType::FullObject => encode(&combine(algorithm, parts)?),
    };
    Some(Checksum { algorithm, kind, value })
}

/// The CRC of the concatenation, from the CRCs of the pieces: `crc(A || B) = crc(A) * x^(8 |B|) + crc(B)` modulo
/// the polynomial. A few microseconds a part; the operator is kept while the part length stays the same.
fn combine(algorithm: Algorithm, parts: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
    let field = algorithm.polynomial()?;
    let mut operator = (0, power_of_x(0, field));
    let mut total = 0_u64;
    for (digest, size) in parts {
        if operator.0 != *size {
            operator = (*size, power_of_x(*size, field));
        }
        let crc = digest.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        total = multiply(operator.1, total, field) ^ crc;
    }
    Some(total.to_be_bytes()[8 - algorithm.width()..].to_vec())
}

/// `x^(8 * bytes)` modulo the reflected polynomial, by squaring.
fn power_of_x(bytes: u64, field: (u64, u32)) -> u64 {
    let one = 1_u64 << (field.1 - 1);
    let mut square = one >> 8;
    let (mut result, mut left) = (one, bytes);
    while left > 0 {
        if left & 1 == 1 {
            result = multiply(result, square, field);
        }
        square = multiply(square, square, field);
        left >>= 1;
    }
    result
}

/// The product of two reflected polynomials modulo a third.
fn multiply(a: u64, mut b: u64, (polynomial, width): (u64, u32)) -> u64 {
    let mut product = 0;
    for bit in (0..width).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = (b >> 1) ^ if b & 1 == 1 { polynomial } else { 0 };
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_the_check_string() {
        // The "check" values of the CRC catalogue for "123456789", and FIPS 180 vectors for "abc".
        let hex = |raw: Vec<u8>| raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(Algorithm::Crc32.digest(b"123456789")), "cbf43926");
        assert_eq!(hex(Algorithm::Crc32C.digest(b"123456789")), "e3069283");
        assert_eq!(hex(Algorithm::Crc64Nvme.digest(b"123456789")), "ae8b14860a799888");
        assert_eq!(hex(Algorithm::Sha1.digest(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert!(hex(Algorithm::Sha256.digest(b"abc")).starts_with("ba7816bf8f01cfea"));
    }

    #[test]
    fn the_crc_of_parts_is_the_crc_of_the_whole() {
        let whole: Vec<u8> = (0..100_000_u32).map(|i| (i * 7 % 251) as u8).collect();
        for algorithm in [Algorithm::Crc64Nvme, Algorithm::Crc32, Algorithm::Crc32C] {
            for size in [1, 7, 4096, 99_999, 100_000] {
                let parts: Vec<_> =
                    whole.chunks(size).map(|piece| (algorithm.digest(piece), piece.len() as u64)).collect();
                let combined = of_parts(algorithm, ChecksumType::FullObject, &parts);
                assert_eq!(
                    combined.map(|c| c.value),
                    Some(encode(&algorithm.digest(&whole))),
                    "{algorithm:?} {size}"
                );
            }
        }
    }

    #[test]
    fn a_composite_covers_the_digests_and_counts_the_parts() {
        let parts = [(Algorithm::Sha256.digest(b"a"), 1), (Algorithm::Sha256.digest(b"b"), 1)];
        let both: Vec<u8> = parts.iter().flat_map(|(digest, _)| digest.clone()).collect();
        let sum = of_parts(Algorithm::Sha256, ChecksumType::Composite, &parts).map(|sum| sum.value);
        assert_eq!(sum, Some(format!("{}-2", encode(&Algorithm::Sha256.digest(&both)))));
        assert_eq!(of_parts(Algorithm::Sha256, ChecksumType::FullObject, &parts), None);
        assert_eq!(of_parts(Algorithm::Crc64Nvme, ChecksumType::Composite, &parts), None);
    }
}
