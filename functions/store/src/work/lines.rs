//! Lines out of a body that comes in frames of any length.

use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use transload_store::work::WorkBody;
use transload_wire::{ErrorName, Failure};

/// Bytes of a line, at most: a child has an input and an output of 256 KiB each, and both are quoted once more.
const LONGEST: usize = 4 << 20;

/// Reads lines.
pub(crate) struct Lines {
    name: String,
    body: WorkBody,
    buffer: BytesMut,
    ended: bool,
}

impl Lines {
    pub(crate) fn new(name: &str, body: WorkBody) -> Self {
        Self { name: name.to_owned(), body, buffer: BytesMut::new(), ended: false }
    }

    /// The next line that is not empty, without its end.
    ///
    /// # Errors
    /// The body's; `Internal` for a line that is longer than any can be.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let mut seen = 0;
        loop {
            let end = self.buffer.iter().skip(seen).position(|byte| *byte == b'\n').map(|at| at + seen);
            if let Some(end) = end {
                let line = self.buffer.split_to(end).freeze();
                self.buffer.advance(1);
                seen = 0;
                if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.ended {
                let rest = std::mem::take(&mut self.buffer).freeze();
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
                found.push(String::from_utf8(line.to_vec()).unwrap());
            }
            assert_eq!(found, ["first", "second line", "last"], "{frame}");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let frames = stream::repeat_with(|| Ok(Bytes::from(vec![b'x'; 1 << 20])));
        let refused = Lines::new("a.jsonl", frames.boxed()).next().await.unwrap_err();
        assert!(refused.message.starts_with("a.jsonl: expected lines"), "{refused}");
    }
}
