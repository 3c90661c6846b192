//! The stores of all configured locations.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use transload_wire::{ErrorName, Failure, LocationName, UrlSource};

use super::{LocationKind, Locations};
use crate::file::FileStore;
use crate::http::{HttpStore, Web};
use crate::s3::S3Store;
use crate::{Store, Stores};

/// Environment variable that holds the locations as JSON.
pub const LOCATIONS_VARIABLE: &str = "TRANSLOAD_LOCATIONS";
/// Environment variable that holds the path of a file with the locations, `.json` or TOML.
pub const LOCATIONS_FILE_VARIABLE: &str = "TRANSLOAD_LOCATIONS_FILE";

/// Opens the stores of configured locations. A store's client is built with its first request, and kept.
pub struct ConfiguredStores {
    stores: BTreeMap<LocationName, Configured>,
    web: Arc<Web>,
}

/// A store of either kind.
enum Configured {
    S3(Arc<S3Store>),
    File(Arc<FileStore>),
}

impl fmt::Debug for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(store) => store.fmt(f),
            Self::File(store) => store.fmt(f),
        }
    }
}

impl Configured {
    fn new(name: &str, location: &super::Location) -> Result<Self, Failure> {
        Ok(match location.kind {
            LocationKind::S3 => Self::S3(Arc::new(S3Store::new(location.settings(name)?))),
            LocationKind::File => Self::File(Arc::new(FileStore::new(location.file_settings(name)?))),
        })
    }
}

impl fmt::Debug for ConfiguredStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.stores).finish()
    }
}

impl ConfiguredStores {
    /// # Errors
    /// `InputInvalid`; the message begins with the field.
    pub fn new(locations: &Locations) -> Result<Self, Failure> {
        let store = |(name, location): (&LocationName, &super::Location)| {
            let store = Configured::new(name.as_str(), location).map_err(|mut failure| {
                failure.message = format!("locations.{name}.{}", failure.message);
                failure
            })?;
            Ok((name.clone(), store))
        };
        let web = locations.https.settings().map_err(|mut failure| {
            failure.message = format!("https.{}", failure.message);
            failure
        })?;
        let stores = locations.locations.iter().map(store).collect::<Result<_, Failure>>()?;
        Ok(Self { stores, web: Arc::new(Web::new(web)) })
    }

    /// # Errors
    /// As [`Self::new`], and for what is no TOML.
    pub fn from_toml(text: &str) -> Result<Self, Failure> {
        Self::new(&Locations::from_toml(text)?)
    }

    /// # Errors
    /// As [`Self::new`], and for what is no JSON.
    pub fn from_json(text: &str) -> Result<Self, Failure> {
        Self::new(&Locations::from_json(text)?)
    }

    /// From `TRANSLOAD_LOCATIONS` (JSON), or the file that `TRANSLOAD_LOCATIONS_FILE` names.
    ///
    /// # Errors
    /// `InputInvalid` if neither is set, the file can not be read, or the locations are refused.
    pub fn from_env() -> Result<Self, Failure> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// [`Self::from_env`] with variables of the caller's own.
    ///
    /// # Errors
    /// As there.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        if let Some(text) = variable(LOCATIONS_VARIABLE) {
            return Self::from_json(&text).map_err(|failure| failure.at(LOCATIONS_VARIABLE));
        }
        let Some(path) = variable(LOCATIONS_FILE_VARIABLE) else {
            return Err(ErrorName::InputInvalid.because(format!(
                "expected {LOCATIONS_VARIABLE} (JSON) or {LOCATIONS_FILE_VARIABLE} (a path) in the environment, found neither"
            )));
        };
        Self::from_file(Path::new(&path))
    }

    /// From a file: JSON if its name ends so, else TOML.
    ///
    /// # Errors
    /// `InputInvalid` if it can not be read, or is refused.
    pub fn from_file(path: &Path) -> Result<Self, Failure> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            ErrorName::InputInvalid.because(error.to_string()).caused_by(error).at(&place)
        })?;
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if json { Self::from_json(&text) } else { Self::from_toml(&text) }
            .map_err(|failure| failure.at(&place))
    }

    /// Names of the locations, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stores.keys().map(LocationName::as_str)
    }
}

impl Stores for ConfiguredStores {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        match self.stores.get(location) {
            Some(Configured::S3(store)) => Ok(Arc::<S3Store>::clone(store)),
            Some(Configured::File(store)) => Ok(Arc::<FileStore>::clone(store)),
            None => {
                let known: Vec<_> = self.names().collect();
                let known = if known.is_empty() { "none is configured".to_owned() } else { known.join(", ") };
                Err(ErrorName::InputInvalid
                    .because(format!("expected a configured location ({known}), found {location}")))
            }
        }
    }

    fn open_url(&self, source: &UrlSource) -> Result<Arc<dyn Store>, Failure> {
        Ok(Arc::new(HttpStore::new(Arc::clone(&self.web), source)?))
    }
}
