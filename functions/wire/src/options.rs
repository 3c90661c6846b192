//! How a transfer is done. Every option has a default; none holds a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use transload_plan::{Glob, LEAST_BANDWIDTH, Slashes, Window};

use crate::thaw::{Thaw, WhenArchived};
use crate::{ErrorName, Failure, attributes};

/// When an existing destination is replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Overwrite {
    /// Unless it already holds this very version of the source, as its own metadata says. The default.
    #[default]
    IfDifferent,
    /// Always, even when it holds the same.
    Always,
    /// Never: an existing destination is `DestinationExists`.
    Never,
}

/// What is done about a source that tells no checksum of the whole object. One that does is compared with it in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verify {
    /// Its bytes are read once: one that is altered before a checksum is taken over it is not noticed. The default.
    #[default]
    Once,
    /// Its bytes are read twice, and sent only if both reads give the same. Costs a second GET of each byte.
    ReadBack,
}

/// Encryption at the destination. Without it the bucket's default applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Encryption {
    /// Keys of S3 (`AES256`).
    #[serde(rename = "AES256")]
    S3,
    /// A key of the Key Management Service, by ARN or id.
    #[serde(rename = "aws:kms", rename_all = "camelCase")]
    Kms {
        /// ARN, id or alias of the key; the account's default key without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// Whether one bucket key serves many objects (fewer calls to the service).
        #[serde(default)]
        bucket_key: bool,
    },
}

/// Options of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Options {
    /// Bytes of a part; without it the location's default, grown to what the object needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// Objects up to this many bytes are sent whole by one worker. Default 16 MiB: two parts' worth.
    pub whole_object_limit: u64,
    /// Objects up to this many bytes that are sent in parts are sent by one worker, without a Map Run. Default 0 for one object,
    /// which many workers bring over sooner, and 256 MiB for each of many, of which many are under way at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_worker_limit: Option<u64>,
    /// Workers at a time. Default 64: 64 x 90 MB/s fill 40 Gbit/s.
    pub max_concurrency: u32,
    /// Parts that one worker sends at a time. Default 2: one part's first byte is awaited while the other flows.
    pub parts_in_flight: u32,
    /// Rounds over what is missing before the transfer is parked for redrive. Default 5.
    pub rounds: u32,
    /// Wait before the second round, in seconds; doubles with each round up to 300. Default 5.
    pub backoff_seconds: u32,
    /// When an existing destination is replaced.
    pub overwrite: Overwrite,
    /// Whether to cut the parts where the source was cut, so that the ETag is the same. Default false.
    pub preserve_etag: bool,
    /// Whether the requester pays for reading the source. Default false.
    pub requester_pays: bool,
    /// Storage class at the destination; the source's where both know it, without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Encryption at the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Replaces the source's user metadata.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "attributes::unique_map_option")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// Replaces the source's tags.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "attributes::unique_map_option")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether the source's tags are read and set. Needs the right to read tags. Default true.
    pub copy_tags: bool,
    /// What is done about a source without a checksum of the whole object. Default `once`.
    pub verify: Verify,
    /// Whether the object is deleted at the destination once the source does not have it any more, if it was copied from
    /// there. The destination then follows the source whatever is asked for. Default false.
    pub delete: bool,
    /// What is done about a source in an archive tier. Default `fail`.
    pub archived: WhenArchived,
    /// How a source is asked back from an archive tier; only with `archived: "thaw"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thaw: Option<Thaw>,
    /// Only an object whose user metadata match all of these is sent: patterns (`*`, `?`) by name. Names are compared without
    /// case, as S3 keeps them; a name that the object does not have matches nothing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "attributes::unique_map_option")]
    pub metadata_filter: Option<BTreeMap<String, String>>,
    /// Most bytes per second that all workers together read, 131,072 or more; without it as many as they can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<u64>,
    /// When bytes may begin to move; at any time without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            part_size: None,
            whole_object_limit: 16 << 20,
            single_worker_limit: None,
            max_concurrency: 64,
            parts_in_flight: 2,
            rounds: 5,
            backoff_seconds: 5,
            overwrite: Overwrite::default(),
            preserve_etag: false,
            requester_pays: false,
            storage_class: None,
            encryption: None,
            metadata: None,
            tags: None,
            copy_tags: true,
            verify: Verify::default(),
            delete: false,
            archived: WhenArchived::default(),
            thaw: None,
            metadata_filter: None,
            bandwidth: None,
            window: None,
        }
    }
}

/// Storage classes of S3 that PutObject accepts.
const STORAGE_CLASSES: [&str; 11] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
];

/// Whether objects of this storage class have to be restored before they are read.
#[must_use]
pub fn is_archive_class(class: &str) -> bool {
    matches!(class, "GLACIER" | "DEEP_ARCHIVE")
}

