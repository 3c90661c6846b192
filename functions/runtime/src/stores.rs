//! The configured locations, read when the first invocation needs one, and kept.

use std::sync::{Arc, OnceLock};

use transload_store::location::ConfiguredStores;
use transload_store::{Store, Stores};
use transload_wire::{Failure, LocationName, UrlSource};

/// What a worker opens stores with. A configuration that can not be read fails the invocation, not the worker's start:
/// so the workflow sees why.
#[derive(Default)]
pub struct OpenStores(OnceLock<ConfiguredStores>);

impl Stores for OpenStores {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        self.configured()?.open(location)
    }

    fn open_url(&self, source: &UrlSource) -> Result<Arc<dyn Store>, Failure> {
        self.configured()?.open_url(source)
    }
}

impl OpenStores {
    fn configured(&self) -> Result<&ConfiguredStores, Failure> {
        if let Some(stores) = self.0.get() {
            return Ok(stores);
        }
        let stores = ConfiguredStores::from_env()?;
        Ok(self.0.get_or_init(|| stores))
    }
}
