//! Both stores of objects behave the same; a directory never leaves its folder. And what subscribers hear.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::json;
use stepfunctions_local::*;

async fn behaves(store: &dyn Objects) {
    let long = "x/".repeat(500);
    for key in ["a", "../up", "/x", "x//y", "é+ %2F", "b=", "b+", long.as_str()] {
        assert_eq!(store.get("bucket", key).await.unwrap_err().code, "NoSuchKey", "{key}");
        store.put("bucket", key, key.to_owned().into()).await.unwrap();
        assert_eq!(store.get("bucket", key).await.unwrap(), key.as_bytes());
        assert_eq!(store.head("bucket", key).await.unwrap().size, key.len() as u64);
    }
    let all = store.list("bucket", "", None).await.unwrap();
    let keys: Vec<&str> = all.objects.iter().map(|o| o.key.as_str()).collect();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!((keys.len(), keys.clone(), all.next), (8, sorted, None));
    let some = store.list("bucket", "x/", None).await.unwrap().objects;
    assert_eq!(some.iter().map(|o| o.key.len()).collect::<Vec<_>>(), [4, 1000]);
    for n in 0..1_001 {
        store.put("many", &format!("{n:04}"), "".into()).await.unwrap();
    }
    let first = store.list("many", "", None).await.unwrap();
    let rest = store.list("many", "", first.next.as_deref()).await.unwrap();
    assert_eq!((first.objects.len(), rest.objects.len(), rest.objects[0].key.as_str()), (1_000, 1, "1000"));
}

#[tokio::test]
async fn memory() {
    let store = MemoryObjects::new();
    store.bucket("bucket");
    behaves(&store).await;
}

#[tokio::test]
async fn directory() {
    let folder = tempfile::tempdir().unwrap();
    behaves(&DirectoryObjects::new(folder.path().join("inside"))).await;
    let outside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(outside, ["inside"], "nothing is written beside the folder");
}

#[tokio::test]
async fn subscribers_hear_of_every_child_and_of_the_end() {
    let world = World::new(|_, event| Ok(event)).await;
    let mut news = world.engine.subscribe();
    let ended = world.run(&each(json!({})), &json!({"items": [1, 2, 3]})).await;
    let (mut outputs, mut own) = (Vec::new(), Vec::new());
    while let Ok(told) = news.try_recv() {
        match told.map_run_arn {
            Some(_) => outputs.extend(told.output),
            None => own.push((told.execution_arn == ended.execution_arn, told.status)),
        }
    }
    outputs.sort();
    assert_eq!(outputs, ["1", "2", "3"]);
    assert_eq!(own, [(true, Status::Running), (true, Status::Succeeded)]);
}