/// Whether an object of this storage class can be written with it into any general purpose bucket: the other classes
/// belong to a place (an outpost, a device, a directory bucket) or to another vendor.
#[must_use]
pub fn is_portable_storage_class(class: &str) -> bool {
    STORAGE_CLASSES.contains(&class) && !["STANDARD", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE"].contains(&class)
}

impl Options {
    /// As [`check`](Self::check), and options of a copy that an archive can not follow: better refused than not done. `who` does
    /// not follow them.
    ///
    /// # Errors
    /// [`ErrorName::InputInvalid`] with the option too.
    pub fn check_of_archive(&self, who: &str) -> Result<(), Failure> {
        self.check()?;
        for (asked, field) in [
            (self.preserve_etag, "preserveEtag"),
            (self.delete, "delete"),
            (self.verify != Verify::Once, "verify"),
            (self.archived != WhenArchived::Fail, "archived"),
            (self.metadata_filter.is_some(), "metadataFilter"),
            (self.bandwidth.is_some(), "bandwidth"),
            (self.window.is_some(), "window"),
        ] {
            if asked {
                return Err(ErrorName::InputInvalid.because(format!(
                    "options.{field}: expected none, for {who} does not follow it, found one"
                )));
            }
        }
        Ok(())
    }

    /// What no destination accepts.
    ///
    /// # Errors
    /// [`ErrorName::InputInvalid`] for a number out of range, [`ErrorName::DestinationInvalid`] for metadata, tags or a
    /// storage class that S3 refuses.
    pub fn check(&self) -> Result<(), Failure> {
        range("maxConcurrency", self.max_concurrency, 1, 10_000)?;
        range("partsInFlight", self.parts_in_flight, 1, 16)?;
        range("rounds", self.rounds, 1, 100)?;
        range("backoffSeconds", self.backoff_seconds, 1, 3_600)?;
        self.check_delete()?;
        self.check_line()?;
        crate::thaw::check(self.archived, self.thaw.as_ref())?;
        if let Some(class) = self.storage_class.as_deref().filter(|class| !STORAGE_CLASSES.contains(class)) {
            let expected = STORAGE_CLASSES.join(", ");
            return Err(ErrorName::DestinationInvalid
                .because(format!("options.storageClass: expected one of {expected}, found {class:?}")));
        }
        if let Some(Encryption::Kms { key_id: Some(key), .. }) = &self.encryption {
            check_key(key)?;
        }
        if let Some(metadata) = &self.metadata {
            attributes::check_metadata(metadata).map_err(|failure| failure.at("options.metadata"))?;
        }
        self.check_filter()?;
        if let Some(tags) = &self.tags {
            attributes::check_tags(tags).map_err(|failure| failure.at("options.tags"))?;
        }
        Ok(())
    }
}

/// What one worker sends of many objects: in about ten seconds at 25 MB/s.
const ONE_OF_MANY: u64 = 256 << 20;

impl Options {
    /// The same for each of many objects.
    #[must_use]
    pub fn of_many(mut self) -> Self {
        self.single_worker_limit.get_or_insert(ONE_OF_MANY);
        self
    }

    /// Two transfers that each replace whatever stands would take turns for ever, for each looks again after its write.
    /// Whether the source is looked at once more after a write, if no version of it was asked for. A condition on an ETag does
    /// not order executions: where the source went from one content to another and back, its first and its last version have
    /// one ETag. A condition on nothing being there does, in a store that honours it.
    #[must_use]
    pub fn looks_again(&self, replaces: bool, conditional: bool) -> bool {
        let orders = match self.overwrite {
            Overwrite::Never => true,
            Overwrite::IfDifferent => !replaces && conditional,
            Overwrite::Always => false,
        };
        self.delete || !orders
    }

    /// Whether an object with this metadata is to be sent.
    #[must_use]
    pub fn takes_metadata(&self, found: &BTreeMap<String, String>) -> bool {
        self.metadata_filter.iter().flatten().all(|(name, pattern)| {
            let mut named = found.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
            // What is no pattern was refused.
            let glob = Glob::new(pattern, Slashes::Cross);
            named.any(|(_, value)| glob.as_ref().is_ok_and(|glob| glob.matches(value)))
        })
    }

    fn check_filter(&self) -> Result<(), Failure> {
        let Some(filter) = &self.metadata_filter else { return Ok(()) };
        let refuse =
            |what: String| Err(ErrorName::InputInvalid.because(format!("options.metadataFilter{what}")));
        if filter.is_empty() {
            return refuse(": expected at least one name, found none".to_owned());
        }
        for (name, pattern) in filter {
            if name.is_empty() {
                return refuse(": expected names of metadata, found an empty one".to_owned());
            }
            if let Err(error) = Glob::new(pattern, Slashes::Cross) {
                return refuse(format!(".{name}: {error}"));
            }
        }
        Ok(())
    }

    fn check_line(&self) -> Result<(), Failure> {
        if let Some(found) = self.bandwidth.filter(|found| *found < LEAST_BANDWIDTH) {
            return Err(ErrorName::InputInvalid.because(format!(
                "options.bandwidth: expected at least {LEAST_BANDWIDTH} bytes per second, found {found}"
            )));
        }
        let checked = self.window.as_ref().map_or(Ok(()), Window::check);
        checked.map_err(|what| ErrorName::InputInvalid.because(format!("options.window.{what}")))
    }

    fn check_delete(&self) -> Result<(), Failure> {
        if self.delete && self.overwrite != Overwrite::IfDifferent {
            return Err(ErrorName::InputInvalid.because(
                "options.delete: expected options.overwrite ifDifferent beside it, found always or never",
            ));
        }
        Ok(())
    }
}

/// A key's ARN must be whole and of one partition: `arn:aws-cn:` and a Region of China belong together. Ids and aliases
/// are the service's to judge.
fn check_key(key: &str) -> Result<(), Failure> {
    let refuse = |expected: &str| {
        Err(ErrorName::InputInvalid
            .because(format!("options.encryption.keyId: expected {expected}, found {key:?}")))
    };
    if key.is_empty() || key.len() > 2_048 || key.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refuse("an id, alias or ARN of a key of 1 to 2048 characters without spaces");
    }
    let Some(arn) = key.strip_prefix("arn:") else { return Ok(()) };
    let mut fields = arn.splitn(5, ':');
    let (Some(partition), Some("kms"), Some(region), Some(_account), Some(_key)) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return refuse("arn:PARTITION:kms:REGION:ACCOUNT:key/ID or alias/NAME");
    };
    if (partition == "aws-cn") != region.starts_with("cn-") {
        return refuse("partition and Region of one kind (aws-cn with cn-...)");
    }
    Ok(())
}

