//! What a server tells of an object: by HEAD, else by a GET of its first byte, else by reading it to its end.

use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::{Instant, timeout, timeout_at};
use transload_wire::{Attributes, Checksum, Url};

use super::client::{Answer, Ask, Headers, broken, failed};
use super::pin::{Mark, Pin, etag_of, from_header, only_signs};
use super::{HttpStore, MEASURE, proofs};
use crate::{Head, StoreError, StoreErrorKind as Kind};

/// Facts as one answer tells them.
#[derive(Debug, Clone, Default)]
struct Facts {
    size: Option<u64>,
    ranges: Option<bool>,
    headers: Headers,
    checksum: Option<Checksum>,
}

/// Looks at what the URL gives.
pub(super) async fn head(store: &HttpStore) -> Result<Head, StoreError> {
    let url = store.url().await?;
    let told = by_head(store, &url).await?;
    let enough = told.as_ref().is_some_and(|facts| {
        facts.size.is_some()
            && (facts.ranges.is_some() || facts.size == Some(0))
            && mark(&facts.headers) != Mark::Size
    });
    let facts = match told {
        Some(facts) if enough => facts,
        told => by_get(store, &url, told).await?,
    };
    finish(store, &url, facts)
}

/// `None`: HEAD is not answered here, though GET may be. A signature is mostly good for one method.
async fn by_head(store: &HttpStore, url: &Url) -> Result<Option<Facts>, StoreError> {
    let ask = Ask { method: "HEAD", url, headers: Vec::new(), place: &store.place };
    let answer = store.web.ask(&ask, &store.requests).await?;
    match answer.status {
        200 => of_whole(&ask, &answer).map(Some),
        403 | 405 | 501 => Ok(None),
        status => Err(failed(&ask, status)),
    }
}

fn of_whole(ask: &Ask<'_>, answer: &Answer) -> Result<Facts, StoreError> {
    identity(ask, &answer.headers)?;
    let ranges = match answer.headers.get("accept-ranges") {
        Some(unit) if unit.eq_ignore_ascii_case("bytes") => Some(true),
        Some(_) => Some(false),
        None => None,
    };
    let size = length(ask, &answer.headers)?;
    let checksum = proofs::checksum(&answer.headers, true);
    Ok(Facts { size, ranges, headers: answer.headers.clone(), checksum })
}

/// Ranges would be of other bytes than those that are meant, and the whole of a length that nobody knows.
pub(super) fn identity(ask: &Ask<'_>, headers: &Headers) -> Result<(), StoreError> {
    match headers.get("content-encoding").map(str::trim) {
        None | Some("" | "identity") => Ok(()),
        Some(found) => {
            let found: String = found.chars().take(40).collect();
            let message = format!(
                "{} {}: expected Content-Encoding identity (as asked for), found {found:?}",
                ask.method, ask.place
            );
            Err(StoreError::new(Kind::Unsupported, message))
        }
    }
}

pub(super) fn length(ask: &Ask<'_>, headers: &Headers) -> Result<Option<u64>, StoreError> {
    let Some(text) = headers.get("content-length") else { return Ok(None) };
    let number = text.trim().parse::<u64>().ok().filter(|_| !text.contains('+'));
    number.map(Some).ok_or_else(|| broken(ask, "Content-Length below 2^64", &format!("{:.24}", text)))
}

/// The first byte shows whether ranges are served; an answer without one has all of the bytes.
async fn by_get(store: &HttpStore, url: &Url, told: Option<Facts>) -> Result<Facts, StoreError> {
    let headers = vec![("range", "bytes=0-0".to_owned())];
    let ask = Ask { method: "GET", url, headers, place: &store.place };
    let answer = store.web.ask(&ask, &store.requests).await?;
    let facts = match answer.status {
        206 => {
            identity(&ask, &answer.headers)?;
            let size = total(&answer.headers).ok_or_else(|| {
                broken(
                    &ask,
                    "Content-Range bytes 0-0/SIZE",
                    answer.headers.get("content-range").unwrap_or("none"),
                )
            })?;
            let checksum = proofs::checksum(&answer.headers, false);
            Facts { size: Some(size), ranges: Some(true), headers: answer.headers, checksum }
        }
        200 => {
            let facts = of_whole(&ask, &answer)?;
            let size = match facts.size {
                Some(size) => size,
                None => measured(store, &ask, answer.body).await?,
            };
            Facts { size: Some(size), ranges: Some(false), ..facts }
        }
        416 if answer.headers.get("content-range") == Some("bytes */0") => {
            Facts { size: Some(0), ranges: Some(true), headers: answer.headers, checksum: None }
        }
        status => return Err(failed(&ask, status)),
    };
    merge(&ask, told, facts)
}

