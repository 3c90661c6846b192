//! How a transfer is done. Every option has a default; none holds a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            part_size: None,
            whole_object_limit: 16 << 20,
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

/// Whether an object of this storage class can be written with it into any general purpose bucket: the other classes
/// belong to a place (an outpost, a device, a directory bucket) or to another vendor.
#[must_use]
pub fn is_portable_storage_class(class: &str) -> bool {
    STORAGE_CLASSES.contains(&class) && !["STANDARD", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE"].contains(&class)
}

impl Options {
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
        if let Some(tags) = &self.tags {
            attributes::check_tags(tags).map_err(|failure| failure.at("options.tags"))?;
        }
        Ok(())
    }
}

impl Options {
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
