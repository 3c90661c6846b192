//! One request and its answer on a connection, and what the network does to them.

use std::time::Duration;

/// A request at the moment at which it begins to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Counts all requests of the world, from 1.
    pub number: u64,
    /// Which worker sends it, from 1.
    pub worker: u64,
    /// Which place it goes to: the location's name.
    pub place: String,
    /// `GET`, `PUT` and so on.
    pub method: String,
    /// Path and query.
    pub target: String,
}

impl Exchange {
    /// The operation's name in S3's API, as far as method and query tell it.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let in_bucket = path.trim_matches('/').contains('/');
        match self.method.as_str() {
            "GET" if has("uploads") => "ListMultipartUploads",
            "GET" if has("uploadId") => "ListParts",
            "GET" if has("tagging") => "GetObjectTagging",
            "GET" if has("attributes") => "GetObjectAttributes",
            "GET" if in_bucket => "GetObject",
            "HEAD" => "HeadObject",
            "POST" if has("uploads") => "CreateMultipartUpload",
            "POST" if has("uploadId") => "CompleteMultipartUpload",
            "PUT" if has("partNumber") => "UploadPart",
            "PUT" => "PutObject",
            "DELETE" if has("uploadId") => "AbortMultipartUpload",
            _ => "Other",
        }
    }
}

/// Which message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The request.
    Up,
    /// The answer.
    Down,
}

/// Where in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Bytes from its beginning, status or request line and headers included.
    Message(u64),
    /// Bytes from the beginning of its body.
    Body(u64),
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Both ends find the connection reset.
    Reset,
    /// The receiver finds the end of the stream.
    End,
    /// Nothing arrives for so long; without a time, nothing ever.
    Stall(Option<Duration>),
    /// This bit (0 to 7) of the next byte is inverted.
    Flip(u8),
    /// So many bytes are left out.
    Omit(u32),
    /// The last so many bytes of this piece arrive twice.
    Repeat(u32),
    /// The next two bytes arrive in the other order.
    Swap,
}

/// Something that the network does to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Something happens at a place of a message.
    Strike(Way, At, Turn),
    /// The request takes effect a second time, so long after its answer began; that answer is lost.
    Again(Duration),
    /// The first byte of request and answer takes this much longer each.
    Slow(Duration),
    /// Bytes a second that the connection carries from now on.
    Narrow(u64),
}

impl Fault {
    /// The request is lost before anything of it arrives.
    pub const LOST_REQUEST: Self = Self::Strike(Way::Up, At::Message(0), Turn::Reset);
    /// The request takes effect and the answer is lost.
    pub const LOST_ANSWER: Self = Self::Strike(Way::Down, At::Message(0), Turn::Reset);

    /// A short name for counts.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Strike(way, _, turn) => {
                let turn = format!("{turn:?}");
                let way = if *way == Way::Up { "request" } else { "answer" };
                format!("{way} {}", turn.split(['(', ' ']).next().unwrap_or_default().to_lowercase())
            }
            Self::Again(_) => "request twice".to_owned(),
            Self::Slow(_) => "slow".to_owned(),
            Self::Narrow(_) => "narrow".to_owned(),
        }
    }
}
