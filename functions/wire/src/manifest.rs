//! A user's manifest: the objects that a run is to see to, by their keys, in place of a listing of the source.

use serde::{Deserialize, Serialize};
use transload_plan::inventory::is_class;
use transload_plan::manifest::{Form, Named, parse};
use transload_plan::utc;

use crate::{ErrorName, Etag, Failure, ObjectKey, Tree, VersionId, is_archive_class};

/// The class that listings do not tell.
const STANDARD: &str = "STANDARD";

/// A manifest that stands in the workflow's own bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Its name there, which begins with `manifests/`.
    pub name: String,
    /// How it is written.
    pub form: Form,
}

/// An object of the source that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestEntry {
    /// Its whole key.
    pub key: ObjectKey,
    /// The version that is meant, if not whatever is newest.
    pub version_id: Option<VersionId>,
    /// What is known of it, so that it need not be looked at.
    pub facts: Option<ManifestFacts>,
}

/// What a listing would have told of an object when the manifest was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFacts {
    /// Bytes.
    pub size: u64,
    /// ETag.
    pub etag: Etag,
    /// When it was written, ISO 8601 in UTC, to the second.
    pub last_modified: String,
    /// Storage class; absent for `STANDARD`.
    pub storage_class: Option<String>,
}

/// A line of JSON.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<Etag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
}

impl Line {
    fn facts(&mut self) -> Result<Option<ManifestFacts>, String> {
        let class = self.storage_class.take();
        match (self.size, self.etag.take(), self.last_modified.take()) {
            (None, None, None) if class.is_none() => Ok(None),
            (Some(size), Some(etag), Some(modified)) => {
                let time = utc(&modified).filter(|_| modified.contains('T'));
                let last_modified = time.ok_or_else(|| {
                    format!("lastModified: expected a time such as 2026-01-31T12:00:00Z, found {modified:?}")
                })?;
                if let Some(found) = class.as_deref().filter(|class| !is_class(class)) {
                    return Err(format!(
                        "storageClass: expected a name such as STANDARD_IA, found {found:?}"
                    ));
                }
                let storage_class = class.filter(|class| class != STANDARD);
                Ok(Some(ManifestFacts { size, etag, last_modified, storage_class }))
            }
            (size, etag, modified) => {
                let there = [
                    ("size", size.is_some()),
                    ("etag", etag.is_some()),
                    ("lastModified", modified.is_some()),
                    ("storageClass", class.is_some()),
                ];
                let found: Vec<&str> = there.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
                Err(format!(
                    "expected size, etag and lastModified together, or none of them, found {}",
                    found.join(" and ")
                ))
            }
        }
    }
}

impl ManifestFacts {
    /// Whether it is in an archive tier, and not known to be restored: as listings tell it, by the class.
    #[must_use]
    pub fn archived(&self) -> bool {
        self.storage_class.as_deref().is_some_and(is_archive_class)
    }
}

impl ManifestEntry {
    /// The object that a line names, of this source.
    ///
    /// # Errors
    /// What was expected and found: for a line that can not be read, and one that names an object of another bucket or prefix.
    pub fn read(form: Form, line: &[u8], source: &Tree) -> Result<Self, String> {
        let (named, facts) = match form {
            Form::Jsonl => {
                let mut line: Line = crate::parse(line).map_err(|failure| failure.message)?;
                let facts = line.facts()?;
                (Named { bucket: None, key: line.key, version: line.version_id }, facts)
            }
            Form::Csv => {
                let text = std::str::from_utf8(line).map_err(|_| "expected UTF-8".to_owned())?;
                (parse(form, text)?, None)
            }
        };
        if let Some(bucket) = named.bucket.filter(|bucket| *bucket != source.bucket.as_str()) {
            return Err(format!("expected bucket {} (of the source), found {bucket:?}", source.bucket));
        }
        if !named.key.starts_with(&source.prefix) {
            return Err(format!(
                "expected a key below {:?} (of the source), found {:?}",
                source.prefix, named.key
            ));
        }
        let key = named.key.parse::<ObjectKey>().map_err(|error| format!("key: {error}"))?;
        let version = named.version.map(|version| version.parse::<VersionId>());
        let version_id = version.transpose().map_err(|error| format!("version: {error}"))?;
        Ok(Self { key, version_id, facts })
    }

