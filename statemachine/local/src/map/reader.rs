//! `ItemReader`: items out of JSON, JSON Lines and CSV objects, and out of listings.
use crate::asl::{Format, Reader};
use crate::exec::{Failure, View};
use crate::objects::{Objects, ObjectsError};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The items of a Map, one after the other.
pub(super) enum Source {
    Values {
        items: std::vec::IntoIter<Value>,
        at: u64,
        total: u64,
    },
    /// Lines are parsed as they are needed, so a large file costs its own bytes and no more.
    Lines {
        body: Bytes,
        offset: usize,
        at: u64,
        total: u64,
    },
}

impl Source {
    /// Items that are there already.
    pub(super) fn values(items: Vec<Value>) -> Self {
        let total = items.len() as u64;
        Self::Values { items: items.into_iter(), at: 0, total }
    }

    /// How many there are.
    pub(super) fn total(&self) -> u64 {
        match self {
            Self::Values { total, .. } | Self::Lines { total, .. } => *total,
        }
    }

    /// The next item and its number, from 0.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value)>, Failure> {
        match self {
            Self::Values { items, at, .. } => {
                *at += 1;
                Ok(items.next().map(|v| (*at - 1, v)))
            }
            Self::Lines { body, offset, at, total } => {
                while *at < *total && *offset < body.len() {
                    let rest = &body[*offset..];
                    let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                    *offset += end + 1;
                    let line = rest[..end].trim_ascii();
                    if line.is_empty() {
                        continue;
                    }
                    *at += 1;
                    let value = serde_json::from_slice(line);
                    return value
                        .map(|v| Some((*at - 1, v)))
                        .map_err(|e| failed(format!("line {at} is not JSON: {e}")));
                }
                Ok(None)
            }
        }
    }
}

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
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let missing = |name: &str| {
        view.runtime(format!("The field '{name}' of the ItemReader's arguments is required but was missing"))
    };
    let bucket = text("Bucket").ok_or_else(|| missing("Bucket"))?;
    let key = if reader.list {
        text("Prefix").unwrap_or_default()
    } else {
        text("Key").ok_or_else(|| missing("Key"))?
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
    if reader.format == Format::Listing {
        return listing(objects, plan).await;
    }
    let body = objects.get(&plan.bucket, &plan.key).await.map_err(|e| unread(&e))?;
    match &reader.format {
        Format::JsonLines => Ok(lines(body, plan.max_items)),
        Format::Csv { headers, delimiter } => csv(&body, headers.as_deref(), *delimiter, plan.max_items),
        _ => document(&body, reader, plan.max_items),
    }
}

fn unread(error: &ObjectsError) -> Failure {
    failed(format!("{} ({})", error.message, error.code))
}

fn lines(body: Bytes, most: u64) -> Source {
    let total = body.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count() as u64;
    Source::Lines { body, offset: 0, at: 0, total: total.min(most) }
}

fn document(body: &[u8], reader: &Reader, most: u64) -> Result<Source, Failure> {
    let mut value: Value =
        serde_json::from_slice(body).map_err(|e| failed(format!("The file is not JSON: {e}")))?;
    if let Some(pointer) = &reader.items_pointer {
        value = value
            .pointer(pointer)
            .cloned()
            .ok_or_else(|| failed(format!("ItemsPointer {pointer} points to nothing")))?;
    }
    let Value::Array(mut items) = value else {
        return Err(failed("Attempting to map over non-iterable node."));
    };
    items.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(Source::values(items))
}

async fn listing(objects: &dyn Objects, plan: &Plan) -> Result<Source, Failure> {
    let (mut items, mut token) = (Vec::new(), None);
    loop {
        let page = objects.list(&plan.bucket, &plan.key, token.as_deref()).await.map_err(|e| unread(&e))?;
        for object in page.objects {
            if items.len() as u64 >= plan.max_items {
                return Ok(Source::values(items));
            }
            items.push(json!({"Etag": object.etag, "Key": object.key, "LastModified": object.last_modified,
                "Size": object.size, "StorageClass": "STANDARD"}));
        }
        token = page.next;
        if token.is_none() {
            return Ok(Source::values(items));
        }
    }
}

fn csv(body: &[u8], headers: Option<&[String]>, delimiter: char, most: u64) -> Result<Source, Failure> {
    let text = std::str::from_utf8(body).map_err(|e| failed(format!("The file is not UTF-8: {e}")))?;
    let mut rows = rows(text, delimiter).into_iter();
    let headers = match headers {
        Some(given) => given.to_vec(),
        None => rows.next().unwrap_or_default(),
    };
    let unique: std::collections::BTreeSet<&String> = headers.iter().collect();
    if unique.len() != headers.len() {
        return Err(failed("CSV headers cannot contain duplicates."));
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    // A short row has empty fields; what a long row has too much is left out.
    let item = |row: Vec<String>| {
        let mut row = row.into_iter();
        let fields = headers.iter().map(|h| (h.clone(), Value::String(row.next().unwrap_or_default())));
        Value::Object(fields.collect::<Map<_, _>>())
    };
    Ok(Source::values(rows.take(most).map(item).collect()))
}

/// Splits into rows of fields; a quoted field may hold delimiters, line ends and doubled quotes.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows.retain(|r| r.len() > 1 || r.first().is_some_and(|f| !f.is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_may_hold_anything() {
        assert_eq!(
            rows("a,b\n\"x,\n\"\"y\"\"\",2\r\n\n3,4", ','),
            [["a", "b"], ["x,\n\"y\"", "2"], ["3", "4"]]
        );
    }

    #[test]
    fn lines_are_counted_without_the_empty_ones() {
        let mut source = lines(Bytes::from_static(b"1\n\n{\"a\":2}\n3"), 2);
        assert_eq!(source.total(), 2);
        assert_eq!(source.next().unwrap(), Some((0, json!(1))));
        assert_eq!(source.next().unwrap(), Some((1, json!({"a": 2}))));
        assert_eq!(source.next().unwrap(), None);
    }
}