/// What HEAD told of the same object counts beside: a range's answer may leave things out.
fn merge(ask: &Ask<'_>, told: Option<Facts>, found: Facts) -> Result<Facts, StoreError> {
    let Some(told) = told else { return Ok(found) };
    if let (Some(before), Some(now)) = (told.size, found.size)
        && before != now
    {
        return Err(broken(ask, &format!("{before} bytes (as HEAD told)"), &now.to_string()));
    }
    if found.size == Some(0)
        || (mark(&told.headers) == mark(&found.headers) && mark(&told.headers) != Mark::Size)
    {
        let checksum = told.checksum.or(found.checksum);
        return Ok(Facts { size: found.size, ranges: found.ranges, headers: told.headers, checksum });
    }
    Ok(found)
}

fn total(headers: &Headers) -> Option<u64> {
    headers.get("content-range")?.strip_prefix("bytes 0-0/")?.parse().ok()
}

/// Counts the bytes of an answer without a length. Its end is the server's word: chunked bodies have one.
async fn measured(store: &HttpStore, ask: &Ask<'_>, body: SdkBody) -> Result<u64, StoreError> {
    let (mut stream, mut size) = (ByteStream::new(body), 0);
    let stall = store.web.settings.patience.stall;
    let end = Instant::now() + MEASURE;
    loop {
        let next = match timeout_at(end, timeout(stall, stream.next())).await {
            Ok(Ok(next)) => next,
            Ok(Err(_)) => {
                let message = format!("{} {}: no byte for {stall:?} after {size}", ask.method, ask.place);
                return Err(StoreError::new(Kind::Stalled, message));
            }
            Err(_) => {
                let message = format!(
                    "{} {}: expected Content-Length, or bytes that end within {} s, found {size} and no end",
                    ask.method,
                    ask.place,
                    MEASURE.as_secs()
                );
                return Err(StoreError::new(Kind::Unsupported, message));
            }
        };
        match next {
            None => return Ok(size),
            Some(Ok(bytes)) => size += bytes.len() as u64,
            Some(Err(error)) => {
                let message = format!("{} {}: {size} bytes and then {error}", ask.method, ask.place);
                return Err(StoreError::new(Kind::Connection, message));
            }
        }
    }
}

/// The best that is known of an answer's object.
pub(super) fn mark(headers: &Headers) -> Mark {
    let etag = headers.get("etag").and_then(etag_of);
    let modified = headers.get("last-modified").and_then(from_header);
    match (etag, modified) {
        (Some((etag, false)), _) => Mark::Strong(etag),
        (_, Some(date)) => Mark::Modified(date),
        (Some((etag, true)), None) => Mark::Weak(etag),
        (None, None) => Mark::Size,
    }
}

fn finish(store: &HttpStore, url: &Url, facts: Facts) -> Result<Head, StoreError> {
    let unknown =
        || StoreError::new(Kind::Unsupported, format!("{}: expected a size, found none", store.place));
    let size = facts.size.ok_or_else(unknown)?;
    let pin = Pin {
        mark: mark(&facts.headers),
        once: size > 0 && facts.ranges != Some(true),
        own: url.query().is_some_and(|query| !only_signs(query)),
    };
    let text = |name: &str| {
        let value = facts.headers.get(name)?;
        (value.len() <= 1_024 && !value.chars().any(char::is_control)).then(|| value.to_owned())
    };
    Ok(Head {
        size,
        etag: pin.to_etag().ok_or_else(unknown)?,
        version: None,
        last_modified: facts.headers.get("last-modified").and_then(from_header).unwrap_or_default(),
        checksum: expected(store, facts.checksum)?,
        attributes: Attributes {
            content_type: text("content-type"),
            content_language: text("content-language"),
            content_disposition: text("content-disposition"),
            cache_control: text("cache-control"),
            expires: text("expires"),
            ..Attributes::default()
        },
        tag_count: Some(0),
        missing_metadata: 0,
        archived: false,
    })
}

/// What the request says counts for more than what the server says; they must not contradict each other.
fn expected(store: &HttpStore, told: Option<Checksum>) -> Result<Option<Checksum>, StoreError> {
    let Some(known) = &store.known else { return Ok(told) };
    match told {
        Some(told) if told.algorithm == known.algorithm && told.value != known.value => Err(StoreError::new(
            Kind::PreconditionFailed,
            format!(
                "checksum: {}: expected {} {} (as the request says), found {} (as the server says)",
                store.place,
                known.algorithm.as_str(),
                known.value,
                told.value
            ),
        )),
        _ => Ok(Some(known.clone())),
    }
}
