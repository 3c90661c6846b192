//! Lines of a user's manifest: objects to send, by their keys.
//!
//! Two forms. JSON Lines: `{"key": "a/b", "versionId": "..."}`, the version optional, the key as it is. CSV as S3 Batch Operations
//! takes it: `bucket,key` or `bucket,key,versionId`, no header, fields in double quotes where they need them, the key URL-encoded.
//!
//! ```
//! use transload_plan::manifest::{Form, Named, parse};
//!
//! let named = parse(Form::Csv, r#"photos,"a%20b%2Bc",v1"#)?;
//! assert_eq!(named, Named { bucket: Some("photos".into()), key: "a b+c".into(), version: Some("v1".into()) });
//! assert_eq!(parse(Form::Csv, "photos").unwrap_err(), "expected bucket,key or bucket,key,versionId, found 1 field");
//! # Ok::<(), String>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::csv::{decoded, fields};

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// JSON Lines.
    Jsonl,
    /// CSV, keys URL-encoded.
    Csv,
}

/// An object that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The bucket, where the form has it.
    pub bucket: Option<String>,
    /// The whole key, as it is.
    pub key: String,
    /// The version, if the line names one.
    pub version: Option<String>,
}

/// The object that a line names.
///
/// # Errors
/// What was expected and found, for the line's number to stand before it. JSON is read by whoever has a parser for it: this refuses
/// [`Form::Jsonl`].
pub fn parse(form: Form, line: &str) -> Result<Named, String> {
    match form {
        Form::Csv => csv(line),
        Form::Jsonl => Err("expected a line of CSV".to_owned()),
    }
}

fn csv(line: &str) -> Result<Named, String> {
    let fields = fields(line.trim_end_matches('\r'))?;
    let (bucket, key, version) = match fields.as_slice() {
        [bucket, key] => (bucket, key, None),
        [bucket, key, version] => (bucket, key, Some(version.clone()).filter(|version| !version.is_empty())),
        other => {
            let s = if other.len() == 1 { "" } else { "s" };
            return Err(format!(
                "expected bucket,key or bucket,key,versionId, found {} field{s}",
                other.len()
            ));
        }
    };
    Ok(Named { bucket: Some(bucket.clone()), key: decoded(key)?, version })
}

#[cfg(test)]
mod tests {
    use super::{Form, parse};

    #[test]
    fn keys_are_decoded_once() {
        for (line, key) in [
            ("b,a/b.txt", "a/b.txt"),
            ("b,a+b", "a b"),
            ("b,a%2Bb", "a+b"),
            ("b,a%252Bb", "a%2Bb"),
            ("b,%C3%A9", "\u{e9}"),
            ("\"b\",\"a,\"\"b\"\"\"\r", "a,\"b\""),
        ] {
            assert_eq!(parse(Form::Csv, line).unwrap().key, key, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (line, told) in [
            ("b", "found 1 field"),
            ("b,k,v,x", "found 4 fields"),
            ("b,\"k", "closing quote"),
            ("b,\"k\"x", "a comma behind"),
            ("b,k\"x", "around the whole"),
            ("b,100%", "hexadecimal"),
            ("b,%zz", "hexadecimal"),
            ("b,%ff", "UTF-8"),
        ] {
            let refused = parse(Form::Csv, line).unwrap_err();
            assert!(refused.contains(told), "{line}: {refused}");
        }
    }

    #[test]
    fn an_empty_version_is_none() {
        assert_eq!(parse(Form::Csv, "b,k,").unwrap().version, None);
    }
}
