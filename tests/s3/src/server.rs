//! The server: built, started on a loopback port or offline, asked about, shut down.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::auth::{SecretKey, SimpleAuth};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::clock::Clock;
use crate::config::{BucketOptions, Capabilities, Limits, Storage};
use crate::direct::Direct;
use crate::events::Subscriber;
use crate::faults::{FaultPlan, Injector};
use crate::front::access::{Access, Keys};
use crate::front::rights::{Asked, Rights};
use crate::front::{Connection, Front, Stream};
use crate::ops::Service;
use crate::record::{Recorder, RequestRecord};
use crate::storage::Store;

/// Collects what a server needs to start.
#[derive(Default)]
pub struct Builder {
    credentials: Vec<(String, String)>,
    region: Option<String>,
    storage: Storage,
    buckets: Vec<(String, BucketOptions)>,
    limits: Limits,
    capabilities: Capabilities,
    faults: FaultPlan,
    port: u16,
    skew: i64,
    restore_takes: Duration,
    subscriber: Option<Subscriber>,
    clock: Clock,
    seed: Option<u64>,
    encrypted: bool,
}

impl Builder {
    /// A key pair that may do everything. Several may be given; without any every request is refused.
    #[must_use]
    pub fn credentials(mut self, access_key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credentials.push((access_key.into(), secret.into()));
        self
    }

    /// The Region that signatures must name; `us-east-1` by default.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where bytes are kept; in memory by default.
    #[must_use]
    pub fn storage(mut self, storage: Storage) -> Self {
        self.storage = storage;
        self
    }

    /// A bucket that exists from the start.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>, options: BucketOptions) -> Self {
        self.buckets.push((name.into(), options));
        self
    }

    /// Sizes and counts; those of AWS by default.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What the server can do; what AWS can by default.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// What goes wrong from the start on.
    #[must_use]
    pub fn faults(mut self, plan: impl Into<FaultPlan>) -> Self {
        self.faults = plan.into();
        self
    }

    /// The TCP port; 0, the default, lets the system choose.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Seconds by which the server's clock is ahead of the machine's, or behind.
    #[must_use]
    pub fn clock_skew(mut self, seconds: i64) -> Self {
        self.skew = seconds;
        self
    }

    /// Where time comes from; the machine's clock unless set. Seconds of `clock_skew` are added to it.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Ids of uploads, versions and requests follow from this number, the same each time. They differ from those of all
    /// other servers unless set.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long RestoreObject takes by the server's clock; at once by default.
    #[must_use]
    pub fn restore_takes(mut self, time: Duration) -> Self {
        self.restore_takes = time;
        self
    }

    /// Whether keys that are limited need the actions on a key of KMS, as where a bucket is encrypted under one.
    #[must_use]
    pub fn encrypted(mut self, encrypted: bool) -> Self {
        self.encrypted = encrypted;
        self
    }

    /// Who is told of objects that requests create and delete: the events that S3 sends to EventBridge, in the order of the
    /// writes. It is called while the index is locked, so it must only hand the event on. `direct` writes are not told.
    #[must_use]
    pub fn on_event(mut self, subscriber: impl Fn(serde_json::Value) + Send + Sync + 'static) -> Self {
        self.subscriber = Some(Subscriber::new(subscriber));
        self
    }

    /// Binds to loopback and serves on the current tokio runtime. Errors: the port or the directory.
    pub async fn start(self) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let address = listener.local_addr()?;
        let front = self.front()?;
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listener, Arc::clone(&front), stopped));
        Ok(Server { address, front, stop, task: Some(task) })
    }

    /// Listens nowhere: what it is to serve is [handed](Server::serve) to it. Errors: the directory.
    pub fn offline(self) -> io::Result<Server> {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Ok(Server { address, front: self.front()?, stop: watch::channel(()).0, task: None })
    }

    fn front(self) -> io::Result<Arc<Front>> {
        let directory = match &self.storage {
            Storage::Memory => None,
            Storage::Directory(path) => Some(prepare(path)?),
        };
        let region = self.region.unwrap_or_else(|| "us-east-1".to_owned());
        let mut store = Store::new(self.limits, self.capabilities, region, directory, self.clock, self.seed);
        store.restore_takes = self.restore_takes;
        store.subscriber = self.subscriber;
        store.set_skew(self.skew);
        let store = Arc::new(store);
        let direct = Direct::new(Arc::clone(&store));
        self.buckets.into_iter().for_each(|(name, options)| direct.bucket(&name, options));
        let rights = Arc::new(Rights::default());
        let access =
            Access { store: Arc::clone(&store), rights: Arc::clone(&rights), encrypted: self.encrypted };
        let service = service(access, self.credentials);
        let injector = Injector::new(self.faults);
        Ok(Arc::new(Front { store, service, injector, recorder: Recorder::default(), rights }))
    }
}

