//! The two places of a world: their stores, and the clients that a worker opens to them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use transload_store::location::Location;
use transload_store::s3::{CredentialsSource, S3Store, Surroundings};
use transload_store::{Store, Stores};
use transload_wire::{ErrorName, Failure, LocationName};

use crate::connector;
use crate::network::{Network, Route};
use crate::time::{Skewed, Time};

/// What no trace, history, output or error may hold.
pub const CANARIES: [&str; 2] = ["CANARYACCESSKEYID000", "canary/secret+key/that/may/stand/nowhere"];

/// Puts something between the handlers and a worker's store for a place.
pub type Decorate = Arc<dyn Fn(&str, Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync>;

/// Both places.
pub(crate) struct Places {
    pub(crate) locations: BTreeMap<String, Location>,
    pub(crate) decorate: Option<Decorate>,
}

impl Places {
    /// What a new worker opens.
    pub(crate) fn stores(&self, network: &Network, worker: u64, time: Time, skew: i64) -> WorkerStores {
        let open = |(name, location): (&String, &Location)| {
            let store =
                open(network, name, location, worker, SharedTimeSource::new(Skewed { time, ahead: skew }));
            let store = store.map(|store| match &self.decorate {
                Some(decorate) => decorate(name, store),
                None => store,
            });
            (name.clone(), store)
        };
        WorkerStores(self.locations.iter().map(open).collect())
    }
}

fn open(
    network: &Network,
    name: &str,
    location: &Location,
    worker: u64,
    time: SharedTimeSource,
) -> Result<Arc<dyn Store>, String> {
    let mut settings = location.settings(name).map_err(|failure| failure.to_string())?;
    let credentials = Credentials::from_keys(CANARIES[0], CANARIES[1], None);
    settings.credentials = CredentialsSource::Provider(SharedCredentialsProvider::new(credentials));
    let http = connector::client(network, Route { worker, place: name.to_owned() });
    Ok(Arc::new(S3Store::within(settings, Surroundings { http: Some(http), time })))
}

/// The stores of one worker.
pub(crate) struct WorkerStores(BTreeMap<String, Result<Arc<dyn Store>, String>>);

impl fmt::Debug for WorkerStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkerStores")
    }
}

impl Stores for WorkerStores {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        match self.0.get(location.as_str()) {
            Some(Ok(store)) => Ok(store.clone()),
            Some(Err(message)) => Err(ErrorName::InputInvalid.because(message)),
            None => Err(ErrorName::InputInvalid.because(format!("expected a location, found {location}"))),
        }
    }
}
