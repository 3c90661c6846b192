//! A user's manifest: the objects that a run is to see to, by their keys, in place of a listing of the source.

use serde::{Deserialize, Serialize};
use transload_plan::manifest::{Form, Named, parse};

use crate::{ObjectKey, Tree, VersionId};

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
}

/// A line of JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    key: String,
    #[serde(default)]
    version_id: Option<String>,
}

impl ManifestEntry {
    /// The object that a line names, of this source.
    ///
    /// # Errors
    /// What was expected and found: for a line that can not be read, and one that names an object of another bucket or prefix.
    pub fn read(form: Form, line: &[u8], source: &Tree) -> Result<Self, String> {
        let named = match form {
            Form::Jsonl => {
                let Line { key, version_id } = crate::parse(line).map_err(|failure| failure.message)?;
                Named { bucket: None, key, version: version_id }
            }
            Form::Csv => {
                let text = std::str::from_utf8(line).map_err(|_| "expected UTF-8".to_owned())?;
                parse(form, text)?
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
        Ok(Self { key, version_id })
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, ManifestEntry, Tree};

    fn read(form: Form, line: &str) -> Result<(String, Option<String>), String> {
        let source = Tree {
            location: "global".parse().unwrap(),
            bucket: "photos".parse().unwrap(),
            prefix: "in/".to_owned(),
        };
        let entry = ManifestEntry::read(form, line.as_bytes(), &source)?;
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
}