/// Blobs lie in a folder of their own; what an earlier server left there is of no use without its index.
fn prepare(path: &std::path::Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(path)?;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("blob-") {
            std::fs::remove_file(entry.path())?;
        }
    }
    path.canonicalize()
}

fn service(access: Access, credentials: Vec<(String, String)>) -> S3Service {
    let mut auth = SimpleAuth::new();
    for (access_key, secret) in credentials {
        auth.register(access_key, SecretKey::from(secret));
    }
    let mut config = S3Config::default();
    // 10,000 parts with a SHA-256 each are some 3 MB of XML.
    config.xml_max_body_size = 16 << 20;
    // Dates are checked by the server's own clock, which may be skewed.
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let mut builder = S3ServiceBuilder::new(Service::new(Arc::clone(&access.store)));
    builder.set_auth(Keys(auth));
    builder.set_access(access);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.build()
}

async fn accept(listener: TcpListener, front: Arc<Front>, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Told to stop, or the server was dropped: the connections end with this task.
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // A connection that failed before it was accepted concerns only its client.
                if let Ok((stream, _)) = accepted {
                    // Small answers must not wait for the peer's acknowledgement.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(stream, Arc::clone(&front)));
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: impl Stream, front: Arc<Front>) {
    let (connection, switch) = Connection::new(stream);
    let answer = service_fn(move |request| {
        let (front, switch) = (Arc::clone(&front), switch.clone());
        async move { front.call(request, switch).await }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).max_buf_size(1 << 20);
    // How a connection ends is the client's to see, and often the fault that the test asked for.
    let _ = http.serve_connection(TokioIo::new(connection), answer).await;
}

/// A running server. Dropping it ends it, with its connections.
pub struct Server {
    address: SocketAddr,
    front: Arc<Front>,
    stop: watch::Sender<()>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Begins a server.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Such as `http://127.0.0.1:40123`. Buckets are path segments.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on; port 0 if it does not.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves one connection until it ends, as it would one that it accepted itself.
    pub fn serve<S: Stream>(&self, stream: S) -> impl Future<Output = ()> + Send + use<S> {
        serve(stream, Arc::clone(&self.front))
    }

    /// The Region it expects.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.front.store.region
    }

    /// All requests so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.front.recorder.records()
    }

    /// How many requests of each operation there were.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.front.recorder.counts()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.front.recorder.clear();
    }

    /// Limits a key to these actions of IAM, `s3:GetObject` say, and forgets what it asked for. Keys that are not limited may do
    /// everything.
    pub fn limit(&self, access_key: &str, allowed: impl IntoIterator<Item = String>) {
        self.front.rights.limit(access_key, allowed.into_iter().collect::<BTreeSet<_>>());
    }

    /// Which actions a limited key has needed.
    #[must_use]
    pub fn asked(&self, access_key: &str) -> Asked {
        self.front.rights.asked(access_key)
    }

    /// Replaces the faults; their counts and times begin again.
    pub fn set_faults(&self, plan: impl Into<FaultPlan>) {
        self.front.injector.set(plan.into());
    }

    /// Sets the server's clock, in seconds ahead of the machine's.
    pub fn set_clock_skew(&self, seconds: i64) {
        self.front.store.set_skew(seconds);
    }

    /// The storage, without HTTP.
    #[must_use]
    pub fn direct(&self) -> Direct {
        Direct::new(Arc::clone(&self.front.store))
    }

    /// Ends the server and all its connections, whatever they are doing.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        if let Some(task) = self.task {
            let _ = task.await;
        }
    }
}
