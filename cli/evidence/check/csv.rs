//! Rows of `objects.csv`, by RFC 4180: what a run over many objects tells of each of them.

use std::io::{BufRead, BufReader};

use crate::evidence::LINE;
use crate::evidence::archive::Span;

/// The first row of a report's rows.
const HEADER: &str = "key,outcome,size,etag,duration_ms,error,cause,list,round";

/// An object's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) outcome: String,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) list: String,
}

/// Reads one after the other.
pub(super) struct Table {
    from: BufReader<Span>,
    row: u64,
}

impl Table {
    /// Behind the first row, which has to be the one that is known.
    pub(super) fn of(from: Span) -> Result<Self, String> {
        let mut table = Self { from: BufReader::new(from), row: 0 };
        match table.fields()? {
            Some(fields) if fields.join(",") == HEADER => Ok(table),
            _ => Err(format!("row 1: expected {HEADER}")),
        }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Row>, String> {
        let Some(fields) = self.fields()? else { return Ok(None) };
        let wrong = |what: &str| format!("row {}: expected {what}", self.row);
        let [key, outcome, size, etag, _, _, _, list, _] = fields.as_slice() else {
            return Err(wrong("9 fields"));
        };
        let size = size.parse().map_err(|_| wrong("a size in bytes"))?;
        let [key, outcome, etag, list] = [key, outcome, etag, list].map(Clone::clone);
        Ok(Some(Row { key, outcome, size, etag, list }))
    }

    fn fields(&mut self) -> Result<Option<Vec<String>>, String> {
        let (mut fields, mut field, mut quoted, mut read) = (Vec::new(), Vec::new(), false, 0);
        self.row += 1;
        let text = |field: Vec<u8>, row: u64| {
            String::from_utf8(field).map_err(|_| format!("row {row}: expected UTF-8"))
        };
        loop {
            let Some(byte) = self.byte()? else {
                return if read == 0 { Ok(None) } else { Err(format!("row {}: expected its end", self.row)) };
            };
            read += 1;
            if read > LINE {
                return Err(format!("row {}: expected at most {LINE} bytes, found more", self.row));
            }
            match byte {
                // Twice inside of quotes it is one; elsewhere it opens or closes them.
                b'"' if quoted && self.peek()? == Some(b'"') => {
                    self.byte()?;
                    field.push(b'"');
                }
                b'"' => quoted = !quoted,
                b',' if !quoted => fields.push(text(std::mem::take(&mut field), self.row)?),
                b'\r' if !quoted && self.peek()? == Some(b'\n') => {
                    self.byte()?;
                    fields.push(text(field, self.row)?);
                    return Ok(Some(fields));
                }
                byte => field.push(byte),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, String> {
        self.from.fill_buf().map(|bytes| bytes.first().copied()).map_err(|error| error.to_string())
    }

    fn byte(&mut self) -> Result<Option<u8>, String> {
        let byte = self.peek()?;
        self.from.consume(usize::from(byte.is_some()));
        Ok(byte)
    }
}
