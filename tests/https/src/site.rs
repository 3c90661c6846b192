//! A server that behaves, as far as it is told to: what faults are laid over.

use crate::{End, Reply, Request};

/// One object.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether ranges are served.
    pub ranges: bool,
    /// Whether `Accept-Ranges` is told.
    pub tells_ranges: bool,
    /// Whether the length is told.
    pub length: bool,
    /// Whether conditions are looked at.
    pub conditions: bool,
    /// With quotation marks.
    pub etag: Option<String>,
    /// As a header has it.
    pub modified: Option<String>,
    /// Whatever else is told.
    pub headers: Vec<(String, String)>,
}

impl Site {
    /// A server that does all it should, with a strong ETag.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            ranges: true,
            tells_ranges: true,
            length: true,
            conditions: true,
            etag: Some("\"first\"".to_owned()),
            modified: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            headers: vec![("content-type".to_owned(), "text/x".to_owned())],
        }
    }

    /// Answers a request.
    #[must_use]
    pub fn reply(&self, request: &Request) -> Reply {
        if self.conditions && self.differs(request) {
            return Reply::status(412);
        }
        let mut headers = self.headers.clone();
        let told = [("etag", self.etag.clone()), ("last-modified", self.modified.clone())];
        headers.extend(told.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        if self.tells_ranges {
            let unit = if self.ranges { "bytes" } else { "none" };
            headers.push(("accept-ranges".to_owned(), unit.to_owned()));
        }
        let total = self.bytes.len();
        let (status, bytes) = match request.range().filter(|_| self.ranges) {
            Some((first, _)) if first >= total => {
                headers.push(("content-range".to_owned(), format!("bytes */{total}")));
                (416, Vec::new())
            }
            Some((first, last)) => {
                let last = last.min(total - 1);
                headers.push(("content-range".to_owned(), format!("bytes {first}-{last}/{total}")));
                (206, self.bytes[first..=last].to_vec())
            }
            None => (200, self.bytes.clone()),
        };
        if self.length {
            headers.push(("content-length".to_owned(), bytes.len().to_string()));
        }
        Reply { status, headers, body: bytes, chunked: !self.length, end: End::Whole }
    }

    fn differs(&self, request: &Request) -> bool {
        let differs = |name: &str, own: &Option<String>| {
            request.header(name).is_some_and(|asked| Some(asked) != own.as_deref())
        };
        differs("if-match", &self.etag) || differs("if-unmodified-since", &self.modified)
    }
}
