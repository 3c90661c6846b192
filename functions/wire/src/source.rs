//! What an object is read from: a bucket of a configured location, or a URL.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::place::bucket_and_key;
use crate::{BucketName, ChecksumAlgorithm, ErrorName, Failure, LocationName, ObjectKey, Url, VersionId};

/// An object to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Fields")]
pub enum Source {
    /// In a bucket.
    Stored(StoredSource),
    /// At a URL.
    Url(UrlSource),
}

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSource {
    /// The configured location that holds the bucket.
    pub location: LocationName,
    /// The bucket.
    pub bucket: BucketName,
    /// The key, raw (not URL-encoded).
    pub key: ObjectKey,
    /// A version to read; without it the newest one is read and pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
}

/// What a URL gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlSource {
    /// The URL. With its query it stands in the execution's history for good; written by a state it has none.
    pub url: Url,
    /// Where the URL with its query is kept, if that is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryPlace>,
    /// The checksum that all of its bytes must have, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<KnownChecksum>,
}

/// Where the workers find a URL with its query. What is kept there is the whole URL, which must be the request's up to its
/// query: so that no request can have a secret sent to another host than the one it was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryPlace {
    /// A secret of the Secrets Manager, by name or ARN.
    Secret(String),
    /// A `SecureString` of the Parameter Store.
    Parameter(String),
    /// A variable of the workers' environment.
    Environment(String),
    /// A file that the workers can read.
    File(String),
}

/// A checksum that somebody knows beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownChecksum {
    /// The algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// Base64 of the big-endian digest.
    pub value: String,
}

/// What may stand in a source.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    location: Option<LocationName>,
    bucket: Option<BucketName>,
    key: Option<ObjectKey>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    version_id: Option<VersionId>,
    #[serde(default)]
    url: Option<Url>,
    #[serde(default)]
    query: Option<QueryPlace>,
    #[serde(default)]
    checksum: Option<KnownChecksum>,
}

impl TryFrom<Fields> for Source {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        fn need<T>(field: Option<T>, name: &str) -> Result<T, String> {
            field.ok_or_else(|| format!("missing field `{name}`"))
        }
        let Fields { location, bucket, key, path, version_id, url, query, checksum } = fields;
        let Some(url) = url else {
            if query.is_some() || checksum.is_some() {
                return Err("missing field `url` beside `query` or `checksum`".to_owned());
            }
            let location = need(location, "location")?;
            let (bucket, key) = bucket_and_key(bucket, key, path.as_deref())?;
            return Ok(Self::Stored(StoredSource { location, bucket, key, version_id }));
        };
        if location.is_some() || bucket.is_some() || key.is_some() || path.is_some() || version_id.is_some() {
            return Err("expected `url`, or `location`, `bucket` and `key`, found both".to_owned());
        }
        Ok(Self::Url(UrlSource { url, query, checksum }))
    }
}

impl Source {
    /// The configured location; a URL is of none.
    #[must_use]
    pub fn location(&self) -> Option<&LocationName> {
        self.stored().map(|stored| &stored.location)
    }

    /// The version that is asked for or pinned.
    #[must_use]
    pub fn version_id(&self) -> Option<&VersionId> {
        self.stored().and_then(|stored| stored.version_id.as_ref())
    }

    /// The object of a bucket, if it is one.
    #[must_use]
    pub fn stored(&self) -> Option<&StoredSource> {
        if let Self::Stored(stored) = self { Some(stored) } else { None }
    }

    /// The same object at another version. URLs have none.
    #[must_use]
    pub fn at_version(&self, version_id: Option<VersionId>) -> Self {
        match self {
            Self::Stored(stored) => Self::Stored(StoredSource { version_id, ..stored.clone() }),
            Self::Url(_) => self.clone(),
        }
    }
}

impl UrlSource {
    /// What the types alone do not refuse.
    ///
    /// # Errors
    /// [`ErrorName::InputInvalid`] for a query in two places, or in none that can be.
    pub fn check(&self) -> Result<(), Failure> {
        let refuse = |message: String| Err(ErrorName::InputInvalid.because(message));
        let Some(place) = &self.query else { return Ok(()) };
        if self.url.has_query() {
            return refuse("query: expected no query in url beside it, found one".to_owned());
        }
        let (field, text, absolute) = match place {
            QueryPlace::Secret(text) => ("secret", text, false),
            QueryPlace::Parameter(text) => ("parameter", text, false),
            QueryPlace::Environment(text) => ("environment", text, false),
            QueryPlace::File(text) => ("file", text, true),
        };
        if text.is_empty() || text.len() > 2_048 || text.chars().any(char::is_control) {
            return refuse(format!(
                "query.{field}: expected a name of 1 to 2048 characters, found {}",
                text.len()
            ));
        }
        if absolute && !text.starts_with('/') {
            return refuse(format!("query.{field}: expected an absolute path, found another"));
        }
        Ok(())
    }
}

impl From<StoredSource> for Source {
    fn from(stored: StoredSource) -> Self {
        Self::Stored(stored)
    }
}

