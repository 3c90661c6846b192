//! Reads what a worker posts: bounded, and with the error that may follow a streamed answer as a trailer.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{body::Incoming, header::HeaderMap};

use crate::error::RESPONSE_LIMIT;

/// Header of a posted error, and trailer of a stream that broke off.
pub(crate) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// Bytes beyond the limit that are read and dropped, so that the worker reads the refusal instead of a broken
/// connection. A worker that sends more than that is cut off.
const DRAIN_LIMIT: usize = 64 << 20;

/// A body as read.
#[derive(Debug)]
pub(crate) enum Posted {
    Whole(Bytes),
    TooLarge,
    /// The function failed in the middle of its stream.
    Failed {
        error_type: String,
        payload: Bytes,
    },
}

/// Reads a body to its end. `Err`: the worker broke off.
pub(crate) async fn read(mut body: Incoming) -> Result<Posted, hyper::Error> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let data = match frame?.into_data() {
            Ok(data) => data,
            Err(frame) => match frame.trailers_ref().and_then(broken_off) {
                Some(failed) => return Ok(failed),
                None => continue,
            },
        };
        length += data.len();
        if length > DRAIN_LIMIT {
            break;
        }
        if length > RESPONSE_LIMIT {
            continue;
        }
        // Nearly all answers arrive in one piece and need no copy.
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    Ok(match length {
        too_large if too_large > RESPONSE_LIMIT => Posted::TooLarge,
        _ if rest.is_empty() => Posted::Whole(first),
        _ => Posted::Whole([first, rest.freeze()].concat().into()),
    })
}

fn broken_off(trailers: &HeaderMap) -> Option<Posted> {
    let error_type = trailers.get(ERROR_TYPE)?.to_str().ok()?.to_owned();
    let payload = trailers.get(ERROR_BODY).map(|value| Bytes::copy_from_slice(value.as_bytes()));
    Some(Posted::Failed { error_type, payload: payload.unwrap_or_default() })
}

/// `errorType` of an error's payload.
pub(crate) fn error_type(payload: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "errorType")]
        error_type: String,
    }
    serde_json::from_slice::<Typed>(payload).ok().map(|typed| typed.error_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_names_its_type() {
        assert_eq!(
            error_type(br#"{"errorMessage":"m","errorType":"T","stackTrace":[]}"#).as_deref(),
            Some("T")
        );
        assert_eq!(error_type(b"not json"), None);
        assert_eq!(error_type(br#"{"errorType":7}"#), None);
    }
}
