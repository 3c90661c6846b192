//! A server, a store in memory, and a request to copy from one to the other.

use odd_https::{Reply, Request, Server, Site};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use transload_function_tests::{Outcome, States, World};
use transload_store::location::ConfiguredStores;
use transload_wire::{ErrorName, Failure, HeadOutput, Proof, Source, parse};

/// In every URL of these tests, and nowhere in what comes of them.
pub(crate) const CANARY: &str = "X-Amz-Signature=TOPSECRETCANARY";

/// What a test has in its hands. Parts are of 8 bytes; what has up to 16 is sent whole.
pub(crate) struct Kit {
    pub(crate) server: Server,
    pub(crate) world: World,
    _ca: NamedTempFile,
}

/// 60 bytes: 8 parts.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 7 % 251).unwrap()).collect()
}

impl Kit {
    pub(crate) async fn new(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start(answer).await.unwrap();
        Self::over(server, "patience = { stall_seconds = 0.3, answer_seconds = 5.0 }")
    }

    /// A server that keeps its word.
    pub(crate) async fn of(site: Site) -> Self {
        Self::new(move |request, _| site.reply(request)).await
    }

    /// The same with settings of the deployment's own.
    pub(crate) fn over(server: Server, settings: &str) -> Self {
        let ca = NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), server.pem()).unwrap();
        let text =
            format!("[https]\nprivate_hosts = [\"localhost\"]\nca_file = {:?}\n{settings}\n", ca.path());
        let mut world = World::new(60);
        world.stores = world.stores.clone().with_urls(ConfiguredStores::from_toml(&text).unwrap());
        let mut kit = Self { server, world, _ca: ca };
        kit.read(&json!({"url": kit.server.url(&format!("/dir/file?{CANARY}"))}));
        kit
    }

    /// Reads another source.
    pub(crate) fn read(&mut self, source: &Value) {
        self.world.request.source = parse::<Source>(source.to_string().as_bytes()).unwrap();
    }

    /// Knows a checksum beforehand.
    pub(crate) fn expect(&mut self, algorithm: &str, value: &str) {
        let url = self.server.url(&format!("/dir/file?{CANARY}"));
        self.read(&json!({"url": url, "checksum": {"algorithm": algorithm, "value": value}}));
    }

    /// The whole execution. Whatever comes of it shows no query.
    pub(crate) async fn run(&self) -> Result<Outcome, Failure> {
        let outcome = States::new(&self.world, "run").run().await;
        let shown = match &outcome {
            Ok(Outcome::Skipped(head)) => transload_function_tests::json(head),
            Ok(Outcome::Copied(record)) => transload_function_tests::json(record),
            Err(failure) => {
                let mut chain = failure.to_string();
                let mut error: &dyn std::error::Error = failure;
                while let Some(cause) = error.source() {
                    chain.push_str(&cause.to_string());
                    error = cause;
                }
                chain
            }
        };
        assert!(!shown.contains("CANARY"), "{shown}");
        outcome
    }

    /// Head alone.
    pub(crate) async fn head(&self) -> Result<HeadOutput, Failure> {
        let head = States::new(&self.world, "run").head().await?;
        assert!(!transload_function_tests::json(&head).contains("CANARY"));
        Ok(head)
    }

    /// Copies, and finds these bytes; tells how they were proven.
    pub(crate) async fn copies(&self, bytes: &[u8]) -> Proof {
        let outcome = self.run().await.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(self.world.copied().as_deref(), Some(bytes));
        assert_eq!(self.world.open_uploads().0, 0, "an upload is open");
        outcome.record().expect("a copy").proof
    }

    /// Fails, and leaves nothing; tells how.
    pub(crate) async fn fails(&self) -> (ErrorName, String) {
        let failure = self.run().await.expect_err("a failure");
        assert!(self.world.copied().is_none(), "an object is there: {failure}");
        assert!(failure.is_transient() || self.world.open_uploads().0 == 0, "an upload is open: {failure}");
        (failure.name, failure.message)
    }

    /// Methods and ranges that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        let line = |request: Request| match request.header("range") {
            Some(range) => format!("{} {range}", request.method),
            None => request.method,
        };
        self.server.requests().into_iter().map(line).collect()
    }
}
