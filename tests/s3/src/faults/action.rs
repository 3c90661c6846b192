//! What a fault does to a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::answer::Answer;
use crate::direct::Direct;

/// What happens to a request that a rule matches.
#[derive(Debug, Clone)]
pub enum Action {
    /// Answers this; the request has no effect.
    Answer(Answer),
    /// Does what the request asks for, then answers this.
    CommitThenAnswer(Answer),
    /// Resets the connection before anything is read of the body or answered.
    ResetBeforeHeaders,
    /// Does what the request asks for, then resets the connection: done, but the answer is lost.
    CommitThenReset,
    /// Resets the connection after this many bytes of the request's body.
    ResetRequestAfter(u64),
    /// Resets the connection after this many bytes of the answer's body.
    ResetResponseAfter(u64),
    /// Closes the connection in order after this many bytes of the answer's body, short of its length.
    CloseResponseAfter(u64),
    /// Stops reading the request's body after this many bytes, for a time or for ever.
    StallRequest {
        /// Bytes read before.
        after: u64,
        /// None: for ever.
        pause: Option<Duration>,
    },
    /// Stops sending the answer's body after this many bytes, for a time or for ever.
    StallResponse {
        /// Bytes sent before.
        after: u64,
        /// None: for ever.
        pause: Option<Duration>,
    },
    /// Waits before the request is looked at.
    Delay(Duration),
    /// Does not see the `Range` header: answers 200 with the whole object.
    IgnoreRange,
    /// Adds this to both positions of `Content-Range`; the body is right.
    ShiftContentRange(i64),
    /// Adds this to the total of `Content-Range`; the body is right.
    ShiftTotal(i64),
    /// Leaves this many bytes off the end, with `Content-Length` and `Content-Range` to match.
    Shorten(u64),
    /// Inverts the lowest bit of the answer's body at this offset.
    FlipResponse(u64),
    /// Inverts the lowest bit of the request's body at this offset. The bytes of an `aws-chunked` body are counted
    /// without its framing.
    FlipRequest(u64),
    /// Removes a header from the answer.
    OmitHeader(&'static str),
    /// Does what the request asks for and answers only this many bytes of the body, with a `Content-Length` to match.
    TruncateAnswer(u64),
    /// Puts this many blanks between the XML declaration and the element, as S3 does while it completes an upload.
    Whitespace(usize),
    /// Runs a hook on the server's storage before the request is handled.
    Hook(Hook),
}

/// A function that a fault runs on the storage.
#[derive(Clone)]
pub struct Hook(pub(crate) Arc<dyn Fn(&Direct) + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

impl Action {
    /// Runs `hook` before the request is handled.
    pub fn hook(hook: impl Fn(&Direct) + Send + Sync + 'static) -> Self {
        Self::Hook(Hook(Arc::new(hook)))
    }

    /// Overwrites an object before the request is handled: a source that changes while it is copied.
    #[must_use]
    pub fn overwrite(bucket: &str, key: &str, bytes: impl Into<Bytes>) -> Self {
        let (bucket, key, bytes) = (bucket.to_owned(), key.to_owned(), bytes.into());
        Self::hook(move |direct| {
            let _ = direct.put(&bucket, &key, bytes.clone());
        })
    }

    /// A short name, as request records show it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Answer(answer) => format!("Answer {}", answer.status.as_u16()),
            Self::CommitThenAnswer(answer) => format!("CommitThenAnswer {}", answer.status.as_u16()),
            other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
        }
    }
}
