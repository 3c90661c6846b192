//! Three strict servers, and functions with a key each.

use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use strict_s3::{Asked, BucketOptions, Server};
use transload_plan::Limits;
use transload_store::s3::{Capabilities, CredentialsSource, Patience, S3Settings, S3Store};
use transload_store::work::{S3Files, WorkFiles};
use transload_store::{Store, Stores};
use transload_wire::{Failure, LocationName};

use crate::table::{SIDES, Table};

/// Bytes of the least part: small, so that few bytes make several parts.
const LEAST_PART: u64 = 1_000;

/// The key that may do everything.
const ADMIN: &str = "admin";

/// What becomes of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tags {
    Copied,
    Given,
    None,
}

/// What decides which rights are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    /// Whether buckets may keep versions. Both kinds are then there: a bucket may get versions later.
    pub(crate) versions: bool,
    pub(crate) tags: Tags,
    pub(crate) etag: bool,
    pub(crate) encrypted: bool,
    /// Whether a comparison lists versions.
    pub(crate) listed: bool,
    /// Whether a comparison looks at single objects.
    pub(crate) looks: bool,
    /// Whether deletions of the source are followed.
    pub(crate) deletes: bool,
}

impl Circumstances {
    /// As the table names them, for an end of a route.
    pub(crate) fn needs(self, side: &str) -> Vec<&'static str> {
        let source = side == "source";
        let all = [
            (self.versions, "versions"),
            (source && self.tags == Tags::Copied, "readsTags"),
            (!source && self.tags != Tags::None, "writesTags"),
            (source && self.etag, "keepsEtag"),
            (source && self.listed, "listsVersions"),
            (source && !self.listed, "listsKeys"),
            (self.looks, "looks"),
            (self.deletes, "deletes"),
        ];
        all.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name).collect()
    }
}

/// Who acts, and where.
pub(crate) struct Setup {
    pub(crate) source: Server,
    pub(crate) destination: Server,
    /// Where the workflow's own bucket is.
    pub(crate) work: Server,
    pub(crate) circumstances: Circumstances,
    functions: &'static [&'static str],
}

/// The workflow's own bucket.
pub(crate) const WORK: &str = "lists";

async fn server(encrypted: bool, functions: &[&str], buckets: [&str; 2]) -> Server {
    let limits = strict_s3::Limits { min_part: LEAST_PART, ..strict_s3::Limits::default() };
    let mut builder = Server::builder().limits(limits).encrypted(encrypted);
    for key in functions.iter().copied().chain([ADMIN]) {
        builder = builder.credentials(key, "a secret of the test");
    }
    let [plain, versioned] = buckets;
    let builder =
        builder.bucket(plain, BucketOptions::default()).bucket(versioned, BucketOptions::versioned());
    builder.start().await.unwrap()
}

impl Setup {
    pub(crate) async fn new(circumstances: Circumstances, functions: &'static [&'static str]) -> Self {
        let encrypted = circumstances.encrypted;
        let source = server(encrypted, functions, ["photos", "photos-versioned"]).await;
        let destination = server(encrypted, functions, ["photos-cn", "photos-cn-versioned"]).await;
        // Encrypted with keys of S3, which nobody needs a right on.
        let work = server(false, functions, [WORK, "not-used"]).await;
        Self { source, destination, work, circumstances, functions }
    }

    fn server(&self, side: &str) -> &Server {
        match side {
            "source" => &self.source,
            "destination" => &self.destination,
            _ => &self.work,
        }
    }

    /// Limits every function to its rights, as far as they are `kept`.
    pub(crate) fn limit(&self, table: &Table, kept: impl Fn(&str, &str, &str) -> bool) {
        for &function in self.functions {
            for side in SIDES {
                let needs = self.circumstances.needs(side);
                let actions = table.actions(function, side, &needs, self.circumstances.encrypted);
                self.server(side)
                    .limit(function, actions.into_iter().filter(|one| kept(function, side, one)));
            }
        }
    }

    /// What each function has asked for at each end.
    pub(crate) fn asked(&self) -> impl Iterator<Item = (&'static str, &'static str, Asked)> + '_ {
        let pairs = self.functions.iter().flat_map(|function| SIDES.map(|side| (*function, side)));
        pairs.map(|(function, side)| (function, side, self.server(side).asked(function)))
    }

    /// Buckets between which is transferred.
    pub(crate) fn buckets(&self) -> Vec<(&'static str, &'static str)> {
        let plain = [("photos", "photos-cn")];
        let versioned = [("photos-versioned", "photos-cn-versioned")].into_iter();
        versioned.filter(|_| self.circumstances.versions).chain(plain).collect()
    }

    /// The stores as a function sees them. A worker has them for as long as it lives.
    pub(crate) fn of(&self, function: &str) -> Keyed {
        Keyed { source: store(&self.source, function), destination: store(&self.destination, function) }
    }

    /// The workflow's own files as a function sees them.
    pub(crate) fn files(&self, function: &str) -> Arc<dyn WorkFiles> {
        let bucket = WORK.parse().expect("a bucket's name");
        Arc::new(S3Files::new(store(&self.work, function), bucket))
    }

    /// The stores of whoever may do everything.
    pub(crate) fn admin(&self) -> Keyed {
        self.of(ADMIN)
    }
}

fn store(server: &Server, key: &str) -> Arc<S3Store> {
    let credentials = Credentials::new(key, "a secret of the test", None, None, "test");
    let limits = Limits { min_part: LEAST_PART, default_part: LEAST_PART, ..Limits::default() };
    Arc::new(S3Store::new(S3Settings {
        name: "test".to_owned(),
        partition: None,
        region: Some(server.region().to_owned()),
        endpoint: Some(server.endpoint()),
        path_style: true,
        expected_bucket_owner: Some(strict_s3::DEFAULT_OWNER.to_owned()),
        credentials: CredentialsSource::Provider(SharedCredentialsProvider::new(credentials)),
        capabilities: Capabilities { limits, ..Capabilities::default() },
        patience: Patience::default(),
        user_agent: None,
    }))
}

/// Locations `global` and `china`, with the key of one function.
pub(crate) struct Keyed {
    source: Arc<S3Store>,
    destination: Arc<S3Store>,
}

impl Stores for Keyed {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        let store = if location.as_str() == "global" { &self.source } else { &self.destination };
        Ok(Arc::<S3Store>::clone(store))
    }
}
