//! Bodies in and out of memory.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream;
use transload_wire::ErrorName;

use crate::{ObjectBody, PutBody, StoreError, StoreErrorKind, Verb};

/// Cuts bytes into frames, as a connection would.
pub(super) fn frames(bytes: Bytes, frame: usize) -> ObjectBody {
    let frame = frame.max(1);
    let starts = (0..bytes.len()).step_by(frame);
    stream::iter(starts.map(move |at| Ok(bytes.slice(at..bytes.len().min(at + frame))))).boxed()
}

/// Takes a whole body. It has to be as long as announced.
pub(super) async fn collect(verb: Verb, mut body: PutBody) -> Result<Bytes, StoreError> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.stream.next().await {
        let frame = frame.map_err(|failure| StoreError::of_body(verb.to_string(), failure))?;
        bytes.extend_from_slice(&frame);
    }
    if bytes.len() as u64 != body.len {
        let message = format!("body: expected {} bytes, found {}", body.len, bytes.len());
        return Err(StoreError::of_body(verb.to_string(), ErrorName::PartCorrupted.because(message)));
    }
    if body.md5.as_ref().is_some_and(|md5| *md5 != crate::digest::md5_hex(&bytes)) {
        return Err(StoreError::new(
            StoreErrorKind::Corrupted,
            format!("{verb}: Content-MD5 is not that of the body"),
        ));
    }
    Ok(bytes.freeze())
}
