//! `ItemReader`: items out of JSON, JSON Lines and CSV objects, inventories, listings, and all objects of a listing.
use super::source::Source;
use super::{csv, inventory};
use crate::asl::{Format, Reader};
use crate::exec::{Failure, View};
use crate::objects::{ObjectSummary, Objects, ObjectsError};
use bytes::Bytes;
use serde_json::{Value, json};
use std::io::Read;

/// Bytes of one object after it is unpacked, at most: a small file may unpack to anything.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;

/// A failed reader, as the Map Run reports it.
pub(super) fn failed(cause: impl Into<String>) -> Failure {
    Failure::new("States.ItemReaderFailed", cause)
}

/// What a reader has to do, evaluated before the Map Run starts.
pub(super) struct Plan {
    bucket: String,
    key: String,
    max_items: u64,
    /// MaxItems was given, and not positive.
    bad_limit: bool,
}

/// Evaluates the reader's arguments and limits.
pub(super) fn plan(view: &View<'_>, reader: &Reader) -> Result<Plan, Failure> {
    let arguments = match &reader.arguments {
        Some(template) => view.evaluate(template, "ItemReader/Arguments")?,
        None => json!({}),
    };
    let place = if reader.list { "Prefix" } else { "Key" };
    for name in arguments.as_object().into_iter().flat_map(serde_json::Map::keys) {
        if name != "Bucket" && name != place {
            let cause =
                format!("The field '{name}' of the ItemReader's arguments is not supported by this engine");
            return Err(view.runtime(cause));
        }
    }
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let missing = |name: &str| {
        view.runtime(format!("The field '{name}' of the ItemReader's arguments is required but was missing"))
    };
    let bucket = text("Bucket").ok_or_else(|| missing("Bucket"))?;
    let key = match text(place) {
        Some(found) => found,
        None if reader.list => String::new(),
        None => return Err(missing(place)),
    };
    let (max_items, bad_limit) = match reader.max_items.as_ref().map(|n| view.number(n)).transpose() {
        Ok(None) => (u64::MAX, false),
        Ok(Some(n)) if n >= 1.0 => (n as u64, false),
        Ok(Some(_)) => (u64::MAX, false),
        Err(f) if f.cause.as_ref().is_some_and(|c| c.ends_with("cannot be negative.")) => (0, true),
        Err(failure) => return Err(failure),
    };
    Ok(Plan { bucket, key, max_items, bad_limit })
}

/// Reads.
pub(super) async fn read(objects: &dyn Objects, reader: &Reader, plan: &Plan) -> Result<Source, Failure> {
    if plan.bad_limit {
        return Err(failed("field MaxItems must be positive"));
    }
    let mut source = Source::empty();
    match &reader.format {
        Format::Listing => {
            let listed = listing(objects, plan, plan.max_items).await?;
            let items = listed.iter().map(item).collect();
            source.add(&format!("S3://{}", plan.bucket), items);
        }
        Format::Inventory => {
            let (_, manifest) = fetch(objects, &plan.bucket, &plan.key).await?;
            return inventory::read(objects, &manifest, plan.max_items).await;
        }
        format if reader.list => {
            for object in listing(objects, plan, u64::MAX).await? {
                if source.total() >= plan.max_items {
                    break;
                }
                add(objects, plan, &object.key, format, reader, &mut source).await?;
            }
        }
        format => add(objects, plan, &plan.key, format, reader, &mut source).await?,
    }
    Ok(source.limited(plan.max_items))
}

/// An object as it is, and unpacked if its name says that it is packed.
pub(super) async fn fetch(objects: &dyn Objects, bucket: &str, key: &str) -> Result<(Bytes, Bytes), Failure> {
    let body = objects.get(bucket, key).await.map_err(|e| unread(&e))?;
    if key.ends_with(".zst") {
        return Err(failed(format!(
            "S3://{bucket}/{key}: files packed as ZSTD are not supported by this engine"
        )));
    }
    if !key.ends_with(".gz") {
        return Ok((body.clone(), body));
    }
    let mut unpacked = Vec::new();
    let mut unpack = flate2::read::MultiGzDecoder::new(&body[..]).take(MAX_UNPACKED);
    unpack
        .read_to_end(&mut unpacked)
        .map_err(|e| failed(format!("S3://{bucket}/{key}: no GZIP file: {e}")))?;
    if unpacked.len() as u64 == MAX_UNPACKED {
        return Err(failed(format!("S3://{bucket}/{key}: unpacks to {MAX_UNPACKED} bytes or more")));
    }
    Ok((body, unpacked.into()))
}

async fn add(
    objects: &dyn Objects,
    plan: &Plan,
    key: &str,
    format: &Format,
    reader: &Reader,
    source: &mut Source,
) -> Result<(), Failure> {
    let (_, body) = fetch(objects, &plan.bucket, key).await?;
    let origin = format!("S3://{}/{key}", plan.bucket);
    match format {
        Format::JsonLines => source.add_lines(&origin, body),
        Format::Csv { headers, delimiter } => {
            source.add(&origin, csv::items(&body, headers.as_deref(), *delimiter)?);
        }
        _ => source.add(&origin, document(&body, reader)?),
    }
    Ok(())
}

fn unread(error: &ObjectsError) -> Failure {
    failed(format!("{} ({})", error.message, error.code))
}

fn document(body: &[u8], reader: &Reader) -> Result<Vec<Value>, Failure> {
    let mut value: Value =
        serde_json::from_slice(body).map_err(|e| failed(format!("The file is not JSON: {e}")))?;
    if let Some(pointer) = &reader.items_pointer {
        let found = value.pointer_mut(pointer).map(Value::take);
        value = found.ok_or_else(|| failed(format!("ItemsPointer {pointer} points to nothing")))?;
    }
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(failed("Attempting to map over non-iterable node.")),
    }
}

async fn listing(objects: &dyn Objects, plan: &Plan, most: u64) -> Result<Vec<ObjectSummary>, Failure> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let page = objects.list(&plan.bucket, &plan.key, token.as_deref()).await.map_err(|e| unread(&e))?;
        found.extend(page.objects);
        token = page.next;
        if token.is_none() || found.len() as u64 >= most {
            found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            return Ok(found);
        }
    }
}

fn item(object: &ObjectSummary) -> Value {
    json!({"Etag": object.etag, "Key": object.key, "LastModified": object.last_modified, "Size": object.size,
        "StorageClass": "STANDARD"})
}
