//! Names, parsed once: who holds one of these types need not check again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A text that is no name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found}")]
pub struct NameError {
    /// What would be accepted.
    pub expected: &'static str,
    /// What was found; long texts are cut.
    pub found: String,
}

impl NameError {
    fn new(expected: &'static str, found: &str) -> Self {
        let cut: String = found.chars().take(80).collect();
        let more =
            if cut.len() < found.len() { format!("... ({} bytes)", found.len()) } else { String::new() };
        Self { expected, found: format!("{cut:?}{more}") }
    }
}

/// Declares a checked string.
macro_rules! name {
    ($(#[doc = $doc:literal])+ $name:ident, $expected:literal, $check:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(NameError::new($expected, text)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// Name of a bucket, by the rules for general purpose buckets.
    BucketName,
    "a bucket name of 3 to 63 lower-case letters, digits, hyphens and single dots that begins and ends with a letter or digit and is no IP address",
    is_bucket
);
name!(
    /// Key of an object: any UTF-8 of 1 to 1,024 bytes but NUL, compared byte by byte (`/x`, `x//y` and `..` are legal).
    ObjectKey,
    "a key of 1 to 1024 bytes of UTF-8 without NUL",
    |text| (1..=1024).contains(&text.len()) && !text.contains('\0')
);
name!(
    /// Name of a configured location.
    LocationName,
    "a location name of 1 to 64 letters, digits, hyphens and underscores",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);
name!(
    /// Name of a route: the rule that started a transfer. It is a dimension of metrics, so never a name per object.
    RouteName,
    "a route's name of 1 to 64 letters, digits, hyphens and underscores",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);
name!(
    /// Id of a version of an object. S3 gives at most 1,024 bytes.
    VersionId,
    "a version id of 1 to 1024 printable ASCII characters",
    |text| is_graphic(text, 1024)
);
name!(
    /// Id of a multipart upload, as the store gave it.
    UploadId,
    "an upload id of 1 to 2048 printable ASCII characters",
    |text| is_graphic(text, 2048)
);
name!(
    /// An entity tag without its quotation marks. An MD5 only where the store says so; `-n` at its end counts parts.
    Etag,
    "an ETag of 1 to 256 printable ASCII characters without quotation marks",
    |text| is_graphic(text, 256) && !text.contains('"')
);
name!(
    /// What a transfer stamps into the metadata of what it writes, to know its own work again.
    Token,
    "a token of 16 to 64 letters, digits, hyphens and underscores",
    |text| (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
);

fn is_graphic(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

impl ObjectKey {
    /// Whether it is white space alone. S3 takes such keys; its client in Rust does not send them.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.as_str().trim().is_empty()
    }
}

fn is_bucket(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| plain(*b) || *b == b'-' || *b == b'.')
        && bytes.first().copied().is_some_and(plain)
        && bytes.last().copied().is_some_and(plain)
        && !text.contains("..")
        && text.parse::<std::net::Ipv4Addr>().is_err()
        && !(text.split('.').count() == 4 && text.split('.').all(|p| p.bytes().all(|b| b.is_ascii_digit())))
}

impl Etag {
    /// Reads the header's form, with its quotation marks.
    ///
    /// # Errors
    /// [`NameError`] for an empty or unprintable tag.
    pub fn from_header(header: &str) -> Result<Self, NameError> {
        header.trim_matches('"').parse()
    }

    /// The header's form, with quotation marks.
    #[must_use]
    pub fn to_header(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// The number of parts behind the hyphen, if the object was uploaded in parts.
    #[must_use]
    pub fn parts(&self) -> Option<u32> {
        self.0.rsplit_once('-').and_then(|(_, n)| n.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::{BucketName, Etag, ObjectKey};

    #[test]
    fn bucket_names_that_s3_refuses_are_refused() {
        let long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            &long,
            "Upper",
            "under_score",
            "192.168.5.4",
            "999.1.1.1",
            "a..b",
            "-ab",
            "ab-",
            ".ab",
            "a b",
        ] {
            assert!(bad.parse::<BucketName>().is_err(), "{bad}");
        }
        for good in ["abc", &long[1..], "a.b-c", "1.2.3", "123"] {
            assert!(good.parse::<BucketName>().is_ok(), "{good}");
        }
    }

    #[test]
    fn keys_are_any_utf8_up_to_1024_bytes() {
        let (most, over) = ("k".repeat(1024), "k".repeat(1025));
        for good in [&most, "/x", "x//y", "..", "%2F", "a+b c", "e\u{301}", "\u{e9}", "🚀", "soap", "dir/"]
        {
            assert_eq!(good.parse::<ObjectKey>().unwrap().as_str(), good);
        }
        for bad in ["", over.as_str(), "a\0b"] {
            assert!(bad.parse::<ObjectKey>().is_err());
        }
    }

    #[test]
    fn an_etag_loses_its_quotation_marks_and_knows_its_parts() {
        let etag = Etag::from_header("\"abc-12\"").unwrap();
        assert_eq!(
            (etag.as_str(), etag.parts(), etag.to_header().as_str()),
            ("abc-12", Some(12), "\"abc-12\"")
        );
        assert!(Etag::from_header("\"\"").is_err());
    }
}
