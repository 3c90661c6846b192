//! What an object carries beside its bytes: content headers, user metadata, tags, storage class.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{ErrorName, Failure};

/// Names of user metadata that begin like this are transload's own.
pub const RESERVED_METADATA_PREFIX: &str = "transload-";
/// User metadata that holds the [`Token`](crate::Token) of the upload: how a transfer knows its own work.
pub const TOKEN_METADATA: &str = "transload-token";
/// User metadata that holds the identity of the source's version: how a later run knows that nothing is to be done.
pub const SOURCE_METADATA: &str = "transload-source";
/// User metadata that holds when the source's version was made, and a digest of where: how an older version is kept
/// from replacing a newer one.
pub const ORDER_METADATA: &str = "transload-order";
/// S3's limit on user metadata: the bytes of all names and values.
pub const MAX_METADATA_BYTES: usize = 2_048;

/// Attributes of an object. Empty fields are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Attributes {
    /// `Content-Type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Expires`, as the source wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// User metadata, names in lower case without `x-amz-meta-`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique_map")]
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique_map")]
    pub tags: BTreeMap<String, String>,
    /// Storage class; absent for STANDARD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
}

/// Checks user metadata that a user asks for.
pub(crate) fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), Failure> {
    let refuse = |message: String| Err(ErrorName::DestinationInvalid.because(message));
    for (name, value) in metadata {
        if name.to_ascii_lowercase().starts_with(RESERVED_METADATA_PREFIX) {
            return refuse(format!(
                "expected no name that begins with {RESERVED_METADATA_PREFIX:?} (they are transload's own), found {name:?}"
            ));
        }
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            return refuse(format!("expected names of HTTP token characters, found {name:?}"));
        }
        if value.chars().any(char::is_control) {
            return refuse(format!(
                "{name}: expected a value without control characters such as CR or LF, found one"
            ));
        }
    }
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_METADATA_BYTES {
        return refuse(format!(
            "expected at most {MAX_METADATA_BYTES} bytes of names and values, found {bytes}"
        ));
    }
    Ok(())
}

/// Checks tags by the rules of S3: 10 tags, names of 1 to 128 and values of up to 256 characters, no `aws:`.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Failure> {
    let refuse = |message: String| Err(ErrorName::DestinationInvalid.because(message));
    if tags.len() > 10 {
        return refuse(format!("expected at most 10 tags, found {}", tags.len()));
    }
    for (name, value) in tags {
        if !(1..=128).contains(&name.chars().count()) {
            return refuse(format!("expected names of 1 to 128 characters, found {}", name.chars().count()));
        }
        if value.chars().count() > 256 {
            return refuse(format!(
                "{name}: expected a value of at most 256 characters, found {}",
                value.chars().count()
            ));
        }
        if name.to_ascii_lowercase().starts_with("aws:") {
            return refuse(format!("expected no name that begins with \"aws:\" (reserved), found {name:?}"));
        }
    }
    Ok(())
}

/// A map of strings in which a name may stand once: serde's own maps keep the last one silently.
pub(crate) fn unique_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct Unique;
    impl<'de> de::Visitor<'de> for Unique {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with string values")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((name, value)) = access.next_entry::<String, String>()? {
                if map.contains_key(&name) {
                    return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
                }
                map.insert(name, value);
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Unique)
}

/// [`unique_map`] for a field that may be absent.
pub(crate) fn unique_map_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    unique_map(deserializer).map(Some)
}
