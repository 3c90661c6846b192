//! S3 Inventory: a manifest that names CSV files, each row of which is an object of a bucket.
use super::csv;
use super::reader::{failed, fetch};
use super::source::Source;
use crate::exec::Failure;
use crate::objects::Objects;
use bytes::Bytes;
use serde::Deserialize;

/// The manifest, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    /// `arn:aws:s3:::name`, where the files are.
    destination_bucket: String,
    file_format: String,
    /// `Bucket, Key, Size`: the columns, which the files themselves do not name.
    file_schema: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    key: String,
    #[serde(rename = "MD5checksum")]
    md5: Option<String>,
}

/// Reads every file that the manifest names, in its order, until there are `most` items.
pub(super) async fn read(objects: &dyn Objects, manifest: &[u8], most: u64) -> Result<Source, Failure> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|e| failed(format!("The file is no manifest of an S3 inventory: {e}")))?;
    if manifest.file_format != "CSV" {
        let found = manifest.file_format;
        return Err(failed(format!("An S3 inventory is read as CSV only, found {found}")));
    }
    let bucket = manifest.destination_bucket.rsplit(':').next().unwrap_or_default();
    let columns: Vec<String> = manifest.file_schema.split(',').map(|c| c.trim().to_owned()).collect();
    let mut source = Source::empty();
    for file in &manifest.files {
        if source.total() >= most {
            break;
        }
        let body = whole(objects, bucket, file).await?;
        source.add(&format!("S3://{bucket}/{}", file.key), csv::items(&body, Some(&columns), ',')?);
    }
    Ok(source.limited(most))
}

/// A file, unpacked; its checksum is of the packed bytes.
async fn whole(objects: &dyn Objects, bucket: &str, file: &File) -> Result<Bytes, Failure> {
    use md5::Digest;
    let (packed, body) = fetch(objects, bucket, &file.key).await?;
    let found: String = md5::Md5::digest(&packed).iter().map(|b| format!("{b:02x}")).collect();
    match &file.md5 {
        Some(expected) if !expected.eq_ignore_ascii_case(&found) => {
            let key = &file.key;
            Err(failed(format!(
                "S3://{bucket}/{key}: expected MD5 {expected} by the manifest, found {found}"
            )))
        }
        _ => Ok(body),
    }
}
