//! Where an object is read and where it is written, and the execution's input.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::source::{Source, StoredSource, UrlSource};
use crate::thaw::WhenArchived;
use crate::url::Url;
use crate::{BucketName, ErrorName, Etag, Failure, LocationName, ObjectKey, Options, RouteName};

/// An object to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "DestinationFields")]
pub struct Destination {
    /// The configured location that holds the bucket.
    pub location: LocationName,
    /// The bucket.
    pub bucket: BucketName,
    /// The key, raw.
    pub key: ObjectKey,
}

/// What may stand in a destination.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DestinationFields {
    location: LocationName,
    bucket: Option<BucketName>,
    key: Option<ObjectKey>,
    path: Option<String>,
}

impl TryFrom<DestinationFields> for Destination {
    type Error = String;

    fn try_from(fields: DestinationFields) -> Result<Self, String> {
        let (bucket, key) = bucket_and_key(fields.bucket, fields.key, fields.path.as_deref())?;
        Ok(Self { location: fields.location, bucket, key })
    }
}

/// A bucket and a key, or a path: of a file system, the name of a root and what is beneath it.
pub(crate) fn bucket_and_key(
    bucket: Option<BucketName>,
    key: Option<ObjectKey>,
    path: Option<&str>,
) -> Result<(BucketName, ObjectKey), String> {
    let Some(path) = path else {
        return Ok((bucket.ok_or("missing field `bucket`")?, key.ok_or("missing field `key`")?));
    };
    if bucket.is_some() || key.is_some() {
        return Err("expected `bucket` and `key`, or `path`, found both".to_owned());
    }
    let (bucket, rest) = root_and_rest(path)?;
    let key = rest.parse().map_err(|error| format!("path: expected ROOT/PATH, found {path:?}: {error}"))?;
    Ok((bucket, key))
}

/// A bucket and a prefix, or a path.
pub(crate) fn bucket_and_prefix(
    bucket: Option<BucketName>,
    prefix: Option<String>,
    path: Option<&str>,
) -> Result<(BucketName, String), String> {
    let Some(path) = path else {
        return Ok((bucket.ok_or("missing field `bucket`")?, prefix.unwrap_or_default()));
    };
    if bucket.is_some() || prefix.is_some() {
        return Err("expected `bucket` and `prefix`, or `path`, found both".to_owned());
    }
    root_and_rest(path).map(|(bucket, rest)| (bucket, rest.to_owned()))
}

fn root_and_rest(path: &str) -> Result<(BucketName, &str), String> {
    let (root, rest) = path.split_once('/').unwrap_or((path, ""));
    let root = root.parse().map_err(|error| format!("path: expected ROOT/PATH, found {path:?}: {error}"))?;
    Ok((root, rest))
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:s3://{}/{}", self.location, self.bucket, self.key)
    }
}

/// What both ends have to be, or nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// ETag of the source.
    pub etag: Etag,
    /// ETag of what stands at the destination; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
}

/// What happened to the source, as far as whoever asks knows. What is to be done is found by looking: events come twice,
/// late and in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// It was made or overwritten.
    Created,
    /// It was deleted, or one of its versions was.
    Deleted,
}

/// Input of an execution of `object.asl.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Fields")]
pub struct TransferRequest {
    /// What to read.
    pub source: Source,
    /// Where to write it.
    pub destination: Destination,
    /// How; every option has a default.
    #[serde(default)]
    pub options: Options,
    /// What both ends have to be: another version of the source is never sent in place of that which was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// The rule that asks for it, for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
    /// ARN of the execution of `bucket.asl.json` that it is part of: if that one was paused, what was sent is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Why it is asked for. `deleted` does nothing unless the options allow to delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
}

/// What may stand in an execution's input: a request, or an event of the forerunner that read URLs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    source: Option<Source>,
    destination: Option<Destination>,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    expect: Option<Expect>,
    #[serde(default)]
    route: Option<RouteName>,
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    event: Option<Event>,
    #[serde(rename = "source_url", default)]
    source_url: Option<Url>,
    #[serde(rename = "target_object_name", default)]
    target_object_name: Option<ObjectKey>,
    #[serde(rename = "target_region", default)]
    target_region: Option<LocationName>,
    #[serde(rename = "target_bucket_name", default)]
    target_bucket_name: Option<BucketName>,
}

impl TryFrom<Fields> for TransferRequest {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        fn need<T>(field: Option<T>, name: &str) -> Result<T, String> {
            field.ok_or_else(|| format!("missing field `{name}`"))
        }
        let (region, bucket, key) =
            (fields.target_region, fields.target_bucket_name, fields.target_object_name);
        let Some(url) = fields.source_url else {
            if region.is_some() || bucket.is_some() || key.is_some() {
                return Err("missing field `source_url` beside `target_...`".to_owned());
            }
            return Ok(Self {
                source: need(fields.source, "source")?,
                destination: need(fields.destination, "destination")?,
                options: fields.options,
                expect: fields.expect,
                route: fields.route,
                run: fields.run,
                event: fields.event,
            });
        };
        if fields.source.is_some() || fields.destination.is_some() {
            return Err("expected `source` and `destination`, or `source_url` and `target_...`, found both"
                .to_owned());
        }
        let destination = Destination {
            location: need(region, "target_region")?,
            bucket: need(bucket, "target_bucket_name")?,
            key: need(key, "target_object_name")?,
        };
        let source = Source::Url(UrlSource { url, query: None, checksum: None });
        let Fields { options, expect, route, run, event, .. } = fields;
        Ok(Self { source, destination, options, expect, route, run, event })
    }
}

