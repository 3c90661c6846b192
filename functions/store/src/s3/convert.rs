//! Between the SDK's types and ours. What is not of its form is `Malformed`, never guessed.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::ChecksumType;
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind, Encryption, Etag};

use crate::{StoreError, StoreErrorKind as Kind, Verb};

/// The checksum in an answer of the SDK, strongest first. All its types have the same fields without a common trait.
macro_rules! checksum_of {
    ($answer:expr) => {{
        use transload_wire::ChecksumAlgorithm as A;
        let answer = &$answer;
        [
            (A::Crc64Nvme, answer.checksum_crc64_nvme()),
            (A::Crc32c, answer.checksum_crc32_c()),
            (A::Crc32, answer.checksum_crc32()),
            (A::Sha256, answer.checksum_sha256()),
            (A::Sha1, answer.checksum_sha1()),
        ]
        .into_iter()
        .find_map(|(algorithm, value)| Some((algorithm, value?.to_owned())))
    }};
}
pub(super) use checksum_of;

/// What a checksum of a finished object covers. Full object only if that is certain: the store says so, or the object was
/// put whole.
pub(super) fn whole(
    found: Option<(ChecksumAlgorithm, String)>,
    said: Option<&ChecksumType>,
    etag: &Etag,
) -> Option<Checksum> {
    let (algorithm, value) = found?;
    let composite = value.contains('-')
        || match said {
            Some(said) => *said != ChecksumType::FullObject,
            None => etag.parts().is_some(),
        };
    let kind = if composite { ChecksumKind::Composite } else { ChecksumKind::FullObject };
    Some(Checksum { algorithm, value, kind })
}

/// The checksum of a part: always over all of its bytes.
pub(super) fn part(found: Option<(ChecksumAlgorithm, String)>) -> Option<Checksum> {
    found.map(|(algorithm, value)| Checksum { algorithm, value, kind: ChecksumKind::FullObject })
}

/// The ETag of an answer. One quotation mark without the other is an answer that was cut.
pub(super) fn etag(verb: Verb, place: &str, header: Option<&str>) -> Result<Etag, StoreError> {
    let malformed = |found: String| {
        StoreError::new(Kind::Malformed, format!("{verb} {place}: expected an ETag, found {found}"))
    };
    let header = header.ok_or_else(|| malformed("none".to_owned()))?;
    if header.starts_with('"') != header.ends_with('"') {
        return Err(malformed(format!("{header:?}")));
    }
    Etag::from_header(header).map_err(|error| malformed(error.found))
}

/// A field that an answer of a store always has.
pub(super) fn required<T>(verb: Verb, place: &str, field: &str, found: Option<T>) -> Result<T, StoreError> {
    found.ok_or_else(|| {
        StoreError::new(Kind::Malformed, format!("{verb} {place}: expected {field}, found none"))
    })
}

/// A text of an answer as one of our names.
pub(super) fn name<T>(verb: Verb, place: &str, field: &str, found: Option<&str>) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err = transload_wire::NameError>,
{
    required(verb, place, field, found)?
        .parse()
        .map_err(|error| StoreError::new(Kind::Malformed, format!("{verb} {place}: {field}: {error}")))
}

/// A version id; stores without versions say nothing, or `null`.
pub(super) fn version(found: Option<&str>) -> Option<transload_wire::VersionId> {
    found.filter(|id| *id != "null").and_then(|id| id.parse().ok())
}

/// A number that can not be negative.
pub(super) fn size(verb: Verb, place: &str, found: Option<i64>) -> Result<u64, StoreError> {
    let found = required(verb, place, "a length", found)?;
    u64::try_from(found).map_err(|_| {
        StoreError::new(Kind::Malformed, format!("{verb} {place}: expected a length, found {found}"))
    })
}

/// ISO 8601 in UTC.
/// To the second, as headers have it, so that dates compare as texts: some stores tell milliseconds in lists.
pub(super) fn time(found: Option<&DateTime>) -> String {
    let whole = found.map(|time| DateTime::from_secs(time.secs()));
    whole.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok()).unwrap_or_default()
}

/// The value of `x-amz-tagging`: a query string, percent-encoded.
pub(super) fn tagging(tags: &BTreeMap<String, String>) -> Option<String> {
    let pairs: Vec<_> =
        tags.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Algorithm, key and bucket key of an encryption.
pub(super) fn encryption(
    encryption: Option<&Encryption>,
) -> (Option<aws_sdk_s3::types::ServerSideEncryption>, Option<String>, Option<bool>) {
    use aws_sdk_s3::types::ServerSideEncryption as S;
    match encryption {
        None => (None, None, None),
        Some(Encryption::S3) => (Some(S::Aes256), None, None),
        Some(Encryption::Kms { key_id, bucket_key }) => (Some(S::AwsKms), key_id.clone(), Some(*bucket_key)),
    }
}

/// Whether a store says that it encrypted with the key service, so that ETags are no MD5.
pub(super) fn is_kms(found: Option<&aws_sdk_s3::types::ServerSideEncryption>) -> bool {
    found.is_some_and(|found| *found != aws_sdk_s3::types::ServerSideEncryption::Aes256)
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::ChecksumType;
    use transload_wire::{ChecksumAlgorithm, ChecksumKind, Etag};

    use super::{etag, tagging, whole};
    use crate::Verb;

    #[test]
    fn a_checksum_is_of_the_whole_object_only_if_that_is_certain() {
        let (put, multipart): (Etag, Etag) = ("abc".parse().unwrap(), "abc-2".parse().unwrap());
        let rows = [
            ("AAAAAA==", Some(ChecksumType::FullObject), &multipart, ChecksumKind::FullObject),
            ("AAAAAA==", Some(ChecksumType::Composite), &multipart, ChecksumKind::Composite),
            ("AAAAAA==-2", Some(ChecksumType::FullObject), &multipart, ChecksumKind::Composite),
            ("AAAAAA==-2", None, &put, ChecksumKind::Composite),
            ("AAAAAA==", None, &multipart, ChecksumKind::Composite),
            ("AAAAAA==", None, &put, ChecksumKind::FullObject),
        ];
        for (value, said, etag, expected) in rows {
            let found = whole(Some((ChecksumAlgorithm::Crc32, value.to_owned())), said.as_ref(), etag);
            assert_eq!(found.unwrap().kind, expected, "{value} {said:?} {etag}");
        }
    }

    #[test]
    fn an_etag_that_was_cut_is_no_etag() {
        for bad in [None, Some(""), Some("\"\""), Some("\"abc"), Some("abc\""), Some("a b")] {
            assert_eq!(
                etag(Verb::UploadPart, "x", bad).unwrap_err().kind,
                crate::StoreErrorKind::Malformed,
                "{bad:?}"
            );
        }
        assert_eq!(etag(Verb::UploadPart, "x", Some("\"abc-1\"")).unwrap().as_str(), "abc-1");
    }

    #[test]
    fn tags_are_a_query_string() {
        let tags = [("a b".to_owned(), "c&d=e".to_owned()), ("ü".to_owned(), String::new())].into();
        assert_eq!(tagging(&tags).unwrap(), "a%20b=c%26d%3De&%C3%BC=");
        assert_eq!(tagging(&std::collections::BTreeMap::new()), None);
    }
}
