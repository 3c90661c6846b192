//! The rows that a page shows: the slowest objects, and the first that failed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use transload_wire::ObjectRecord;

/// Rows of each table of the page; all of them stand in the CSV.
pub(crate) const ROWS: usize = 1_000;

/// The slowest objects.
#[derive(Debug, Default)]
pub(crate) struct Slowest {
    /// By duration, and by when it came, so that equal durations keep their order.
    rows: BTreeMap<(u64, Reverse<u64>), ObjectRecord>,
    seen: u64,
}

impl Slowest {
    /// Keeps a record if it is among the slowest.
    pub(crate) fn add(&mut self, record: &ObjectRecord) {
        self.seen += 1;
        let key = (record.duration_ms, Reverse(self.seen));
        let full = self.rows.len() >= ROWS;
        if full && self.rows.first_key_value().is_some_and(|(least, _)| *least >= key) {
            return;
        }
        self.rows.insert(key, record.clone());
        if full {
            self.rows.pop_first();
        }
    }

    /// How many there were in all.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// The slowest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &ObjectRecord> {
        self.rows.values().rev()
    }
}

#[cfg(test)]
mod tests {
    use transload_wire::{ObjectRecord, parse};

    use super::{ROWS, Slowest};

    #[test]
    fn only_the_slowest_are_kept_in_order() {
        let mut slowest = Slowest::default();
        for n in 0..5_000_u64 {
            let json = format!(
                r#"{{"key": "k{n}", "outcome": "copied", "size": 1, "durationMs": {}}}"#,
                n * 7_919 % 5_000
            );
            slowest.add(&parse::<ObjectRecord>(json.as_bytes()).unwrap());
        }
        let found: Vec<_> = slowest.rows().map(|row| row.duration_ms).collect();
        let expected: Vec<_> = (4_000..5_000).rev().collect();
        assert_eq!((found.len(), found), (ROWS, expected));
    }
}