impl TransferRequest {
    /// What the types alone do not refuse.
    ///
    /// # Errors
    /// [`ErrorName::InputInvalid`] if source and destination are one object; [`ErrorName::Unsupported`] for a key of white
    /// space alone; [`ErrorName::DestinationInvalid`] for options that no destination accepts.
    pub fn check(&self) -> Result<(), Failure> {
        match &self.source {
            Source::Stored(source) => self.check_stored(source)?,
            Source::Url(source) => self.check_url(source)?,
        }
        not_blank("destination", &self.destination.key)?;
        self.options.check()
    }

    fn check_stored(&self, s: &StoredSource) -> Result<(), Failure> {
        let d = &self.destination;
        if (&s.location, &s.bucket, &s.key) == (&d.location, &d.bucket, &d.key) {
            return Err(ErrorName::InputInvalid.because(format!(
                "destination: expected another object than the source, found {d} in both"
            )));
        }
        not_blank("source", &s.key)?;
        if let (true, Some(version)) = (self.options.delete, &s.version_id) {
            return Err(ErrorName::InputInvalid.because(format!(
                "source.versionId: expected none beside options.delete, for the destination follows what is newest, found {version}"
            )));
        }
        Ok(())
    }

    /// A URL names nothing that could be listed, versioned or paid for.
    fn check_url(&self, source: &UrlSource) -> Result<(), Failure> {
        source.check().map_err(|failure| failure.at("source"))?;
        let options = &self.options;
        for (asked, field) in [
            (options.delete, "options.delete"),
            (options.preserve_etag, "options.preserveEtag"),
            (options.requester_pays, "options.requesterPays"),
            (options.metadata_filter.is_some(), "options.metadataFilter"),
            (options.archived != WhenArchived::Fail, "options.archived"),
            (self.event == Some(Event::Deleted), "event deleted"),
        ] {
            if asked {
                return Err(ErrorName::InputInvalid
                    .because(format!("{field}: expected a source in a bucket beside it, found a URL")));
            }
        }
        Ok(())
    }

    /// Whether it tells of a deletion that the destination is not to follow.
    #[must_use]
    pub fn leaves_deletion(&self) -> bool {
        self.event == Some(Event::Deleted) && !self.options.delete
    }
}

fn not_blank(field: &str, key: &ObjectKey) -> Result<(), Failure> {
    if !key.is_blank() {
        return Ok(());
    }
    Err(ErrorName::Unsupported.because(format!(
        "{field}.key: expected a character that is no white space (S3 has such keys, but the AWS SDK for Rust \
         takes them for none), found {:?}",
        key.as_str()
    )))
}

#[cfg(test)]
mod tests {
    use super::TransferRequest;
    use crate::{ErrorName, parse};

    fn check(source: &str, destination: &str) -> Result<(), (ErrorName, String)> {
        let json = serde_json::json!({
            "source": {"location": "g", "bucket": "abc", "key": source},
            "destination": {"location": "c", "bucket": "abc", "key": destination},
        });
        let request: TransferRequest = parse(json.to_string().as_bytes()).map_err(|f| (f.name, f.message))?;
        request.check().map_err(|failure| (failure.name, failure.message))
    }

    #[test]
    fn a_path_names_root_and_key() {
        let json = r#"{"source": {"location": "efs", "path": "models/v2/a b.bin"},
                       "destination": {"location": "nfs", "path": "drop/c"}}"#;
        let request: TransferRequest = parse(json.as_bytes()).unwrap();
        assert_eq!(request.source.to_string(), "efs:s3://models/v2/a b.bin");
        assert_eq!(request.destination.to_string(), "nfs:s3://drop/c");
        for (source, told) in [
            (r#""path": "models""#, "path: expected ROOT/PATH"),
            (r#""path": "/models/a""#, "path: expected ROOT/PATH"),
            (r#""path": "models/a", "key": "a""#, "found both"),
            (r#""bucket": "models""#, "missing field `key`"),
        ] {
            let json = format!(
                r#"{{"source": {{"location": "efs", {source}}}, "destination": {{"location": "n", "path": "drop/c"}}}}"#
            );
            let refused = parse::<TransferRequest>(json.as_bytes()).unwrap_err().message;
            assert!(refused.contains(told), "{source}: {refused}");
        }
    }

    #[test]
    fn a_key_of_white_space_alone_is_refused_by_its_field() {
        for (source, destination, field) in
            [(" ", "k", "source.key"), ("k", "\t \u{2003}", "destination.key")]
        {
            let (name, message) = check(source, destination).unwrap_err();
            assert!(name == ErrorName::Unsupported && message.starts_with(field), "{name:?}: {message}");
        }
        assert_eq!(check(" k", "k "), Ok(()));
    }
}
