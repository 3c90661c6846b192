//! The items of a Map Run, one after the other, out of one or many places.
use super::reader::failed;
use crate::exec::{Failure, Item};
use bytes::Bytes;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;

/// Where the items of a state's own input come from, in the service's words.
pub(crate) const STATE_DATA: &str = "STATE_DATA";

/// Items from the first to the last.
pub(super) struct Source {
    parts: VecDeque<Part>,
    at: u64,
    total: u64,
}

struct Part {
    origin: Arc<str>,
    items: Items,
}

enum Items {
    Values(std::vec::IntoIter<Value>),
    /// Lines are parsed as they are needed, so a large file costs its own bytes and no more.
    Lines {
        body: Bytes,
        offset: usize,
    },
}

impl Source {
    /// None yet.
    pub(super) fn empty() -> Self {
        Self { parts: VecDeque::new(), at: 0, total: 0 }
    }

    /// The items of a Map without a reader.
    pub(super) fn state(items: Vec<Value>) -> Self {
        let mut source = Self::empty();
        source.add(STATE_DATA, items);
        source
    }

    /// Adds items that are there already; `origin` is what `Map.Item.Source` says of them.
    pub(super) fn add(&mut self, origin: &str, items: Vec<Value>) {
        self.total += items.len() as u64;
        self.parts.push_back(Part { origin: origin.into(), items: Items::Values(items.into_iter()) });
    }

    /// Adds a line's worth of items each.
    pub(super) fn add_lines(&mut self, origin: &str, body: Bytes) {
        self.total += body.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count() as u64;
        self.parts.push_back(Part { origin: origin.into(), items: Items::Lines { body, offset: 0 } });
    }

    /// Ends after so many items.
    pub(super) fn limited(mut self, most: u64) -> Self {
        self.total = self.total.min(most);
        self
    }

    /// How many there are.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The next item.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Failure> {
        while self.at < self.total {
            let Some(part) = self.parts.front_mut() else { break };
            let index = self.at;
            let Some(value) = part.items.next(&part.origin)? else {
                self.parts.pop_front();
                continue;
            };
            self.at += 1;
            return Ok(Some(Item { index, value: Arc::new(value), source: Some(part.origin.clone()) }));
        }
        Ok(None)
    }
}

impl Items {
    fn next(&mut self, origin: &str) -> Result<Option<Value>, Failure> {
        let (body, offset) = match self {
            Self::Values(items) => return Ok(items.next()),
            Self::Lines { body, offset } => (body, offset),
        };
        while *offset < body.len() {
            let rest = &body[*offset..];
            let (from, end) = (*offset, rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()));
            *offset += end + 1;
            let line = rest[..end].trim_ascii();
            if !line.is_empty() {
                let value = serde_json::from_slice(line);
                return value
                    .map(Some)
                    .map_err(|e| failed(format!("{origin}: the line at byte {from} is not JSON: {e}")));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_numbered_through_all_parts_and_know_where_they_are_from() {
        let mut source = Source::empty();
        source.add_lines("first", Bytes::from_static(b"1\n\n{\"a\":2}\n"));
        source.add("nothing", Vec::new());
        source.add("last", vec![json!(3), json!(4)]);
        let mut source = source.limited(3);
        assert_eq!(source.total(), 3);
        let mut found = Vec::new();
        while let Some(item) = source.next().unwrap() {
            found.push((item.index, (*item.value).clone(), item.source.unwrap().to_string()));
        }
        let expected = [(0, json!(1), "first"), (1, json!({"a": 2}), "first"), (2, json!(3), "last")];
        assert_eq!(found, expected.map(|(i, v, s)| (i, v, s.to_owned())));
    }

    #[test]
    fn a_bad_line_is_named() {
        let mut source = Source::empty();
        source.add_lines("file", Bytes::from_static(b"1\n{"));
        assert!(source.next().is_ok());
        let failure = source.next().unwrap_err();
        assert!(failure.cause.unwrap().contains("file: the line at byte 2"));
    }
}
