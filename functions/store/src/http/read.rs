//! Bytes of a URL: every answer is held against what was asked for.

use futures::StreamExt;
use futures::future::ready;
use futures::stream::TryStreamExt;
use transload_plan::ByteRange;
use transload_wire::Etag;

use super::HttpStore;
use super::client::{Answer, Ask, broken, failed};
use super::facts::{identity, length, mark};
use super::pin::{Mark, Pin, from_header};
use crate::s3::Incoming;
use crate::{ObjectBody, Ranged, StoreError, StoreErrorKind as Kind};

/// Bytes of the object that the pin is of. Without a `Range` where all of it is asked for: so that every server can.
pub(super) async fn get_range(
    store: &HttpStore,
    etag: &Etag,
    range: ByteRange,
    total: u64,
) -> Result<Ranged, StoreError> {
    let (url, pin) = (store.url().await?, Pin::of(etag));
    let whole = range.len == total;
    let place = if whole { store.place.clone() } else { format!("{} {range}", store.place) };
    let mut headers: Vec<_> = pin.condition().into_iter().collect();
    if !whole && !pin.once {
        headers.push(("range", range.to_string()));
        // For a server that does not know If-Match: all of the object then, which is not taken for the range.
        if let Mark::Strong(etag) = &pin.mark {
            headers.push(("if-range", etag.to_header()));
        }
    }
    let ask = Ask { method: "GET", url: &url, headers, place: &place };
    let answer = store.web.ask(&ask, &store.requests).await?;
    match answer.status {
        206 | 200 => same(&ask, &pin, &answer)?,
        416 => return Err(beyond(&ask, &answer, total)),
        status => return Err(failed(&ask, status)),
    }
    identity(&ask, &answer.headers)?;
    let body = match answer.status {
        206 => part(store, &ask, answer, range, total)?,
        _ if whole => all(store, &ask, answer, total)?,
        // What was read before is read again, and thrown away: only of what is known to be the same.
        _ if pin.once && pin.mark.binds() && range.end() == total => {
            without(all(store, &ask, answer, total)?, range.start)
        }
        _ => {
            let message = format!("GET {place}: expected the range (206), found all of it (200)");
            return Err(StoreError::new(Kind::RangeIgnored, message));
        }
    };
    Ok(Ranged { range, body })
}

/// Holds the answer's own validator against the pin: not every server knows the conditions.
fn same(ask: &Ask<'_>, pin: &Pin, answer: &Answer) -> Result<(), StoreError> {
    let found = mark(&answer.headers);
    let date = answer.headers.get("last-modified").and_then(from_header);
    let same = match &pin.mark {
        Mark::Size => true,
        Mark::Modified(expected) => date.as_ref() == Some(expected),
        expected => {
            found == *expected
                || matches!((expected, answer.headers.get("etag")), (Mark::Weak(tag), Some(header)) if header == format!("W/{}", tag.to_header()))
        }
    };
    if same {
        return Ok(());
    }
    if found == Mark::Size {
        return Err(broken(
            ask,
            &format!("{} in the answer", shown(&pin.mark)),
            "no ETag and no Last-Modified",
        ));
    }
    let message = format!("GET {}: expected {}, found {}", ask.place, shown(&pin.mark), shown(&found));
    Err(StoreError::new(Kind::PreconditionFailed, message))
}

fn shown(mark: &Mark) -> String {
    match mark {
        Mark::Strong(etag) => format!("ETag {}", etag.to_header()),
        Mark::Weak(etag) => format!("ETag W/{}", etag.to_header()),
        Mark::Modified(date) => format!("Last-Modified {date}"),
        Mark::Size => "no ETag".to_owned(),
    }
}

fn beyond(ask: &Ask<'_>, answer: &Answer, total: u64) -> StoreError {
    let size = answer
        .headers
        .get("content-range")
        .and_then(|found| found.strip_prefix("bytes */")?.parse::<u64>().ok());
    match size {
        Some(size) if size != total => {
            let message = format!("GET {}: expected {total} bytes, found {size}", ask.place);
            StoreError::new(Kind::PreconditionFailed, message)
        }
        _ => failed(ask, answer.status),
    }
}

fn part(
    store: &HttpStore,
    ask: &Ask<'_>,
    answer: Answer,
    range: ByteRange,
    total: u64,
) -> Result<ObjectBody, StoreError> {
    let expected = format!("bytes {}-{}/{total}", range.start, range.end().saturating_sub(1));
    let found = answer.headers.get("content-range").unwrap_or("none");
    if found != expected {
        return Err(broken(ask, &format!("Content-Range {expected}"), &format!("{found:.80}")));
    }
    announced(ask, &answer, range.len)?;
    Ok(body(store, ask, answer, range.len))
}

fn all(store: &HttpStore, ask: &Ask<'_>, answer: Answer, total: u64) -> Result<ObjectBody, StoreError> {
    announced(ask, &answer, total)?;
    Ok(body(store, ask, answer, total))
}

fn announced(ask: &Ask<'_>, answer: &Answer, expected: u64) -> Result<(), StoreError> {
    match length(ask, &answer.headers)? {
        Some(found) if found != expected => {
            Err(broken(ask, &format!("{expected} bytes"), &format!("{found} announced")))
        }
        _ => Ok(()),
    }
}

fn body(store: &HttpStore, ask: &Ask<'_>, answer: Answer, len: u64) -> ObjectBody {
    let place = format!("GET {}", ask.place);
    Incoming::new(answer.body, place, len, store.web.settings.patience.stall).boxed()
}

/// The stream without its first bytes.
fn without(body: ObjectBody, first: u64) -> ObjectBody {
    let mut left = first;
    let rest = body.try_filter_map(move |bytes| {
        let cut = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        left -= cut as u64;
        ready(Ok(Some(bytes.slice(cut..)).filter(|rest| !rest.is_empty())))
    });
    rest.boxed()
}
