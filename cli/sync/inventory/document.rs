//! `manifest.json`, as S3 puts it beside an inventory.

use serde::Deserialize;
use serde_json::Value;
use transload_plan::inventory::Schema;
use transload_wire::{BucketName, ObjectKey, Tree};

use crate::times;

/// Hexadecimal digits of an MD5.
const MD5: usize = 32;

/// As it is written. Other fields are not of use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    source_bucket: String,
    destination_bucket: String,
    creation_timestamp: Option<Value>,
    file_format: String,
    file_schema: String,
    files: Vec<FileText>,
}

#[derive(Deserialize)]
struct FileText {
    key: String,
    size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

/// What it says, checked.
#[derive(Debug)]
pub(super) struct Document {
    /// The bucket that its files are in.
    pub(super) bucket: BucketName,
    /// When it was begun, for people.
    pub(super) created: Option<String>,
    /// The columns.
    pub(super) schema: Schema,
    /// The files, in its order.
    pub(super) files: Vec<DataFile>,
}

/// A data file.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    /// Its key.
    pub(super) key: ObjectKey,
    /// Bytes, packed.
    pub(super) size: u64,
    /// MD5 of these bytes, in lower-case hexadecimal.
    pub(super) md5: String,
}

impl Document {
    /// Reads it, for a run from this source.
    ///
    /// # Errors
    /// The field, what was expected and what was found.
    pub(super) fn read(bytes: &[u8], source: &Tree) -> Result<Self, String> {
        let text: Text = transload_wire::parse(bytes).map_err(|failure| failure.message)?;
        // The columns of the others are written in another way: so this comes first.
        if text.file_format != "CSV" {
            return Err(format!(
                "fileFormat: expected CSV, found {}: let S3 write the inventory as CSV (OutputFormat in its configuration)",
                text.file_format
            ));
        }
        if text.source_bucket != source.bucket.as_str() {
            let (expected, found) = (&source.bucket, text.source_bucket);
            return Err(format!("sourceBucket: expected {expected} (of the source), found {found:?}"));
        }
        Ok(Self {
            bucket: bucket(&text.destination_bucket).map_err(|what| format!("destinationBucket: {what}"))?,
            created: text.creation_timestamp.as_ref().and_then(moment),
            schema: Schema::new(&text.file_schema).map_err(|what| format!("fileSchema: {what}"))?,
            files: text.files.into_iter().enumerate().map(file).collect::<Result<_, _>>()?,
        })
    }
}

/// `arn:PARTITION:s3:::BUCKET`; stores beside Amazon's write the name alone.
fn bucket(text: &str) -> Result<BucketName, String> {
    let name = match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "s3", "", "", name] | [name] => name.parse().ok(),
        _ => None,
    };
    name.ok_or_else(|| format!("expected a bucket such as arn:aws:s3:::NAME, found {text:?}"))
}

/// Milliseconds since 1970, as a text.
fn moment(text: &Value) -> Option<String> {
    let millis = text.as_f64().or_else(|| text.as_str()?.parse().ok())?;
    Some(times::moment(&Value::from(millis / 1000.0))).filter(|moment| !moment.is_empty())
}

fn file((index, file): (usize, FileText)) -> Result<DataFile, String> {
    let FileText { key, size, md5 } = file;
    let key = key.parse().map_err(|error| format!("files[{index}].key: {error}"))?;
    if md5.len() != MD5 || !md5.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("files[{index}].MD5checksum: expected {MD5} hexadecimal digits, found {md5:?}"));
    }
    Ok(DataFile { key, size, md5: md5.to_ascii_lowercase() })
}
