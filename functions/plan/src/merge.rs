//! Joins two listings that ascend by key, page by page, in the memory of a page of each.
//!
//! ```
//! use transload_plan::{Joined, Keyed, Merge, Step};
//!
//! struct Key(&'static str);
//! impl Keyed for Key {
//!     fn key(&self) -> &str {
//!         self.0
//!     }
//! }
//!
//! let mut merge: Merge<Key, Key> = Merge::default();
//! assert!(matches!(merge.step(), Step::NeedsSource));
//! merge.feed_source([Key("a"), Key("b")], true)?;
//! merge.feed_destination([Key("b"), Key("c")], true)?;
//! assert!(matches!(merge.step(), Step::Row(Joined::Source(Key("a")))));
//! assert!(matches!(merge.step(), Step::Row(Joined::Both(Key("b"), Key("b")))));
//! assert!(matches!(merge.step(), Step::Row(Joined::Destination(Key("c")))));
//! assert!(matches!(merge.step(), Step::End));
//! # Ok::<(), transload_plan::OutOfOrder>(())
//! ```

use std::cmp::Ordering;
use std::collections::VecDeque;

use thiserror::Error;

/// What has a key to be joined by: that behind the prefix of its side.
pub trait Keyed {
    /// The key.
    fn key(&self) -> &str;
}

/// A listing whose keys do not ascend in byte order: to join it would take keys for missing that are there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected keys behind {last:?} in byte order, found {found:?}")]
pub struct OutOfOrder {
    /// The key in front.
    pub last: String,
    /// The key behind it.
    pub found: String,
}

/// A key with those who have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined<S, D> {
    /// Both sides.
    Both(S, D),
    /// Only the source.
    Source(S),
    /// Only the destination.
    Destination(D),
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<S, D> {
    /// A page of the source.
    NeedsSource,
    /// A page of the destination.
    NeedsDestination,
    /// The next key.
    Row(Joined<S, D>),
    /// Nothing more.
    End,
}

#[derive(Debug)]
struct Side<T> {
    items: VecDeque<T>,
    last: Option<String>,
    ended: bool,
}

impl<T> Default for Side<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), last: None, ended: false }
    }
}

impl<T: Keyed> Side<T> {
    fn feed(&mut self, items: impl IntoIterator<Item = T>, ended: bool) -> Result<(), OutOfOrder> {
        for item in items {
            let before = self.items.back().map(Keyed::key).or(self.last.as_deref());
            if let Some(last) = before.filter(|last| *last >= item.key()) {
                return Err(OutOfOrder { last: last.to_owned(), found: item.key().to_owned() });
            }
            self.items.push_back(item);
        }
        self.last = self.items.back().map(|item| item.key().to_owned()).or(self.last.take());
        self.ended = ended;
        Ok(())
    }

    fn needs(&self) -> bool {
        self.items.is_empty() && !self.ended
    }
}

/// Joins; see the module.
#[derive(Debug)]
pub struct Merge<S, D> {
    source: Side<S>,
    destination: Side<D>,
}

impl<S, D> Default for Merge<S, D> {
    fn default() -> Self {
        Self { source: Side::default(), destination: Side::default() }
    }
}

impl<S: Keyed, D: Keyed> Merge<S, D> {
    /// Joins what is behind a key; everything if it is empty.
    #[must_use]
    pub fn behind(after: &str) -> Self {
        let mut merge = Self::default();
        let last = (!after.is_empty()).then(|| after.to_owned());
        (merge.source.last, merge.destination.last) = (last.clone(), last);
        merge
    }

    /// Takes a page of the source; `ended`: there is none behind it.
    ///
    /// # Errors
    /// [`OutOfOrder`], also against the pages before.
    pub fn feed_source(&mut self, page: impl IntoIterator<Item = S>, ended: bool) -> Result<(), OutOfOrder> {
        self.source.feed(page, ended)
    }

    /// The same of the destination.
    ///
    /// # Errors
    /// As there.
    pub fn feed_destination(
        &mut self,
        page: impl IntoIterator<Item = D>,
        ended: bool,
    ) -> Result<(), OutOfOrder> {
        self.destination.feed(page, ended)
    }

    /// The next key, or the page without which it is not known.
    pub fn step(&mut self) -> Step<S, D> {
        if self.source.needs() {
            return Step::NeedsSource;
        }
        if self.destination.needs() {
            return Step::NeedsDestination;
        }
        let order = match (self.source.items.front(), self.destination.items.front()) {
            (None, None) => return Step::End,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(source), Some(destination)) => source.key().cmp(destination.key()),
        };
        let source = if order.is_le() { self.source.items.pop_front() } else { None };
        let destination = if order.is_ge() { self.destination.items.pop_front() } else { None };
        match (source, destination) {
            (Some(source), Some(destination)) => Step::Row(Joined::Both(source, destination)),
            (Some(source), None) => Step::Row(Joined::Source(source)),
            (None, Some(destination)) => Step::Row(Joined::Destination(destination)),
            (None, None) => Step::End,
        }
    }
}
