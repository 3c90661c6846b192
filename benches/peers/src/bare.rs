//! The bound: plain sockets, GET a range, PUT a part, nothing else. No checksum, no retry, no other error than failing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

/// Bytes of a part.
const PART: u64 = 64 << 20;

/// Bytes moved at a time.
const BUFFER: usize = 256 << 10;

/// What to stream where. Addresses are `host:port`, paths `/bucket/key`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Job {
    /// Address of the source.
    pub(crate) source: String,
    /// Its access key.
    pub(crate) source_key: String,
    /// Path of the object.
    pub(crate) from: String,
    /// Address of the destination.
    pub(crate) destination: String,
    /// Its access key.
    pub(crate) destination_key: String,
    /// Path of the copy.
    pub(crate) to: String,
    /// Connections to each side.
    #[arg(long, default_value_t = 2)]
    pub(crate) connections: usize,
}

/// A connection to a null server.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
    access_key: String,
}

/// An answer's head.
#[derive(Debug)]
pub(crate) struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn length(&self) -> Result<u64> {
        self.get("content-length").context("no content-length")?.parse().context("content-length")
    }
}

impl Wire {
    pub(crate) fn open(address: &str, access_key: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream), access_key: access_key.to_owned() })
    }

    fn send(&mut self, method: &str, path: &str, more: &str) -> Result<()> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: null\r\nAuthorization: AWS4-HMAC-SHA256 Credential={}/-\r\n{more}\r\n",
            self.access_key
        );
        Ok(self.stream.get_mut().write_all(head.as_bytes())?)
    }

    fn receive(&mut self) -> Result<Head> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line)? > 0, "closed before an answer");
            if line.trim_end().is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = lines.first().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
        let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        let head = Head { status, headers: headers.collect() };
        ensure!(head.status < 300, "status {}", head.status);
        Ok(head)
    }

    /// A request with a small body, and its answer's body.
    pub(crate) fn call(&mut self, method: &str, path: &str, body: &str) -> Result<(Head, String)> {
        self.send(method, path, &format!("Content-Length: {}\r\n", body.len()))?;
        self.stream.get_mut().write_all(body.as_bytes())?;
        let head = self.receive()?;
        let length = if method == "HEAD" { 0 } else { head.length()? };
        let mut text = vec![0; usize::try_from(length)?];
        self.stream.read_exact(&mut text)?;
        Ok((head, String::from_utf8(text)?))
    }

    /// HEAD with the checksum.
    pub(crate) fn head(&mut self, path: &str) -> Result<Head> {
        self.send("HEAD", path, "x-amz-checksum-mode: ENABLED\r\n")?;
        self.receive()
    }
}

/// Copies the object.
pub(crate) fn copy(job: &Job) -> Result<()> {
    let size = Wire::open(&job.source, &job.source_key)?.head(&job.from)?.length()?;
    let mut control = Wire::open(&job.destination, &job.destination_key)?;
    let (_, created) = control.call("POST", &format!("{}?uploads", job.to), "")?;
    let id = between(&created, "<UploadId>", "</UploadId>").context("no UploadId")?;
    let next = AtomicU64::new(0);
    let mut etags = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..job.connections).map(|_| scope.spawn(|| parts(job, id, size, &next))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| bail!("panicked")))
            .collect::<Result<Vec<_>>>()
    })?
    .concat();
    etags.sort_unstable();
    let parts = etags
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    let xml = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>());
    control.call("POST", &format!("{}?uploadId={id}", job.to), &xml)?;
    Ok(())
}

pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(value, _)| value)
}

fn parts(job: &Job, id: &str, size: u64, next: &AtomicU64) -> Result<Vec<(u64, String)>> {
    let mut source = Wire::open(&job.source, &job.source_key)?;
    let mut destination = Wire::open(&job.destination, &job.destination_key)?;
    let (mut buffer, mut etags) = (vec![0; BUFFER], Vec::new());
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let offset = index * PART;
        if offset >= size {
            return Ok(etags);
        }
        let length = PART.min(size - offset);
        source.send("GET", &job.from, &format!("Range: bytes={offset}-{}\r\n", offset + length - 1))?;
        source.receive()?;
        let path = format!("{}?partNumber={}&uploadId={id}", job.to, index + 1);
        destination.send("PUT", &path, &format!("Content-Length: {length}\r\n"))?;
        pump(&mut source, &mut destination, &mut buffer, length)?;
        let answer = destination.receive()?;
        etags.push((index + 1, answer.get("etag").context("no ETag")?.to_owned()));
    }
}

fn pump(source: &mut Wire, destination: &mut Wire, buffer: &mut [u8], length: u64) -> Result<()> {
    let mut left = length;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = source.stream.read(&mut buffer[..most])?;
        ensure!(read > 0, "closed {left} bytes before the end");
        destination.stream.get_mut().write_all(&buffer[..read])?;
        left -= read as u64;
    }
    Ok(())
}
