//! Which ranges of keys are listed, and which of them are shared when a lister is idle.

use std::collections::{BTreeMap, VecDeque};

use transload_plan::{Alphabet, middle};
use transload_wire::KeyRange;

/// Pages of a range, of both sides together, before it is worth sharing. What is listed in fewer is not cut at all.
const WORTH: u64 = 8;
/// Pages that cuts may cost in vain whatever there is to list: what all keys begin with is found out character by character.
const VAIN: u64 = 32;
/// One page of so many may be one in vain.
const VAIN_SHARE: u64 = 20;

/// A range that is being listed.
pub(crate) struct Running {
    pub range: KeyRange,
    /// The highest key that was seen of it, on either side.
    frontier: String,
    pages: u64,
    empty: bool,
}

/// All ranges of a call.
pub(crate) struct Board {
    waiting: VecDeque<KeyRange>,
    running: BTreeMap<u64, Running>,
    ids: u64,
    alphabet: Alphabet,
    pages: u64,
    vain: u64,
}

impl Board {
    pub(crate) fn new(ranges: Vec<KeyRange>) -> Self {
        Self {
            waiting: ranges.into(),
            running: BTreeMap::new(),
            ids: 0,
            alphabet: Alphabet::default(),
            pages: 0,
            vain: 0,
        }
    }

    /// A range to list: one that waits, else half of the largest that is listed. Near the end nothing is cut any more.
    pub(crate) fn take(&mut self, near: bool) -> Option<(u64, KeyRange)> {
        let range = match self.waiting.pop_front() {
            None if near => return None,
            None => self.cut()?,
            Some(range) => range,
        };
        self.ids += 1;
        let running = Running { range: range.clone(), frontier: range.after.clone(), pages: 0, empty: true };
        self.running.insert(self.ids, running);
        Some((self.ids, range))
    }

    /// Nobody knows how much is left of a range; the one that kept its lister busy longest is taken for the largest.
    fn cut(&mut self) -> Option<KeyRange> {
        if self.vain > VAIN + self.pages / VAIN_SHARE {
            return None;
        }
        let alphabet = self.alphabet;
        let worth = self.running.values_mut().filter(|running| running.pages >= WORTH);
        let largest = worth.max_by_key(|running| running.pages)?;
        largest.pages = 0;
        let middle = middle(&largest.frontier, largest.range.until.as_deref(), alphabet)?;
        let until = largest.range.until.replace(middle.clone());
        Some(KeyRange { after: middle, until })
    }

    /// Up to where a range goes by now.
    pub(crate) fn until(&self, id: u64) -> Option<String> {
        self.running.get(&id)?.range.until.clone()
    }

    /// A page of a range came, with these keys of it.
    pub(crate) fn page<'a>(&mut self, id: u64, keys: impl DoubleEndedIterator<Item = &'a str> + Clone) {
        self.pages += 1;
        keys.clone().step_by(16).for_each(|key| self.alphabet.learn(key));
        let Some(running) = self.running.get_mut(&id) else { return };
        running.pages += 1;
        if let Some(last) = keys.last() {
            running.empty = false;
            if *last > *running.frontier {
                last.clone_into(&mut running.frontier);
            }
        }
    }

    /// A range is not listed any longer. One without a key cost its pages in vain, but tells that its other half has all, so
    /// that this may be cut again at once.
    pub(crate) fn end(&mut self, id: u64) {
        let Some(ended) = self.running.remove(&id) else { return };
        if !ended.empty || ended.range.after.is_empty() {
            return;
        }
        self.vain += ended.pages;
        let other = |running: &&mut Running| running.range.until.as_deref() == Some(&ended.range.after);
        if let Some(other) = self.running.values_mut().find(other) {
            other.pages = other.pages.max(WORTH);
        }
    }

    /// What nobody has begun.
    pub(crate) fn rest(&mut self) -> impl Iterator<Item = KeyRange> + '_ {
        self.waiting.drain(..)
    }
}
