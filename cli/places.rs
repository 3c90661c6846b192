//! Two places on this machine: S3 servers on loopback, each with its own keys and buckets, and the files that describe
//! them. The demo's, and those of `transload local`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use strict_s3::{BucketOptions, Server, Storage};
use tempfile::TempDir;
use transload_store::location::ConfiguredStores;
use transload_store::{Store, Stores};

use crate::exit::{CliError, Outcome};
use crate::home::remove_if_there;

/// A server with the names of its location and bucket.
pub(crate) struct Place {
    /// The server.
    pub(crate) server: Server,
    /// The location's name.
    pub(crate) location: &'static str,
    /// Its bucket.
    pub(crate) bucket: &'static str,
    /// The file with its key, as profile `default`.
    pub(crate) credentials: PathBuf,
    /// Id and secret of its key.
    pub(crate) key: (String, String),
}

/// Both places, and the folder with their data and credentials.
pub(crate) struct Places {
    /// Where the object is.
    pub(crate) global: Place,
    /// Where it goes.
    pub(crate) china: Place,
    /// The locations file.
    pub(crate) locations: PathBuf,
    folder: PathBuf,
    scratch: Option<TempDir>,
}

/// Who is told of objects that come and go.
pub(crate) type Subscriber = Arc<dyn Fn(Value) + Send + Sync>;

/// What the two servers are started with.
#[derive(Default)]
pub(crate) struct Settings {
    /// Of the source and of the destination; 0 lets the system choose.
    pub(crate) ports: [u16; 2],
    /// Nobody unless set.
    pub(crate) subscriber: Option<Subscriber>,
}

/// What tells the two places apart.
struct Design {
    location: &'static str,
    bucket: &'static str,
    partition: &'static str,
    region: &'static str,
}

const GLOBAL: Design = Design { location: "global", bucket: "photos", partition: "aws", region: "us-east-1" };
const CHINA: Design =
    Design { location: "china", bucket: "photos-cn", partition: "aws-cn", region: "cn-north-1" };

impl Places {
    /// Starts both in a folder that ends with them.
    ///
    /// # Errors
    /// If the scratch folder or a port can not be had.
    pub(crate) async fn start() -> Outcome<Self> {
        let scratch = tempfile::Builder::new().prefix("transload-demo-").tempdir();
        let scratch = scratch.map_err(|e| CliError::trouble("scratch folder", e))?;
        let places = Self::start_in(scratch.path(), &Settings::default()).await?;
        Ok(Self { scratch: Some(scratch), ..places })
    }

    /// Starts both in a folder that stays. What earlier servers left there is replaced.
    ///
    /// # Errors
    /// If the folder or a port can not be had.
    pub(crate) async fn start_in(folder: &Path, settings: &Settings) -> Outcome<Self> {
        let [first, second] = settings.ports;
        let (global, one) = start(&GLOBAL, folder, first, settings).await?;
        let (china, other) = start(&CHINA, folder, second, settings).await?;
        let locations = folder.join("locations.toml");
        private(&locations, &format!("{one}\n{other}"))?;
        Ok(Self { global, china, locations, folder: folder.to_owned(), scratch: None })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The source as our own store sees it: how objects are put there.
    ///
    /// # Errors
    /// If the locations file is refused.
    pub(crate) fn source(&self) -> Outcome<Arc<dyn Store>> {
        let stores = ConfiguredStores::from_file(&self.locations)?;
        Ok(stores.open(&GLOBAL.location.parse().map_err(|e| CliError::trouble(GLOBAL.location, e))?)?)
    }

    /// Ends both servers, and keeps their files if asked to.
    pub(crate) async fn end(mut self, keep: bool) {
        if let Some(scratch) = &mut self.scratch {
            scratch.disable_cleanup(keep);
        }
        self.global.server.shutdown().await;
        self.china.server.shutdown().await;
    }
}

async fn start(design: &Design, folder: &Path, port: u16, settings: &Settings) -> Outcome<(Place, String)> {
    let trouble = |e: std::io::Error| {
        let at = if port == 0 { String::new() } else { format!(" on port {port}") };
        CliError::trouble(format!("server of {}{at}", design.location), e)
    };
    let (access, secret) = keys();
    let mut server = Server::builder()
        .credentials(access.as_str(), secret.as_str())
        .region(design.region)
        .storage(Storage::Directory(folder.join(design.location)))
        .port(port)
        .bucket(design.bucket, BucketOptions::default());
    if let Some(tell) = settings.subscriber.clone() {
        server = server.on_event(move |event| tell(event));
    }
    let server = server.start().await.map_err(trouble)?;
    let credentials = folder.join(format!("{}.credentials", design.location));
    let profile = format!("[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n");
    private(&credentials, &profile)?;
    let location = location(design, &server.endpoint(), &credentials);
    let Design { location: name, bucket, .. } = *design;
    Ok((Place { server, location: name, bucket, credentials, key: (access, secret) }, location))
}

/// Keys that nobody else has: they live as long as the servers.
pub(crate) fn keys() -> (String, String) {
    let id = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    (format!("AKIA{}", &id[..16]), format!("{}{}", uuid::Uuid::new_v4().simple(), &id[16..24]))
}

fn location(design: &Design, endpoint: &str, credentials: &Path) -> String {
    format!(
        "[locations.{name}]\nkind = \"s3\"\npartition = \"{partition}\"\nregion = \"{region}\"\nendpoint = \"{endpoint}\"\n\
         allow_http = true\npath_style = true\ncredentials = {{ file = {file:?} }}\n",
        name = design.location,
        partition = design.partition,
        region = design.region,
        file = credentials,
    )
}

/// Writes a file that only its owner reads.
pub(crate) fn private(path: &Path, text: &str) -> Outcome {
    let removed = remove_if_there(path);
    let file = removed.and_then(|()| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| CliError::trouble(path.display(), e))
}
