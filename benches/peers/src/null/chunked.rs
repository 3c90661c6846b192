//! The `aws-chunked` framing: `size;extension CRLF bytes CRLF ... 0 CRLF trailers CRLF`.

use anyhow::{Context, Result, bail};

use super::http::Headers;

/// Longest line accepted: a chunk's signature has 85 bytes, a trailer's value fewer than 200.
const LONGEST_LINE: usize = 1024;

/// Takes the framing off as bytes come, in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    state: State,
    line: Vec<u8>,
    trailers: Headers,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    AfterData,
    Trailers,
    Done,
}

impl Decoder {
    /// Takes the next bytes; hands what was framed to `sink`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<()> {
        while !bytes.is_empty() {
            if let State::Data(left) = self.state {
                let take = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let (data, rest) = bytes.split_at(take);
                sink(data);
                bytes = rest;
                let left = left - take as u64;
                self.state = if left == 0 { State::AfterData } else { State::Data(left) };
            } else {
                bytes = self.gather(bytes)?;
            }
        }
        Ok(())
    }

    /// Adds to the line at hand and reads it when it is whole.
    fn gather<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.line.extend_from_slice(part);
        if self.line.len() > LONGEST_LINE {
            bail!("aws-chunked: a line of more than {LONGEST_LINE} bytes");
        }
        if end.is_some() {
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim_end().to_owned();
            self.take_line(&line)?;
        }
        Ok(rest)
    }

    fn take_line(&mut self, line: &str) -> Result<()> {
        self.state = match self.state {
            State::Size => match size_of(line)? {
                0 => State::Trailers,
                size => State::Data(size),
            },
            State::AfterData if line.is_empty() => State::Size,
            State::Trailers if line.is_empty() => State::Done,
            State::Trailers => {
                let (name, value) = line
                    .split_once(':')
                    .with_context(|| format!("trailer: expected a colon, found {line:?}"))?;
                self.trailers.push(name.trim(), value.trim());
                State::Trailers
            }
            _ => bail!("aws-chunked: expected an empty line or the end, found {line:?}"),
        };
        Ok(())
    }

    /// The trailers, once all bytes were fed.
    pub(crate) fn finish(self) -> Result<Headers> {
        match self.state {
            // The empty line behind the last chunk is left out by some clients.
            State::Done | State::Trailers => Ok(self.trailers),
            state => bail!("aws-chunked: ended in {state:?}"),
        }
    }
}

fn size_of(line: &str) -> Result<u64> {
    let digits = line.split(';').next().unwrap_or_default();
    u64::from_str_radix(digits.trim(), 16)
        .with_context(|| format!("chunk size: expected hex digits, found {digits:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMED: &[u8] =
        b"5;chunk-signature=ab\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32: AAAA\r\nx-b:c\r\n\r\n";

    fn decode(pieces: usize) -> (Vec<u8>, Headers) {
        let (mut out, mut decoder) = (Vec::new(), Decoder::default());
        for piece in FRAMED.chunks(pieces) {
            decoder.feed(piece, &mut |data| out.extend_from_slice(data)).unwrap();
        }
        (out, decoder.finish().unwrap())
    }

    #[test]
    fn pieces_of_any_size_decode_alike() {
        for pieces in 1..=FRAMED.len() {
            let (out, trailers) = decode(pieces);
            assert_eq!(out, b"hello world", "pieces of {pieces}");
            assert_eq!(trailers.get("x-amz-checksum-crc32"), Some("AAAA"));
            assert_eq!(trailers.get("x-b"), Some("c"));
        }
    }

    #[test]
    fn what_is_no_framing_is_refused() {
        for bad in [&b"zz\r\n"[..], b"3\r\nabcd\r\n", b"1\r\na\r\n0\r\nno colon\r\n", b"0\r\n\r\nmore\r\n"] {
            assert!(Decoder::default().feed(bad, &mut |_| {}).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        let mut cut = Decoder::default();
        cut.feed(b"5\r\nhel", &mut |_| {}).unwrap();
        assert!(cut.finish().is_err());
    }
}
