//! Faults in an answer that was otherwise right: its range, its length, its headers.

use std::io;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http::{HeaderName, HeaderValue, Response, request};
use http_body_util::{BodyExt as _, Limited};
use s3s::Body;

use crate::faults::Action;

/// An answer that is rewritten is held in memory up to this size.
const MAX_HELD: usize = 64 << 20;

/// Marks the request so that the operation overlooks its range: the header itself is under the signature.
pub(super) fn before(action: Option<&Action>, parts: &mut request::Parts) {
    if let Some(Action::IgnoreRange) = action {
        parts.extensions.insert(crate::ops::WholeObject);
    }
}

pub(super) async fn rewrite(
    action: Option<&Action>,
    mut answer: Response<Body>,
) -> Result<Response<Body>, io::Error> {
    match action {
        Some(Action::ShiftContentRange(by)) => edit_range(&mut answer, |range| range.shift(*by)),
        Some(Action::ShiftTotal(by)) => {
            edit_range(&mut answer, |range| range.total = moved(range.total, *by))
        }
        Some(Action::Shorten(by)) => return shorten(answer, *by).await,
        Some(Action::Whitespace(count)) => return whitespace(answer, *count).await,
        Some(Action::TruncateAnswer(length)) => return cut(answer, *length as usize).await,
        Some(Action::OmitHeader(name)) => {
            if let Ok(name) = HeaderName::try_from(*name) {
                answer.headers_mut().remove(name);
            }
        }
        _ => {}
    }
    Ok(answer)
}

struct ContentRange {
    first: u64,
    last: u64,
    total: u64,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some(Self { first: first.parse().ok()?, last: last.parse().ok()?, total: total.parse().ok()? })
    }

    fn shift(&mut self, by: i64) {
        self.first = moved(self.first, by);
        self.last = moved(self.last, by);
    }
}

fn moved(position: u64, by: i64) -> u64 {
    position.saturating_add_signed(by)
}

fn edit_range(answer: &mut Response<Body>, edit: impl FnOnce(&mut ContentRange)) {
    let range =
        answer.headers().get(CONTENT_RANGE).and_then(|value| ContentRange::parse(value.to_str().ok()?));
    let Some(mut range) = range else { return };
    edit(&mut range);
    if let Ok(value) = HeaderValue::try_from(format!("bytes {}-{}/{}", range.first, range.last, range.total))
    {
        answer.headers_mut().insert(CONTENT_RANGE, value);
    }
}

async fn shorten(mut answer: Response<Body>, by: u64) -> Result<Response<Body>, io::Error> {
    let length =
        answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    edit_range(&mut answer, |range| range.last = range.last.saturating_sub(by));
    cut(answer, length.unwrap_or_default().saturating_sub(by) as usize).await
}

/// What a long CompleteMultipartUpload sends to keep its connection: blanks between the declaration and the element.
async fn whitespace(answer: Response<Body>, count: usize) -> Result<Response<Body>, io::Error> {
    let (mut parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_HELD).collect().await.map_err(io::Error::other)?.to_bytes();
    let end = body.windows(2).position(|pair| pair == b"?>").map_or(0, |at| at + 2);
    let all = [&body[..end], " ".repeat(count).as_bytes(), &body[end..]].concat();
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(all)))
}

async fn cut(answer: Response<Body>, length: usize) -> Result<Response<Body>, io::Error> {
    let (mut parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_HELD).collect().await.map_err(io::Error::other)?.to_bytes();
    let body = body.slice(..length.min(body.len()));
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len() as u64));
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// GetObjectAttributes alone writes its ETag without quotes; the protocol library always writes them.
pub(super) async fn bare_etag(answer: Response<Body>) -> Result<Response<Body>, io::Error> {
    let (mut parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_HELD).collect().await.map_err(io::Error::other)?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    let text = text.replace("<ETag>\"", "<ETag>").replace("\"</ETag>", "</ETag>");
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(text)))
}
