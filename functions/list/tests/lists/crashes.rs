//! A call that fails leaves files that the one after it does not count.

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};
use transload_store::Deadline;
use transload_store::work::{MemoryFiles, WorkBody, WorkFile, WorkFiles};
use transload_wire::{ErrorName, Failure};

use crate::support::{World, input, steady};

/// Files of which the nth can not be written.
struct Failing {
    files: MemoryFiles,
    nth: u32,
    puts: AtomicU32,
}

#[async_trait]
impl WorkFiles for Failing {
    fn bucket(&self) -> &str {
        self.files.bucket()
    }

    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure> {
        if self.puts.fetch_add(1, Ordering::Relaxed) + 1 == self.nth {
            return Err(ErrorName::ConnectionLost.because("a fault of the test"));
        }
        self.files.put(name, bytes).await
    }

    async fn put_stream(&self, name: &str, body: WorkBody) -> Result<u64, Failure> {
        self.files.put_stream(name, body).await
    }

    async fn get(&self, name: &str) -> Result<Option<WorkBody>, Failure> {
        self.files.get(name).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<WorkFile>, Failure> {
        self.files.list(prefix).await
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.files.delete(name).await
    }
}

#[tokio::test]
async fn a_call_that_fails_at_any_file_and_is_repeated_leaves_no_line_twice() {
    let sync = json!({"delete": {"maxPercent": 100}, "exclude": ["00/*"], "batchObjectLimit": 5});
    let (once, expected) = World::mixed(2).list(sync.clone()).await.unwrap();
    for nth in 1..=3 {
        let world = World::mixed(2);
        let failing = Failing { files: world.files.clone(), nth, puts: AtomicU32::new(0) };
        let failure = transload_list::handle(&world.stores, &failing, Deadline::NONE, input(&sync)).await;
        assert_eq!(failure.unwrap_err().name, ErrorName::ConnectionLost);
        assert_eq!(world.files.all().len(), nth as usize - 1);
        let (output, written) = world.list(sync.clone()).await.unwrap();
        assert_eq!((steady(&output.found), written), (steady(&once.found), expected.clone()), "{nth}");
        assert_eq!(world.files.all().len(), 3, "what the failed call left is deleted");
    }
}

/// What another run left, or anything beside the lists, is not touched.
#[tokio::test]
async fn only_lists_of_this_very_run_are_deleted() {
    let world = World::mixed(2);
    let others = ["sync/run-20260101000000001/batches/x", "sync/run-20260101000000000/report/x"];
    for name in others {
        world.files.put(name, Bytes::new()).await.unwrap();
    }
    world.call(Deadline::NONE, &input(&json!({}))).await.unwrap();
    let all = world.files.all();
    assert!(others.iter().all(|name| all.contains_key(*name)), "{:?}", all.keys());
}