impl fmt::Display for StoredSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:s3://{}/{}", self.location, self.bucket, self.key)
    }
}

impl fmt::Display for UrlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)?;
        if self.query.is_some() { f.write_str("?…") } else { Ok(()) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(stored) => stored.fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for QueryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "secret {name:?}"),
            Self::Parameter(name) => write!(f, "parameter {name:?}"),
            Self::Environment(name) => write!(f, "variable {name:?}"),
            Self::File(path) => write!(f, "file {path:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;
    use crate::{TransferRequest, parse};

    fn read(json: &str) -> Result<Source, String> {
        parse::<Source>(json.as_bytes()).map_err(|failure| failure.message)
    }

    #[test]
    fn a_source_is_an_object_of_a_bucket_or_a_url() {
        let url = read(
            r#"{"url": "https://example.com/a?b=c", "checksum": {"algorithm": "CRC64XZ", "value": "x"}}"#,
        );
        assert_eq!(url.unwrap().to_string(), "https://example.com/a?…");
        let stored = read(r#"{"location": "g", "bucket": "abc", "key": "k"}"#).unwrap();
        assert_eq!(serde_json::to_string(&stored).unwrap(), r#"{"location":"g","bucket":"abc","key":"k"}"#);
        for (json, told) in [
            ("{}", "input: missing field `location`"),
            (r#"{"location": "g", "bucket": "abc"}"#, "missing field `key`"),
            (r#"{"url": "https://a.example/", "key": "k"}"#, "found both"),
            (r#"{"query": {"file": "/a"}}"#, "missing field `url`"),
            (r#"{"url": "https://u:p@a.example/"}"#, "url: expected https://HOST"),
            (r#"{"url": "https://a.example/", "query": {"file": "/a", "secret": "b"}}"#, "query"),
            (
                r#"{"url": "https://a.example/", "query": {"colour": "red"}}"#,
                "query: unknown variant `colour`",
            ),
            (r#"{"url": "https://a.example/", "colour": 1}"#, "colour: unknown field"),
        ] {
            let refused = read(json).unwrap_err();
            assert!(refused.contains(told), "{json}: {refused}");
        }
    }

    fn request(source: &str, more: &str) -> Result<(), String> {
        let json = format!(
            r#"{{"source": {source}, "destination": {{"location": "c", "bucket": "abc", "key": "k"}} {more}}}"#
        );
        let request: TransferRequest = parse(json.as_bytes()).map_err(|failure| failure.message)?;
        request.check().map_err(|failure| failure.message)
    }

    #[test]
    fn what_no_url_can_give_is_refused_by_its_field() {
        let url = r#"{"url": "https://a.example/"}"#;
        assert_eq!(request(url, ""), Ok(()));
        for (source, more, told) in [
            (url, r#", "options": {"delete": true}"#, "options.delete: expected a source in a bucket"),
            (url, r#", "options": {"preserveEtag": true}"#, "options.preserveEtag"),
            (url, r#", "options": {"requesterPays": true}"#, "options.requesterPays"),
            (url, r#", "options": {"archived": "thaw"}"#, "options.archived"),
            (url, r#", "event": "deleted""#, "event deleted"),
            (
                r#"{"url": "https://a.example/?b", "query": {"file": "/c"}}"#,
                "",
                "source: query: expected no query in url",
            ),
            (
                r#"{"url": "https://a.example/", "query": {"file": "c"}}"#,
                "",
                "query.file: expected an absolute path",
            ),
            (
                r#"{"url": "https://a.example/", "query": {"secret": ""}}"#,
                "",
                "query.secret: expected a name",
            ),
        ] {
            let refused = request(source, more).unwrap_err();
            assert!(refused.starts_with(told) || refused.contains(told), "{more}: {refused}");
        }
    }

    #[test]
    fn the_forerunners_event_is_a_request() {
        let event = r#"{"source_url": "https://a.example/f?s=1", "target_object_name": "d/f", "target_region": "cn-north-1",
                        "target_bucket_name": "abc"}"#;
        let request: TransferRequest = parse(event.as_bytes()).unwrap();
        assert_eq!(request.check().map_err(|failure| failure.message), Ok(()));
        assert_eq!(request.destination.to_string(), "cn-north-1:s3://abc/d/f");
        assert_eq!(request.source.to_string(), "https://a.example/f?…");
        for (event, told) in [
            (r#"{"source_url": "https://a.example/f"}"#, "missing field `target_region`"),
            (r#"{"target_region": "a"}"#, "missing field `source_url`"),
            (
                r#"{"source_url": "https://a.example/f", "source": {"url": "https://a.example/"}}"#,
                "found both",
            ),
            (r#"{"source_url": "ftp://a.example/f"}"#, "source_url: expected https://HOST"),
            ("{}", "input: missing field `source`"),
        ] {
            let refused = parse::<TransferRequest>(event.as_bytes()).unwrap_err().message;
            assert!(refused.contains(told), "{event}: {refused}");
        }
    }
}
