//! The pages of one side of a range. While one is joined the next is on its way.

use std::sync::Arc;

use tokio::task::JoinSet;
use transload_plan::Keyed;
use transload_store::{Backoff, Deadline, ListedObject, ObjectListing, Side, Store, StoreError, failure_of};
use transload_wire::{ErrorName, Failure};

use crate::asked::End;

/// Tries of one page. The SDK has tried some of them three times before.
const TRIES: u32 = 3;
/// Objects of a page.
const PAGE: u32 = 1_000;

/// An object and the length of its side's prefix.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub object: ListedObject,
    pub skip: usize,
}

impl Keyed for Row {
    fn key(&self) -> &str {
        self.object.key.as_str().get(self.skip..).unwrap_or_default()
    }
}

/// A page as it is joined.
pub(crate) struct Page {
    pub rows: Vec<Row>,
    pub ended: bool,
}

/// Pages of one side, from a key on.
pub(crate) struct Pages {
    end: End,
    side: Side,
    /// Whole key behind which the next page begins; empty at the beginning of a prefix.
    after: String,
    /// The page that is on its way, given up with whoever asked for it.
    asked: JoinSet<Result<ObjectListing, StoreError>>,
}

impl Pages {
    /// Asks for the first page.
    pub(crate) fn new(end: &End, side: Side, after: &str) -> Self {
        // The key that is the prefix itself is behind nothing but the beginning.
        let after = if after.is_empty() { String::new() } else { format!("{}{after}", end.shelf.prefix) };
        let mut pages = Self { end: end.clone(), side, after, asked: JoinSet::new() };
        pages.ask();
        pages
    }

    fn ask(&mut self) {
        let (end, after) = (self.end.clone(), self.after.clone());
        self.asked.spawn(async move { fetch(&end, &after).await });
    }

    /// The next page. May be given up and asked for again.
    ///
    /// # Errors
    /// The side's; `Unavailable` for a page that is none.
    pub(crate) async fn next(&mut self) -> Result<ObjectListing, Failure> {
        if self.asked.is_empty() {
            self.ask();
        }
        match self.asked.join_next().await.transpose() {
            Ok(Some(page)) => page.map_err(|error| failure_of(error, self.side).at(self.name())),
            Ok(None) => Err(ErrorName::Internal.because(format!("{}: no page was asked for", self.name()))),
            Err(error) => {
                Err(ErrorName::Internal.because(format!("{}: a page was lost: {error}", self.name())))
            }
        }
    }

    fn name(&self) -> &'static str {
        match self.side {
            Side::Source => "source",
            Side::Destination => "destination",
        }
    }

    /// Cuts a page at the end of the range, and asks for the next one if there is any.
    ///
    /// # Errors
    /// `Unavailable` for a page that goes back, or is of another prefix.
    pub(crate) fn cut(&mut self, page: ObjectListing, until: Option<&str>) -> Result<Page, Failure> {
        let prefix = &self.end.shelf.prefix;
        let skip = prefix.len();
        let inside = |key: &str| until.is_none_or(|until| key.get(skip..).is_some_and(|key| key <= until));
        if let Some(object) = page.objects.iter().find(|object| !object.key.as_str().starts_with(prefix)) {
            return Err(self.lies(format!("keys that begin with {prefix:?}"), object.key.as_str()));
        }
        let listed = page.objects.len();
        let rows = page.objects.into_iter().take_while(|object| inside(object.key.as_str()));
        let rows: Vec<Row> = rows.map(|object| Row { object, skip }).collect();
        let more = page.next.filter(|next| rows.len() == listed && inside(next));
        let Some(next) = more else { return Ok(Page { rows, ended: true }) };
        let last = rows.last().map_or(self.after.as_str(), |row| row.object.key.as_str());
        if *next <= *self.after || *next < *last || !next.starts_with(prefix) {
            return Err(self.lies(format!("a continuation behind {last:?}"), &next));
        }
        self.after = next;
        self.ask();
        Ok(Page { rows, ended: false })
    }

    fn lies(&self, expected: String, found: &str) -> Failure {
        let shelf = &self.end.shelf;
        ErrorName::Unavailable
            .because(format!("{}: listing of {shelf}: expected {expected}, found {found:?}", self.name()))
    }
}

async fn fetch(end: &End, after: &str) -> Result<ObjectListing, StoreError> {
    let store: &Arc<dyn Store> = &end.store;
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        let listed = if end.versions {
            store.list_versions(&end.shelf, after, PAGE).await
        } else {
            store.list_objects(&end.shelf, after, PAGE).await
        };
        match listed {
            Err(error) if error.is_transient() && backoff.pause(&Deadline::NONE).await => {}
            listed => return listed,
        }
    }
}
