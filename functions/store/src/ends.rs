//! The stores that one call works with, and the requests that it caused at them.

use std::sync::Arc;

use transload_wire::{Destination, Failure, LocationName, Pinned, Requests, Source, VersionId};

use crate::{ObjectRef, Store, StoredRef, Stores};

/// Opens each location once, and tells at the end what this call requested: stores outlive a call, so their counters do
/// not start at zero.
pub struct Ends<'a, S: Stores + ?Sized> {
    stores: &'a S,
    /// A URL is of no location.
    open: Vec<(Option<LocationName>, Arc<dyn Store>, Requests)>,
}

impl<'a, S: Stores + ?Sized> Ends<'a, S> {
    /// Nothing is open yet.
    pub fn new(stores: &'a S) -> Self {
        Self { stores, open: Vec::new() }
    }

    /// The store of a location.
    ///
    /// # Errors
    /// As [`Stores::open`], with the request's field in front.
    pub fn open(&mut self, field: &str, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        if let Some((_, store, _)) = self.open.iter().find(|(name, ..)| name.as_ref() == Some(location)) {
            return Ok(Arc::clone(store));
        }
        let store = self.stores.open(location).map_err(|failure| failure.at(format!("{field}.location")))?;
        self.open.push((Some(location.clone()), Arc::clone(&store), store.requests()));
        Ok(store)
    }

    /// What reads a source.
    ///
    /// # Errors
    /// As [`Stores::open`] and [`Stores::open_url`], with the request's field in front.
    pub fn open_source(&mut self, source: &Source) -> Result<Arc<dyn Store>, Failure> {
        match source {
            Source::Stored(stored) => self.open("source", &stored.location),
            Source::Url(url) => {
                let store = self.stores.open_url(url).map_err(|failure| failure.at("source"))?;
                self.open.push((None, Arc::clone(&store), store.requests()));
                Ok(store)
            }
        }
    }

    /// Requests since the stores were opened here.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.requests_where(|_| true)
    }

    /// The same at one location.
    #[must_use]
    pub fn requests_at(&self, location: &LocationName) -> Requests {
        self.requests_where(|name| name == Some(location))
    }

    fn requests_where(&self, at: impl Fn(Option<&LocationName>) -> bool) -> Requests {
        let mut sum = Requests::new();
        for (_, store, before) in self.open.iter().filter(|(name, ..)| at(name.as_ref())) {
            for (operation, now) in store.requests() {
                let count = now.saturating_sub(before.get(&operation).copied().unwrap_or(0));
                if count > 0 {
                    *sum.entry(operation).or_default() += count;
                }
            }
        }
        sum
    }
}

impl ObjectRef {
    /// A source as the request names it.
    #[must_use]
    pub fn of_source(source: &Source, requester_pays: bool) -> Self {
        match source {
            Source::Stored(source) => Self::Stored(StoredRef {
                bucket: source.bucket.clone(),
                key: source.key.clone(),
                version: source.version_id.clone(),
                requester_pays,
            }),
            Source::Url(url) => Self::Url(url.clone()),
        }
    }

    /// A pinned source.
    #[must_use]
    pub fn of_pinned(pinned: &Pinned) -> Self {
        Self::of_source(&pinned.object, pinned.requester_pays)
    }

    /// Whatever is newest at a destination.
    #[must_use]
    pub fn of_destination(destination: &Destination) -> Self {
        Self::of_destination_at(destination, None)
    }

    /// One version of what is at a destination.
    #[must_use]
    pub fn of_destination_at(destination: &Destination, version: Option<VersionId>) -> Self {
        let (bucket, key) = (destination.bucket.clone(), destination.key.clone());
        Self::Stored(StoredRef { bucket, key, version, requester_pays: false })
    }
}
