//! An engine with a machine of each kind, its API, and the world that requests are answered with.

use std::sync::Arc;

use serde_json::{Value, json};
use stepfunctions_http::{Key, Server};
use stepfunctions_local::{CreateStateMachine, Engine};
use transload_browse::{Kind, Machine, Mounts, Notes, Request, States, World, handle};
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};

const REGION: &str = "us-east-1";

/// Everything, and the store behind location `global`.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) store: MemoryStore,
    pub(crate) faults: Faulty,
    pub(crate) engine: Engine,
    _server: Server,
}

/// The ARN of the machine of this name.
pub(crate) fn machine(name: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}")
}

/// An input that the object machine takes.
pub(crate) fn input() -> Value {
    json!({"source": {"location": "global", "bucket": "photos", "key": "a"},
           "destination": {"location": "china", "bucket": "photos-cn", "key": "a"}})
}

impl Bench {
    /// `object` is the state that the object machine consists of.
    pub(crate) async fn new(object: Value) -> Self {
        let engine = Engine::builder().open().await.unwrap();
        let machines = [
            ("object", object),
            ("bucket", json!({"Type": "Succeed"})),
            ("other", json!({"Type": "Succeed"})),
        ];
        for (name, state) in machines {
            let definition = json!({"StartAt": "S", "States": {"S": state}}).to_string();
            let role_arn = "arn:aws:iam::000000000000:role/test".to_owned();
            let made = CreateStateMachine {
                name: name.to_owned(),
                definition,
                role_arn,
                ..CreateStateMachine::default()
            };
            engine.create_state_machine(made).await.unwrap();
        }
        let server = Server::builder(engine.clone()).key(Key::new("AKIDTEST", "secret")).region(REGION);
        let server = server.start().await.unwrap();
        let store =
            MemoryStore::new(MemoryConfig { page: 7, ..MemoryConfig::default() }).with_bucket("photos");
        let faults = Faulty::new(store.clone());
        let stores = MemoryStores::default().with("global", faults.clone()).with("china", store.clone());
        let world = World {
            states: States::at(&server.endpoint(), REGION, ("AKIDTEST".to_owned(), "secret".to_owned())),
            machines: vec![
                Machine { arn: machine("object"), kind: Kind::Object },
                Machine { arn: machine("bucket"), kind: Kind::Bucket },
            ],
            stores: Arc::new(stores),
            locations: vec!["china".to_owned(), "global".to_owned()],
            mounts: Mounts::default(),
            notes: Notes::default(),
        };
        Self { world, store, faults, engine, _server: server }
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Request { method: "GET".to_owned(), path: path.to_owned(), query, body: Vec::new() };
        let answer = handle(&self.world, &request).await;
        (answer.status, answer.body)
    }

    pub(crate) async fn delete(&self, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Request { method: "DELETE".to_owned(), path: path.to_owned(), query, body: Vec::new() };
        let answer = handle(&self.world, &request).await;
        (answer.status, answer.body)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string().into_bytes();
        let request = Request { method: "POST".to_owned(), path: path.to_owned(), query: Vec::new(), body };
        let answer = handle(&self.world, &request).await;
        (answer.status, answer.body)
    }

    /// A good answer.
    #[track_caller]
    pub(crate) fn ok((status, body): (u16, Value)) -> Value {
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Starts the object machine.
    pub(crate) async fn started(&self) -> String {
        let body = json!({"machine": machine("object"), "input": input()});
        Self::ok(self.post("/api/start", &body).await)["executionArn"].as_str().unwrap().to_owned()
    }

    /// Starts it, and waits for its end.
    pub(crate) async fn ended(&self) -> String {
        let arn = self.started().await;
        self.engine.wait(&arn).await.unwrap();
        arn
    }
}
