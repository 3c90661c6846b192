//! Checksums of the whole object, as servers tell them in headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use transload_wire::{Checksum, ChecksumAlgorithm as A, ChecksumKind};

use super::client::Headers;
use crate::digest::{TOLD_CRC64, encoded_len, of_decimal};

/// What can be combined from parts first; then what one stream can be compared with, best first.
const ORDER: [A; 7] = [A::Crc64Nvme, A::Crc32c, A::Crc32, A::Sha256, A::Crc64Xz, A::Sha1, A::Md5];

/// The best one that is told. Of an answer with a range only what is said of the whole representation counts.
pub(super) fn checksum(headers: &Headers, whole: bool) -> Option<Checksum> {
    let mut told = digests(headers);
    told.extend(google(headers));
    for name in TOLD_CRC64 {
        told.extend(headers.get(name).and_then(of_decimal).map(|value| (A::Crc64Xz, value)));
    }
    if whole {
        told.extend(amazon(headers));
        told.extend(headers.get("content-md5").map(|value| (A::Md5, value.trim().to_owned())));
    }
    told.retain(|(algorithm, value)| is_digest(*algorithm, value));
    let best = |algorithm: &A| told.iter().find(|(found, _)| found == algorithm).cloned();
    let (algorithm, value) = ORDER.iter().find_map(best)?;
    Some(Checksum { algorithm, value, kind: ChecksumKind::FullObject })
}

/// Whether a text is base64 of as many bytes as a digest of this algorithm has.
pub(super) fn is_digest(algorithm: A, value: &str) -> bool {
    value.len() == encoded_len(algorithm) && STANDARD.decode(value).is_ok()
}

/// `x-amz-checksum-...`: composite ones say nothing of the whole.
fn amazon(headers: &Headers) -> Vec<(A, String)> {
    let composite = headers.get("x-amz-checksum-type").is_some_and(|kind| kind != "FULL_OBJECT");
    let in_parts = headers.get("etag").is_some_and(|etag| etag.contains('-'));
    if composite || (in_parts && headers.get("x-amz-checksum-type").is_none()) {
        return Vec::new();
    }
    [
        ("x-amz-checksum-crc64nvme", A::Crc64Nvme),
        ("x-amz-checksum-crc32c", A::Crc32c),
        ("x-amz-checksum-crc32", A::Crc32),
        ("x-amz-checksum-sha256", A::Sha256),
        ("x-amz-checksum-sha1", A::Sha1),
    ]
    .into_iter()
    .filter_map(|(name, algorithm)| Some((algorithm, headers.get(name)?.trim().to_owned())))
    .collect()
}

/// `x-goog-hash: crc32c=...,md5=...`, of the object as it is stored: what is decompressed on its way has others.
fn google(headers: &Headers) -> Vec<(A, String)> {
    let stored = headers.get("x-goog-stored-content-encoding").unwrap_or("identity");
    if stored != "identity" {
        return Vec::new();
    }
    let named = |pair: &str| match pair.trim().split_once('=')? {
        ("crc32c", value) => Some((A::Crc32c, value.to_owned())),
        ("md5", value) => Some((A::Md5, value.to_owned())),
        _ => None,
    };
    headers.all("x-goog-hash").flat_map(|value| value.split(',')).filter_map(named).collect()
}

/// `Repr-Digest` (RFC 9530: `sha-256=:base64:`) and `Digest` (RFC 3230: `SHA-256=base64`).
fn digests(headers: &Headers) -> Vec<(A, String)> {
    let named = |(name, value): (&str, &str)| {
        let algorithm = match name.trim().to_ascii_lowercase().as_str() {
            "sha-256" => A::Sha256,
            "sha" => A::Sha1,
            "md5" => A::Md5,
            "crc32c" => A::Crc32c,
            _ => return None,
        };
        Some((algorithm, value.trim().to_owned()))
    };
    let new = headers.all("repr-digest").flat_map(|value| value.split(',')).filter_map(|member| {
        let (name, value) = member.trim().split_once('=')?;
        named((name, value.strip_prefix(':')?.split(':').next()?))
    });
    let old = headers.all("digest").flat_map(|value| value.split(',')).filter_map(|member| {
        let (algorithm, value) = named(member.trim().split_once('=')?)?;
        let hex = algorithm == A::Crc32c && value.len() == 8 && !value.ends_with('=');
        let value =
            if hex { STANDARD.encode(u32::from_str_radix(&value, 16).ok()?.to_be_bytes()) } else { value };
        Some((algorithm, value))
    });
    new.chain(old).collect()
}

#[cfg(test)]
mod tests {
    use super::{A, checksum};
    use crate::http::client::Headers;

    fn best(headers: &[(&str, &str)], whole: bool) -> Option<(A, String)> {
        let headers = Headers::of(headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
        checksum(&headers, whole).map(|found| (found.algorithm, found.value))
    }

    /// All of "123456789", whose digests are published.
    #[test]
    fn each_header_is_read() {
        let rows = [
            (vec![("x-oss-hash-crc64ecma", "11051210869376104954")], A::Crc64Xz, "mV3Ju98ZOfo="),
            (vec![("x-cos-hash-crc64ecma", "11051210869376104954")], A::Crc64Xz, "mV3Ju98ZOfo="),
            (vec![("x-goog-hash", "crc32c=4waSgw==,md5=JfnnlDI7RTiF9RgfG2JNCw==")], A::Crc32c, "4waSgw=="),
            (
                vec![("x-goog-hash", "md5=JfnnlDI7RTiF9RgfG2JNCw=="), ("x-goog-hash", "crc32c=4waSgw==")],
                A::Crc32c,
                "4waSgw==",
            ),
            (
                vec![("x-amz-checksum-crc64nvme", "rosUhgp5mIg="), ("x-amz-checksum-type", "FULL_OBJECT")],
                A::Crc64Nvme,
                "rosUhgp5mIg=",
            ),
            (vec![("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], A::Md5, "JfnnlDI7RTiF9RgfG2JNCw=="),
            (
                vec![(
                    "repr-digest",
                    "md5=:JfnnlDI7RTiF9RgfG2JNCw==:, sha-256=:FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=:",
                )],
                A::Sha256,
                "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            ),
            (vec![("digest", "CRC32C=e3069283,MD5=JfnnlDI7RTiF9RgfG2JNCw==")], A::Crc32c, "4waSgw=="),
            (vec![("digest", "SHA=98O8HYCOBHMq32eZZczDTKeuNEE=")], A::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ];
        for (headers, algorithm, value) in rows {
            assert_eq!(best(&headers, true), Some((algorithm, value.to_owned())), "{headers:?}");
        }
    }

    #[test]
    fn what_says_nothing_of_the_whole_is_not_taken_for_it() {
        let md5 = ("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==");
        let crc = ("x-amz-checksum-crc32", "y/Q5Jg==");
        assert_eq!(best(&[md5], false), None, "of a range it is the range's");
        assert_eq!(best(&[crc], false), None);
        assert_eq!(best(&[crc, ("x-amz-checksum-type", "COMPOSITE")], true), None);
        assert_eq!(best(&[crc, ("etag", "\"abc-2\"")], true), None);
        assert_eq!(
            best(&[("x-goog-hash", "crc32c=4waSgw=="), ("x-goog-stored-content-encoding", "gzip")], true),
            None
        );
        for malformed in [
            ("content-md5", "abc"),
            ("x-oss-hash-crc64ecma", "-1"),
            ("digest", "crc32c=zzzzzzzz"),
            ("repr-digest", "md5=abc"),
        ] {
            assert_eq!(best(&[malformed], true), None, "{malformed:?}");
        }
    }
}
