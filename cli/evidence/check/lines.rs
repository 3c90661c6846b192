//! Documents and lines out of a pack, each no longer than it may be.

use std::io::{BufRead, BufReader, Read};

use serde::de::DeserializeOwned;

use crate::evidence::LINE;
use crate::evidence::archive::{Pack, Span};

/// Bytes of a document that is read at once: a report of 10,000 parts has some 4 MB.
const DOCUMENT: u64 = 64 << 20;

/// All of a file as text.
pub(super) fn whole(pack: &Pack, name: &str) -> Result<String, String> {
    let inside = pack.find(name).ok_or_else(|| format!("{name}: expected a file, found none"))?;
    if inside.size > DOCUMENT {
        return Err(format!("{name}: expected at most {DOCUMENT} bytes, found {}", inside.size));
    }
    let mut text = String::new();
    let read = pack.read(inside).read_to_string(&mut text);
    read.map(|_| text).map_err(|error| format!("{name}: {error}"))
}

/// A file as a document.
pub(super) fn document<T: DeserializeOwned>(pack: &Pack, name: &str) -> Result<T, String> {
    serde_json::from_str(&whole(pack, name)?).map_err(|error| format!("{name}: {error}"))
}

/// The lines of a file, one after the other.
pub(super) struct Rows {
    name: String,
    from: BufReader<Span>,
    number: u64,
    line: Vec<u8>,
}

impl Rows {
    /// Of this file.
    pub(super) fn of(pack: &Pack, name: &str) -> Result<Self, String> {
        let inside = pack.find(name).ok_or_else(|| format!("{name}: expected a file, found none"))?;
        let from = BufReader::new(pack.read(inside));
        Ok(Self { name: name.to_owned(), from, number: 0, line: Vec::new() })
    }

    /// Where the line that was read last stands.
    pub(super) fn place(&self) -> String {
        format!("{}, line {}", self.name, self.number)
    }

    /// The next line, without its end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, String> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.from).take(LINE as u64 + 1);
        let read = bounded
            .read_until(b'\n', &mut self.line)
            .map_err(|error| format!("{}: {error}", self.place()))?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            let why = if read > LINE { "at most 4 MiB, found a longer one" } else { "its end, found none" };
            return Err(format!("{}: expected {why}", self.place()));
        }
        Ok(Some(&self.line))
    }

    /// The next line as a document.
    pub(super) fn parsed<T: DeserializeOwned>(&mut self) -> Result<Option<T>, String> {
        let Some(line) = self.next()? else { return Ok(None) };
        let parsed = serde_json::from_slice(line);
        parsed.map(Some).map_err(|error| format!("{}: {error}", self.place()))
    }
}
