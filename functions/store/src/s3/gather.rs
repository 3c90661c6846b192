//! A checksum, or an MD5, that goes ahead of its body, for stores that take no trailers.
//!
//! S3 computes CRC64NVME over every object unasked; another checksum it keeps only if the request carries it. Without a
//! trailer its value must be known before the first byte is sent, so the body is gathered in memory first. Where there is
//! no checksum at all, Content-MD5 lets the store turn wrong bytes away: stored, a wrong part would look like the right one
//! to whoever lists it later.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};
use transload_wire::{Checksum, ChecksumAlgorithm};

use crate::{Hasher, PutBody, StoreError, StoreErrorKind as Kind, Verb};

/// Most bytes that are gathered: what is copied in one request if the user does not say otherwise.
pub(super) const MOST: u64 = 16 << 20;

/// Gathers a body that needs its checksum ahead; `None` if it is streamed without one.
///
/// # Errors
/// The body's own; `Unsupported` for an object above [`MOST`] bytes, whose checksum the store would not keep.
pub(super) async fn ahead(
    verb: Verb,
    place: &str,
    body: &mut PutBody,
    algorithm: ChecksumAlgorithm,
) -> Result<Option<Checksum>, StoreError> {
    if algorithm == ChecksumAlgorithm::Crc64Nvme {
        return Ok(None);
    }
    if body.len > MOST {
        return if verb == Verb::PutObject { refuse(place, body.len, algorithm) } else { Ok(None) };
    }
    let frames =
        gather(body).await.map_err(|failure| StoreError::of_body(format!("{verb} {place}"), failure))?;
    let mut hasher = Hasher::new(algorithm);
    frames.iter().for_each(|frame| hasher.update(frame));
    body.stream = stream::iter(frames.into_iter().map(Ok)).boxed();
    Ok(Some(hasher.finish()))
}

/// The MD5 of a body that nothing else lets the store check, in base64; `None` for one above [`MOST`] bytes, which is
/// compared with the store's answer only.
///
/// # Errors
/// The body's own.
pub(super) async fn md5(verb: Verb, place: &str, body: &mut PutBody) -> Result<Option<String>, StoreError> {
    if body.len > MOST {
        return Ok(None);
    }
    let frames =
        gather(body).await.map_err(|failure| StoreError::of_body(format!("{verb} {place}"), failure))?;
    let mut md5 = Md5::new();
    frames.iter().for_each(|frame| md5.update(frame));
    body.stream = stream::iter(frames.into_iter().map(Ok)).boxed();
    Ok(Some(STANDARD.encode(md5.finalize())))
}

/// All frames; no more than one too many, which is refused when it is sent.
async fn gather(body: &mut PutBody) -> Result<Vec<Bytes>, crate::BodyError> {
    let (mut frames, mut received) = (Vec::new(), 0);
    while received <= body.len
        && let Some(frame) = body.stream.try_next().await?
    {
        received += frame.len() as u64;
        frames.push(frame);
    }
    Ok(frames)
}

fn refuse<T>(place: &str, len: u64, algorithm: ChecksumAlgorithm) -> Result<T, StoreError> {
    Err(StoreError::new(
        Kind::Unsupported,
        format!(
            "{} {place}: expected at most {MOST} bytes in one request (the location has no trailers, so {} goes ahead of \
             the bytes), found {len}; a smaller options.wholeObjectLimit sends parts",
            Verb::PutObject,
            algorithm.as_str(),
        ),
    ))
}
