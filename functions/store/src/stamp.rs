//! What a transfer writes into the metadata of its own object, and what it sets there beside.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use transload_wire::{
    Attributes, ChecksumAlgorithm, Destination, ORDER_METADATA, Options, Pinned, SOURCE_METADATA, Source,
    TOKEN_METADATA, Token,
};

use crate::{Head, Target};

/// The entries by which a transfer knows its own work again, and an older version from a newer one.
#[derive(Debug, Clone)]
pub struct Stamp {
    token: Token,
    identity: Token,
    order: String,
}

impl Stamp {
    /// Of one version of a source.
    #[must_use]
    pub fn new(token: &Token, identity: &Token, source: &Pinned) -> Self {
        let order = format!("{}/{}", source.last_modified, origin(&source.object));
        Self { token: token.clone(), identity: identity.clone(), order }
    }

    /// Metadata with these entries.
    #[must_use]
    pub fn onto(&self, metadata: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut metadata = metadata.clone();
        let entries = [
            (TOKEN_METADATA, self.token.as_str()),
            (SOURCE_METADATA, self.identity.as_str()),
            (ORDER_METADATA, &self.order),
        ];
        metadata.extend(entries.map(|(name, value)| (name.to_owned(), value.to_owned())));
        metadata
    }
}

/// Names a source for [`ORDER_METADATA`]: 48 bits of SHA-256 tell apart the few sources that one key is written from.
fn origin(source: &Source) -> String {
    let place = place(source);
    fingerprint::<6>(&place.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What names a source, whatever its version. Not a URL's query: a signature is another one each time, and a secret.
pub(crate) fn place(source: &Source) -> Vec<String> {
    match source {
        Source::Stored(stored) => {
            [stored.location.as_str(), stored.bucket.as_str(), stored.key.as_str()].map(str::to_owned).into()
        }
        Source::Url(source) => vec!["url".to_owned(), source.url.place()],
    }
}

/// The first `BYTES` of SHA-256 over the fields, each behind its length so that no two lists read the same; in letters that
/// metadata takes.
#[must_use]
pub fn fingerprint<const BYTES: usize>(fields: &[&str]) -> String {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let hash = hash.finalize();
    URL_SAFE_NO_PAD.encode(&hash[..BYTES.min(hash.len())])
}

/// How the version of `source` that an object was made from stands to the pinned one, by their last changes: S3 tells those
/// to the second. `None` if the object says nothing about it, or was made from another source.
#[must_use]
pub fn made_from(object: &Head, source: &Pinned) -> Option<Ordering> {
    let (modified, from) = object.attributes.metadata.get(ORDER_METADATA)?.split_once('/')?;
    (from == origin(&source.object)).then(|| modified.cmp(source.last_modified.as_str()))
}

/// Whether an object was made by a transfer from this source, of whichever version.
#[must_use]
pub fn is_from(object: &Head, source: &Source) -> bool {
    let order = object.attributes.metadata.get(ORDER_METADATA).and_then(|order| order.split_once('/'));
    is_ours(object) && order.is_some_and(|(_, from)| from == origin(source))
}

/// Whether an object was written by a transfer, of whatever source.
#[must_use]
pub fn is_ours(object: &Head) -> bool {
    [TOKEN_METADATA, SOURCE_METADATA].iter().all(|name| object.attributes.metadata.contains_key(*name))
}

impl Target {
    /// The object that a transfer makes.
    #[must_use]
    pub fn of(
        destination: &Destination,
        attributes: &Attributes,
        options: &Options,
        stamp: &Stamp,
        checksum_algorithm: Option<ChecksumAlgorithm>,
    ) -> Self {
        let mut attributes = attributes.clone();
        attributes.metadata = stamp.onto(&attributes.metadata);
        Self {
            bucket: destination.bucket.clone(),
            key: destination.key.clone(),
            attributes,
            encryption: options.encryption.clone(),
            checksum_algorithm,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use transload_wire::{Attributes, ORDER_METADATA, Pinned, parse};

    use super::{Stamp, is_from, made_from};
    use crate::Head;

    fn pinned(key: &str, modified: &str) -> Pinned {
        let json = format!(
            r#"{{"object": {{"location": "g", "bucket": "abc", "key": "{key}"}}, "etag": "e", "size": 3, "lastModified": "{modified}"}}"#
        );
        parse(json.as_bytes()).unwrap()
    }

    fn object(metadata: std::collections::BTreeMap<String, String>) -> Head {
        Head {
            size: 3,
            etag: "e".parse().unwrap(),
            version: None,
            last_modified: String::new(),
            checksum: None,
            attributes: Attributes { metadata, ..Attributes::default() },
            tag_count: None,
            missing_metadata: 0,
            archived: false,
        }
    }

    #[test]
    fn versions_of_one_source_are_ordered_and_others_are_not() {
        let token = "0123456789abcdef".parse().unwrap();
        let at = |second: &str| pinned("k", &format!("2026-01-01T00:00:{second}Z"));
        let stamp = Stamp::new(&token, &token, &at("10"));
        let made = object(stamp.onto(&Default::default()));
        assert_eq!(made_from(&made, &at("09")), Some(Ordering::Greater));
        assert_eq!(made_from(&made, &at("10")), Some(Ordering::Equal));
        assert_eq!(made_from(&made, &at("11")), Some(Ordering::Less));
        assert_eq!(made_from(&made, &pinned("l", "2026-01-01T00:00:09Z")), None, "another source");
        assert_eq!(made_from(&object(Default::default()), &at("09")), None, "another writer's");
        assert!(is_from(&made, &at("10").object) && !is_from(&made, &pinned("l", "").object));
        assert!(!is_from(&object(Default::default()), &at("10").object), "another writer's");
        let odd = object([(ORDER_METADATA.to_owned(), "yesterday".to_owned())].into());
        assert_eq!(made_from(&odd, &at("09")), None);
    }
}
