//! One connection of a null server: requests in, answers out, bodies counted.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};

use super::chunked::Decoder;
use super::pace::Pacer;

/// Bytes read at a time. 256 KiB: larger ones no longer lower the cost of a byte, and stay in the L2 cache.
const BUFFER: usize = 256 << 10;

/// Headers of a request, names in lower case.
#[derive(Debug, Default)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_ascii_lowercase(), value.to_owned()));
    }
}

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) bucket: String,
    /// Unescaped; empty for requests on a bucket.
    pub(crate) key: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Headers,
}

impl Request {
    /// A query parameter's value, unescaped; empty where it has none.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn parse(head: &[u8]) -> Result<Self> {
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut slots);
        parsed.parse(head).context("request head")?;
        let mut headers = Headers::default();
        for header in parsed.headers.iter() {
            headers.push(header.name, &String::from_utf8_lossy(header.value));
        }
        let (path, query) = split_target(parsed.path.unwrap_or("/"));
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        Ok(Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            query,
            headers,
        })
    }

    fn length(&self) -> Result<u64> {
        if self.headers.get("transfer-encoding").is_some() {
            bail!("transfer-encoding: expected Content-Length, as S3 does");
        }
        self.headers.get("content-length").map_or(Ok(0), |text| text.parse().context("content-length"))
    }

    fn is_chunked(&self) -> bool {
        self.headers.get("x-amz-content-sha256").is_some_and(|kind| kind.starts_with("STREAMING-"))
    }
}

fn split_target(target: &str) -> (String, Vec<(String, String)>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescape(name), unescape(value))
    });
    (unescape(path.trim_start_matches('/')), pairs.collect())
}

fn unescape(text: &str) -> String {
    urlencoding::decode(text).map_or_else(|_| text.to_owned(), Cow::into_owned)
}

/// An answer with a small body, or none.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: String,
    /// `Content-Length` of an answer whose body is not sent here: HEAD, and objects by sendfile.
    pub(crate) length: Option<u64>,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), length: None }
    }

    /// An error as S3 words it.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status).xml(format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
    }

    pub(crate) fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn xml(mut self, body: String) -> Self {
        self.body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
        self.header("Content-Type", "application/xml")
    }

    fn encode(&self) -> String {
        let length = self.length.unwrap_or(self.body.len() as u64);
        let mut head =
            format!("HTTP/1.1 {} S\r\nx-amz-request-id: 0\r\nContent-Length: {length}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.push_str(&self.body);
        head
    }
}

/// A connection and what was read of it ahead.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: vec![0; BUFFER], start: 0, end: 0 }
    }

    /// The next request; none when the client closed.
    pub(crate) fn request(&mut self) -> Result<Option<Request>> {
        let mut scanned = self.start;
        loop {
            if let Some(at) = self.buffer[scanned..self.end].windows(4).position(|four| four == b"\r\n\r\n") {
                let end = scanned + at + 4;
                let request = Request::parse(&self.buffer[self.start..end])?;
                self.start = end;
                return Ok(Some(request));
            }
            // The terminator may lie across two reads.
            scanned = self.end.saturating_sub(3).max(self.start);
            if !self.fill(&mut scanned)? {
                return Ok(None);
            }
        }
    }

    fn fill(&mut self, scanned: &mut usize) -> Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            *scanned -= self.start;
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            bail!("request head: more than {BUFFER} bytes");
        }
        let read = self.stream.read(&mut self.buffer[self.end..])?;
        self.end += read;
        Ok(read > 0)
    }

    /// Reads a request's body, framing taken off, into `sink`; returns its trailers.
    pub(crate) fn body(
        &mut self,
        request: &Request,
        pacer: Pacer,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<Headers> {
        let length = request.length()?;
        if length > 0 && request.headers.get("expect").is_some() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if !request.is_chunked() {
            self.raw(length, pacer, |piece| {
                sink(piece);
                Ok(())
            })?;
            return Ok(Headers::default());
        }
        let mut decoder = Decoder::default();
        self.raw(length, pacer, |piece| decoder.feed(piece, &mut sink))?;
        decoder.finish()
    }

    fn raw(&mut self, length: u64, pacer: Pacer, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut left = length;
        while left > 0 {
            if self.start == self.end {
                (self.start, self.end) = (0, self.stream.read(&mut self.buffer)?);
                if self.end == 0 {
                    bail!("body: closed {left} bytes before its end");
                }
            }
            let take =
                usize::try_from(left).map_or(self.end - self.start, |left| left.min(self.end - self.start));
            sink(&self.buffer[self.start..self.start + take])?;
            self.start += take;
            left -= take as u64;
            pacer.pause(length - left);
        }
        Ok(())
    }

    /// Sends an answer.
    pub(crate) fn answer(&mut self, answer: &Answer) -> Result<()> {
        Ok(self.stream.write_all(answer.encode().as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split_and_unescaped() {
        let head = b"PUT /b/a%2Fc%20d/e?partNumber=7&uploadId=x%3D&acl HTTP/1.1\r\nETag: \"q\"\r\n\r\n";
        let request = Request::parse(head).unwrap();
        assert_eq!((request.bucket.as_str(), request.key.as_str()), ("b", "a/c d/e"));
        assert_eq!(request.parameter("uploadId"), Some("x="));
        assert_eq!(request.parameter("acl"), Some(""));
        assert_eq!(request.headers.get("etag"), Some("\"q\""));
    }

    #[test]
    fn a_body_without_a_length_is_refused() {
        let head = b"PUT /b/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(Request::parse(head).unwrap().length().is_err());
    }

    #[test]
    fn the_length_of_a_body_sent_elsewhere_is_announced() {
        let mut answer = Answer::new(200).header("ETag", "\"x\"");
        answer.length = Some(5 << 30);
        assert!(answer.encode().contains("Content-Length: 5368709120\r\nETag: \"x\"\r\n\r\n"));
    }
}
