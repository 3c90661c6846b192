//! Lines out of a body that comes in frames of any length.

use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use transload_wire::{ErrorName, Failure};

use super::WorkBody;

/// Bytes of a line, at most: a child has an input and an output of 256 KiB each, and both are quoted once more.
const LONGEST: usize = 4 << 20;

/// Reads lines.
pub struct Lines {
    name: String,
    body: WorkBody,
    buffer: BytesMut,
    ended: bool,
    number: u64,
}

impl Lines {
    /// Lines of the file of this name.
    #[must_use]
    pub fn new(name: &str, body: WorkBody) -> Self {
        Self { name: name.to_owned(), body, buffer: BytesMut::new(), ended: false, number: 0 }
    }

    /// Number of the line that was read last, from 1; empty ones count.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not empty, without its end.
    ///
    /// # Errors
    /// The body's; `Internal` for a line that is longer than any can be.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let mut seen = 0;
        loop {
            let end = self.buffer.iter().skip(seen).position(|byte| *byte == b'\n').map(|at| at + seen);
            if let Some(end) = end {
                let line = self.buffer.split_to(end).freeze();
                self.buffer.advance(1);
                self.number += 1;
                seen = 0;
                if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.ended {
                let rest = std::mem::take(&mut self.buffer).freeze();
                self.number += u64::from(!rest.is_empty());
                return Ok(Some(rest).filter(|rest| rest.iter().any(|byte| !byte.is_ascii_whitespace())));
            }
            seen = self.buffer.len();
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Failure> {
        match self.body.next().await {
            Some(frame) => self.buffer.extend_from_slice(&frame?),
            None => self.ended = true,
        }
        if self.buffer.len() <= LONGEST || self.buffer.contains(&b'\n') {
            return Ok(());
        }
        Err(ErrorName::Internal
            .because(format!("{}: expected lines of at most {LONGEST} bytes, found a longer one", self.name)))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::{StreamExt, stream};

    use super::Lines;

    #[tokio::test]
    async fn lines_are_found_however_the_body_is_cut() {
        let text = "first\n\n  \nsecond line\nlast";
        for frame in 1..text.len() {
            let frames: Vec<_> =
                text.as_bytes().chunks(frame).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
            let mut lines = Lines::new("x", stream::iter(frames).boxed());
            let mut found = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                found.push((lines.number(), String::from_utf8(line.to_vec()).unwrap()));
            }
            let expected = [(1, "first"), (4, "second line"), (5, "last")];
            assert_eq!(found, expected.map(|(number, line)| (number, line.to_owned())), "{frame}");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let frames = stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 1 << 20])));
        let refused = Lines::new("a.jsonl", frames.boxed()).next().await.unwrap_err();
        assert!(refused.message.starts_with("a.jsonl: expected lines"), "{refused}");
    }
}
