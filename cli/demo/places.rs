//! The demo's two places: S3 servers on loopback, each with its own keys and buckets, and the files that describe them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strict_s3::{BucketOptions, Server, Storage};
use tempfile::TempDir;
use transload_store::location::ConfiguredStores;
use transload_store::{Store, Stores};

use crate::exit::{CliError, Outcome};

/// A server with the names of its location and bucket.
pub(crate) struct Place {
    /// The server.
    pub(crate) server: Server,
    /// The location's name.
    pub(crate) location: &'static str,
    /// Its bucket.
    pub(crate) bucket: &'static str,
}

/// Both places, and the scratch folder with their data and credentials.
pub(crate) struct Places {
    /// Where the object is.
    pub(crate) global: Place,
    /// Where it goes.
    pub(crate) china: Place,
    /// The locations file.
    pub(crate) locations: PathBuf,
    scratch: TempDir,
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
    /// Starts both.
    ///
    /// # Errors
    /// If the scratch folder or a port can not be had.
    pub(crate) async fn start() -> Outcome<Self> {
        let scratch = tempfile::Builder::new().prefix("transload-demo-").tempdir();
        let scratch = scratch.map_err(|e| CliError::trouble("scratch folder", e))?;
        let (global, one) = start(&GLOBAL, scratch.path()).await?;
        let (china, other) = start(&CHINA, scratch.path()).await?;
        let locations = scratch.path().join("locations.toml");
        private(&locations, &format!("{one}\n{other}"))?;
        Ok(Self { global, china, locations, scratch })
    }

    /// The scratch folder.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
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
        self.scratch.disable_cleanup(keep);
        self.global.server.shutdown().await;
        self.china.server.shutdown().await;
    }
}

async fn start(design: &Design, scratch: &Path) -> Outcome<(Place, String)> {
    let trouble = |e: std::io::Error| CliError::trouble(format!("server of {}", design.location), e);
    let (access, secret) = keys();
    let server = Server::builder()
        .credentials(access.as_str(), secret.as_str())
        .region(design.region)
        .storage(Storage::Directory(scratch.join(design.location)))
        .bucket(design.bucket, BucketOptions::default());
    let server = server.start().await.map_err(trouble)?;
    let file = scratch.join(format!("{}.credentials", design.location));
    let profile = format!("[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n");
    private(&file, &profile)?;
    let location = location(design, &server.endpoint(), &file);
    Ok((Place { server, location: design.location, bucket: design.bucket }, location))
}

/// Keys that nobody else has: they live as long as the servers.
fn keys() -> (String, String) {
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
fn private(path: &Path, text: &str) -> Outcome {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| CliError::trouble(path.display(), e))
}
