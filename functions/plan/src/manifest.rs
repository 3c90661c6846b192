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

/// Fields between commas; a quoted one may hold commas, and a quote as two.
fn fields(line: &str) -> Result<Vec<String>, String> {
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let field = &rest[..end];
                if field.contains('"') {
                    return Err(format!("expected quotes around the whole of a field, found {field:?}"));
                }
                (field.to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.is_empty() => return Ok(fields),
            None => return Err(format!("expected a comma behind a quoted field, found {behind:?}")),
        }
    }
}

fn quoted_field(mut rest: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    loop {
        let Some((before, behind)) = rest.split_once('"') else {
            return Err("expected a closing quote, found the end of the line".to_owned());
        };
        field.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, behind)),
        }
    }
}

/// A key as it is: `%20` and `+` are a blank, `%2B` is a plus.
fn decoded(encoded: &str) -> Result<String, String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(encoded.len()), encoded.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                let byte = text.and_then(|text| u8::from_str_radix(text, 16).ok());
                bytes.push(byte.ok_or_else(|| {
                    format!(
                        "expected two hexadecimal digits behind % (keys are URL-encoded), found {encoded:?}"
                    )
                })?);
                rest = &rest[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("expected a key of UTF-8, found {encoded:?}"))
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
