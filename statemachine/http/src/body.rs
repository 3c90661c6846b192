//! Bodies of requests, up to a size.
use crate::answer::Refusal;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Bytes of a request. The service takes 1 MiB; a definition of that size, whose refusal has its own words, needs room for
/// the quotes and backslashes that a JSON string adds.
const MAX_BODY: usize = 4 << 20;

/// Bytes that are read of a body that is too large, so that its sender comes to read the answer.
const MAX_DRAINED: usize = 64 << 20;

/// Reads a body.
pub(crate) async fn read(mut incoming: Incoming) -> Result<Bytes, Refusal> {
    let mut body = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| Refusal::new("SerializationException", error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        total += data.len();
        if total <= MAX_BODY {
            body.extend_from_slice(&data);
        } else if total > MAX_DRAINED {
            break;
        }
    }
    if total <= MAX_BODY {
        return Ok(body.freeze());
    }
    let message = format!("Request size exceeded {MAX_BODY} bytes");
    Err(Refusal::new("RequestEntityTooLargeException", message))
}
