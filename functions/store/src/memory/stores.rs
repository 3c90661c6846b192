//! Several stores in memory, each under the name of a location.

use std::collections::BTreeMap;
use std::sync::Arc;

use transload_wire::{ErrorName, Failure, LocationName};

use crate::{Store, Stores};

/// A test's world: locations and their stores, of any kind.
#[derive(Clone, Default)]
pub struct MemoryStores(BTreeMap<String, Arc<dyn Store>>);

impl MemoryStores {
    /// Adds a location.
    #[must_use]
    pub fn with(mut self, location: &str, store: impl Store + 'static) -> Self {
        self.0.insert(location.to_owned(), Arc::new(store));
        self
    }
}

impl Stores for MemoryStores {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        self.0.get(location.as_str()).cloned().ok_or_else(|| {
            let known: Vec<_> = self.0.keys().map(String::as_str).collect();
            ErrorName::InputInvalid
                .because(format!("location: expected one of {}, found {location}", known.join(", ")))
        })
    }
}