fn range(field: &str, found: u32, least: u32, most: u32) -> Result<(), Failure> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(ErrorName::InputInvalid
        .because(format!("options.{field}: expected {least} to {most}, found {found}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ErrorName, Options};

    fn options(json: &str) -> Options {
        crate::parse(json.as_bytes()).unwrap()
    }

    fn takes(filter: &str, found: &[(&str, &str)]) -> bool {
        let found: BTreeMap<_, _> = found.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        options(&format!(r#"{{"metadataFilter": {filter}}}"#)).takes_metadata(&found)
    }

    #[test]
    fn every_pattern_of_a_filter_has_to_match() {
        let found = [("team", "maps/eu"), ("stage", "")];
        assert!(takes(r#"{"team": "maps*"}"#, &found), "a value is no path");
        assert!(takes(r#"{"Team": "m?ps/*", "stage": "*"}"#, &found));
        assert!(!takes(r#"{"team": "maps*", "stage": "?"}"#, &found));
        assert!(!takes(r#"{"colour": "*"}"#, &found), "what is not there matches nothing");
        assert!(!takes(r#"{"team": "MAPS*"}"#, &found));
        assert!(Options::default().takes_metadata(&BTreeMap::new()));
    }

    #[test]
    fn what_no_line_and_no_filter_can_be_is_refused_by_its_field() {
        for (json, told) in [
            (
                r#"{"bandwidth": 131071}"#,
                "options.bandwidth: expected at least 131072 bytes per second, found 131071",
            ),
            (
                r#"{"window": {"opens": "22:00", "closes": "22:00"}}"#,
                "options.window.closes: expected another time than opens (no window: always), found \"22:00\"",
            ),
            (
                r#"{"window": {"opens": "24:00", "closes": "22:00"}}"#,
                "options.window.opens: expected a time from 00:00 to 23:59, found \"24:00\"",
            ),
            (r#"{"metadataFilter": {}}"#, "options.metadataFilter: expected at least one name, found none"),
            (
                r#"{"metadataFilter": {"": "*"}}"#,
                "options.metadataFilter: expected names of metadata, found an empty one",
            ),
            (
                r#"{"metadataFilter": {"team": ""}}"#,
                "options.metadataFilter.team: expected a pattern of 1 to",
            ),
        ] {
            let refused = options(json).check().unwrap_err();
            assert_eq!(refused.name, ErrorName::InputInvalid);
            assert!(refused.message.starts_with(told), "{refused}");
        }
        for (json, told) in [
            (
                r#"{"window": {"opens": "7:00", "closes": "22:00"}}"#,
                "window.opens: expected a time from 00:00 to 24:00, found \"7:00\"",
            ),
            (
                r#"{"window": {"opens": "07:00", "closes": "22:00", "utcOffset": "8"}}"#,
                "window.utcOffset: expected an offset",
            ),
            (r#"{"window": {"opens": "07:00", "closes": "22:00", "days": ["Monday"]}}"#, "window.days"),
            (r#"{"window": {"opens": "07:00"}}"#, "window: missing field `closes`"),
        ] {
            let refused = crate::parse::<Options>(json.as_bytes()).unwrap_err();
            assert!(refused.message.starts_with(told), "{refused}");
        }
    }
}
