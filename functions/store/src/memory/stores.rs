//! Several stores in memory, each under the name of a location.

use std::collections::BTreeMap;
use std::sync::Arc;

use transload_wire::{ErrorName, Failure, LocationName, UrlSource};

use crate::{Store, Stores};

/// A test's world: locations and their stores, of any kind.
#[derive(Clone, Default)]
pub struct MemoryStores {
    stores: BTreeMap<String, Arc<dyn Store>>,
    urls: Option<Arc<dyn Stores>>,
}

impl MemoryStores {
    /// Adds a location.
    #[must_use]
    pub fn with(mut self, location: &str, store: impl Store + 'static) -> Self {
        self.stores.insert(location.to_owned(), Arc::new(store));
        self
    }

    /// Reads URLs as these do.
    #[must_use]
    pub fn with_urls(mut self, urls: impl Stores + 'static) -> Self {
        self.urls = Some(Arc::new(urls));
        self
    }
}

impl Stores for MemoryStores {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        self.stores.get(location.as_str()).cloned().ok_or_else(|| {
            let known: Vec<_> = self.stores.keys().map(String::as_str).collect();
            ErrorName::InputInvalid
                .because(format!("location: expected one of {}, found {location}", known.join(", ")))
        })
    }

    fn open_url(&self, source: &UrlSource) -> Result<Arc<dyn Store>, Failure> {
        match &self.urls {
            Some(urls) => urls.open_url(source),
            None => Err(ErrorName::Unsupported.because(format!("{source}: this world has no URLs"))),
        }
    }
}
