//! From items to the inputs of children: the selector, then the batcher.
use super::source::Source;
use crate::asl::MapState;
use crate::exec::{Failure, MAX_DATA, View, json_size};
use serde_json::{Map, Value};

/// The input of one child.
pub(super) struct Portion {
    pub(super) input: Value,
    pub(super) items: u64,
}

/// Makes portions, in the same order and sizes every time it is run over the same items.
pub(super) struct Portions {
    source: Source,
    limits: Option<Limits>,
    /// Read, but did not fit into the batch before.
    held: Option<Value>,
}

struct Limits {
    items: usize,
    bytes: usize,
    input: Option<Value>,
}

impl Portions {
    /// Prepares the batcher's limits.
    pub(super) fn new(view: &View<'_>, map: &MapState, source: Source) -> Result<Self, Failure> {
        let Some(batcher) = &map.batcher else { return Ok(Self { source, limits: None, held: None }) };
        let number = |n: &Option<crate::asl::Number>, default: usize| -> Result<usize, Failure> {
            let found = n.as_ref().map(|n| view.number(n)).transpose()?;
            Ok(found.filter(|n| *n >= 1.0).map_or(default, |n| n as usize))
        };
        let limits = Limits {
            items: number(&batcher.max_items, usize::MAX)?,
            bytes: number(&batcher.max_bytes, MAX_DATA)?.min(MAX_DATA),
            input: batcher.input.as_ref().map(|t| view.evaluate(t, "ItemBatcher/BatchInput")).transpose()?,
        };
        Ok(Self { source, limits: Some(limits), held: None })
    }

    /// How many items there are in all.
    pub(super) fn total_items(&self) -> u64 {
        self.source.total()
    }

    /// How many portions there will be, if that is known before they are made.
    pub(super) fn total(&self, map: &MapState) -> Option<u64> {
        match &self.limits {
            None => Some(self.source.total()),
            Some(l) if map.batcher.as_ref().is_some_and(|b| b.max_bytes.is_none()) => {
                Some(self.source.total().div_ceil(l.items as u64))
            }
            Some(_) => None,
        }
    }

    fn selected(&mut self, view: &View<'_>, map: &MapState) -> Result<Option<Value>, Failure> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let Some(item) = self.source.next()? else { return Ok(None) };
        super::select(view, map, &item).map(Some)
    }

    /// The next child's input.
    pub(super) fn next(&mut self, view: &View<'_>, map: &MapState) -> Result<Option<Portion>, Failure> {
        let Some(first) = self.selected(view, map)? else { return Ok(None) };
        let Some(limits) = &self.limits else {
            return fitting(first).map(|input| Some(Portion { input, items: 1 }));
        };
        let (most, bytes) = (limits.items, limits.bytes);
        let mut frame = Map::new();
        if let Some(input) = limits.input.clone() {
            frame.insert("BatchInput".to_owned(), input);
        }
        frame.insert("Items".to_owned(), Value::Array(Vec::new()));
        let mut size = json_size(&Value::Object(frame.clone())) + json_size(&first);
        let mut items = vec![first];
        while items.len() < most {
            let Some(next) = self.selected(view, map)? else { break };
            let more = json_size(&next) + 1;
            if size + more > bytes {
                self.held = Some(next);
                break;
            }
            size += more;
            items.push(next);
        }
        let count = items.len() as u64;
        frame.insert("Items".to_owned(), Value::Array(items));
        fitting(Value::Object(frame)).map(|input| Some(Portion { input, items: count }))
    }
}

fn fitting(input: Value) -> Result<Value, Failure> {
    match json_size(&input) {
        n if n > MAX_DATA => {
            let cause = format!("The input of a child is larger than {MAX_DATA} bytes: found {n}");
            Err(Failure::terminal("States.DataLimitExceeded", cause))
        }
        _ => Ok(input),
    }
}