    /// The line of JSON that [`ManifestEntry::read`] reads as this, with its end.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn write(&self) -> Result<Vec<u8>, Failure> {
        let line = Line {
            key: self.key.to_string(),
            version_id: self.version_id.as_ref().map(ToString::to_string),
            ..Line::default()
        };
        let line = match self.facts.clone() {
            None => line,
            Some(ManifestFacts { size, etag, last_modified, storage_class }) => Line {
                size: Some(size),
                etag: Some(etag),
                last_modified: Some(last_modified),
                storage_class,
                ..line
            },
        };
        let mut bytes = serde_json::to_vec(&line)
            .map_err(|error| ErrorName::Internal.because(format!("a line of a manifest: {error}")))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, ManifestEntry, Tree};

    fn entry(form: Form, line: &str) -> Result<ManifestEntry, String> {
        let source = Tree {
            location: "global".parse().unwrap(),
            bucket: "photos".parse().unwrap(),
            prefix: "in/".to_owned(),
        };
        ManifestEntry::read(form, line.as_bytes(), &source)
    }

    fn read(form: Form, line: &str) -> Result<(String, Option<String>), String> {
        let entry = entry(form, line)?;
        Ok((entry.key.to_string(), entry.version_id.map(|version| version.to_string())))
    }

    #[test]
    fn both_forms_name_an_object() {
        let versioned = Ok(("in/a b".to_owned(), Some("v1".to_owned())));
        assert_eq!(read(Form::Csv, "photos,in/a%20b,v1"), versioned);
        assert_eq!(read(Form::Jsonl, r#"{"key": "in/a b", "versionId": "v1"}"#), versioned);
        assert_eq!(read(Form::Jsonl, r#"{"key": "in/a+b"}"#), Ok(("in/a+b".to_owned(), None)));
    }

    #[test]
    fn what_is_not_of_the_source_is_refused() {
        for (form, line, told) in [
            (Form::Csv, "other,in/a", "expected bucket photos"),
            (Form::Csv, "photos,out/a", "expected a key below \"in/\""),
            (Form::Jsonl, r#"{"key": "a"}"#, "expected a key below \"in/\""),
            (Form::Jsonl, r#"{"name": "in/a"}"#, "unknown field `name`"),
            (Form::Jsonl, "in/a", "expected"),
        ] {
            let refused = read(form, line).unwrap_err();
            assert!(refused.contains(told), "{line}: {refused}");
        }
    }

    #[test]
    fn facts_are_read_as_they_were_written() {
        let told = r#"{"key":"in/a","size":3,"etag":"e-2","lastModified":"2026-11-20T01:02:03Z""#;
        for (line, class, archived) in [
            (format!("{told}}}"), None, false),
            (format!("{told},\"storageClass\":\"STANDARD_IA\"}}"), Some("STANDARD_IA"), false),
            (format!("{told},\"storageClass\":\"GLACIER_IR\"}}"), Some("GLACIER_IR"), false),
            (format!("{told},\"storageClass\":\"GLACIER\"}}"), Some("GLACIER"), true),
            (format!("{told},\"storageClass\":\"DEEP_ARCHIVE\"}}"), Some("DEEP_ARCHIVE"), true),
        ] {
            let entry = entry(Form::Jsonl, &line).unwrap();
            let facts = entry.facts.clone().unwrap();
            assert_eq!((facts.storage_class.as_deref(), facts.archived()), (class, archived));
            assert_eq!(String::from_utf8(entry.write().unwrap()).unwrap(), format!("{line}\n"));
        }
        let standard = entry(Form::Jsonl, &format!("{told},\"storageClass\":\"STANDARD\"}}")).unwrap();
        assert_eq!(standard.facts.unwrap().storage_class, None, "as listings tell it");
        let plain = entry(Form::Jsonl, r#"{"key":"in/a","versionId":"v"}"#).unwrap();
        assert_eq!(
            (plain.facts.as_ref(), plain.write().unwrap().as_slice()),
            (None, &b"{\"key\":\"in/a\",\"versionId\":\"v\"}\n"[..])
        );
    }

    #[test]
    fn half_of_the_facts_is_refused() {
        for (facts, told) in [
            (r#""size": 3"#, "together, or none of them, found size"),
            (r#""size": 3, "etag": "e""#, "found size and etag"),
            (r#""storageClass": "GLACIER""#, "found storageClass"),
            (r#""size": -3, "etag": "e", "lastModified": "2026-11-20T01:02:03Z""#, "size: "),
            (r#""size": 3, "etag": "", "lastModified": "2026-11-20T01:02:03Z""#, "etag: expected"),
            (r#""size": 3, "etag": "e", "lastModified": "yesterday""#, "lastModified: expected a time"),
            (
                r#""size": 3, "etag": "e", "lastModified": "2026-11-20T01:02:03Z", "storageClass": "x""#,
                "storageClass: expected a name",
            ),
        ] {
            let refused = entry(Form::Jsonl, &format!("{{\"key\": \"in/a\", {facts}}}")).unwrap_err();
            assert!(refused.contains(told), "{facts}: {refused}");
        }
    }
}
