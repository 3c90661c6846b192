//! One S3 server for each location of a template, with the Region, the owner and the buckets that the template says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use strict_s3::{BucketOptions, Server, Storage, Versioning};
use tokio::sync::mpsc::UnboundedSender;

use super::locations::Site;
use super::stack::Stack;
use crate::exit::{CliError, Outcome};
use crate::home::Home;
use crate::places::{keys, private};

/// A server and the location that it stands for.
pub(crate) struct Place {
    /// The location.
    pub(crate) site: Site,
    /// The server.
    pub(crate) server: Server,
    /// The file with its key, as profile `default`.
    pub(crate) credentials: PathBuf,
}

/// The servers of all locations.
pub(crate) struct Servers {
    /// In the order of the template.
    pub(crate) all: Vec<Place>,
    /// Id and secret of the stack's account: for the API, and for locations that are read with the functions' own roles.
    pub(crate) key: (String, String),
    /// The file with that key.
    pub(crate) credentials: PathBuf,
}

impl Servers {
    /// Starts them below the home, on ports that follow each other, or on any.
    ///
    /// # Errors
    /// If a folder or a port can not be had.
    pub(crate) async fn start(
        sites: &[Site],
        stack: &Stack,
        home: &Home,
        port: u16,
        events: &UnboundedSender<Value>,
    ) -> Outcome<Self> {
        let folder = home.path().join("local");
        std::fs::create_dir_all(&folder).map_err(|error| CliError::trouble(folder.display(), error))?;
        let (key, credentials) = (keys(), folder.join("account.credentials"));
        write(&credentials, &key)?;
        let mut servers = Self { all: Vec::new(), key, credentials };
        for (index, site) in sites.iter().enumerate() {
            let after = u16::try_from(index).ok().and_then(|index| port.checked_add(index));
            let port = if port == 0 { Some(0) } else { after };
            let port = port.ok_or_else(|| {
                CliError::usage("--s3-port: expected a port with one behind it for each location")
            })?;
            let (key, credentials) = servers.key_of(site, &folder)?;
            let server = Server::builder()
                .credentials(key.0, key.1)
                .storage(Storage::Directory(folder.join(&site.name)))
                .port(port);
            let tell = site.tells(stack).then(|| events.clone());
            let server = serve(site, server, tell).await?;
            servers.all.push(Place { site: site.clone(), server, credentials });
        }
        Ok(servers)
    }

    /// The account's key where the functions read with their own roles, else one of the location's own.
    fn key_of(&self, site: &Site, folder: &Path) -> Outcome<((String, String), PathBuf)> {
        if site.own {
            return Ok((self.key.clone(), self.credentials.clone()));
        }
        let (key, file) = (keys(), folder.join(format!("{}.credentials", site.name)));
        write(&file, &key)?;
        Ok((key, file))
    }

    /// What the functions are told, as JSON.
    pub(crate) fn locations(&self) -> String {
        let told = |place: &Place| {
            (place.site.name.clone(), place.site.here(&place.server.endpoint(), &place.credentials))
        };
        let locations: BTreeMap<String, Value> = self.all.iter().map(told).collect();
        json!({"locations": locations}).to_string()
    }

    /// Ends them.
    pub(crate) async fn end(self) {
        for place in self.all {
            place.server.shutdown().await;
        }
    }
}

async fn serve(
    site: &Site,
    server: strict_s3::Builder,
    events: Option<UnboundedSender<Value>>,
) -> Outcome<Server> {
    let mut server = server.region(site.region.as_str());
    for (name, versions) in &site.buckets {
        server = server.bucket(name.as_str(), bucket(site, *versions));
    }
    if let Some(events) = events {
        // The bus may be gone before the servers.
        server = server.on_event(move |event| drop(events.send(event)));
    }
    server.start().await.map_err(|error| {
        CliError::trouble(format!("server of {}", site.name), error)
            .hint("choose a port with --s3-port, or 0 for any")
    })
}

fn bucket(site: &Site, versions: bool) -> BucketOptions {
    let versioning = if versions { Versioning::Enabled } else { Versioning::Off };
    BucketOptions { versioning, owner: site.owner.clone() }
}

fn write(path: &Path, key: &(String, String)) -> Outcome {
    let (id, secret) = key;
    private(path, &format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"))
}
