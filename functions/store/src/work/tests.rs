//! Every place of files does the same.

use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_wire::{ErrorName, Failure};

use super::{DirectoryFiles, MemoryFiles, WorkBody, WorkFiles, collect};

fn body(frames: Vec<Result<Bytes, Failure>>) -> WorkBody {
    stream::iter(frames).boxed()
}

async fn read(files: &dyn WorkFiles, name: &str) -> Option<Bytes> {
    match files.get(name).await.unwrap() {
        Some(body) => Some(collect(body).await.unwrap()),
        None => None,
    }
}

pub(crate) async fn behaves(files: &dyn WorkFiles) {
    assert_eq!(files.list("").await.unwrap(), []);
    assert_eq!(read(files, "a").await, None);
    files.delete("a").await.unwrap();
    let long = format!("sync/{}/x", "\u{e9}".repeat(400));
    for name in ["a/2", "a/10", "a/1", "a b+c%/../\u{2603}", "b", &long] {
        files.put(name, Bytes::copy_from_slice(name.as_bytes())).await.unwrap();
        assert_eq!(read(files, name).await.unwrap(), name);
    }
    let names: Vec<_> =
        files.list("a/").await.unwrap().into_iter().map(|file| (file.name, file.size)).collect();
    assert_eq!(names, [("a/1".into(), 3), ("a/10".into(), 4), ("a/2".into(), 3)]);
    assert_eq!(files.list("").await.unwrap().len(), 6);
    files.put("b", Bytes::new()).await.unwrap();
    assert_eq!(read(files, "b").await.unwrap(), "");
    files.delete("b").await.unwrap();
    assert_eq!((read(files, "b").await, files.list("b").await.unwrap().len()), (None, 0));
    streams(files).await;
    for bad in ["", "a\0", &"k".repeat(1025)] {
        assert!(files.put(bad, Bytes::new()).await.is_err(), "{bad:?}");
    }
}

async fn streams(files: &dyn WorkFiles) {
    let frame: Bytes = (0..1_000_000u32).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    let frames = || (0..20).map(|_| Ok(frame.clone()));
    assert_eq!(files.put_stream("large", body(frames().collect())).await.unwrap(), 20_000_000);
    assert_eq!(read(files, "large").await.unwrap(), frame.repeat(20));
    assert_eq!(files.put_stream("small", body(vec![Ok("x".into())])).await.unwrap(), 1);
    assert_eq!(files.put_stream("none", body(Vec::new())).await.unwrap(), 0);
    assert_eq!(read(files, "none").await.unwrap(), "");
    let broken = || Err(ErrorName::SourceChanged.because("the end"));
    for frames in [vec![broken()], frames().chain([broken()]).collect()] {
        let failure = files.put_stream("broken", body(frames)).await.unwrap_err();
        assert_eq!(failure.name, ErrorName::SourceChanged);
        assert_eq!(read(files, "broken").await, None);
    }
}

#[tokio::test]
async fn memory_keeps_files() {
    behaves(&MemoryFiles::new("lists")).await;
}

#[tokio::test]
async fn a_folder_keeps_files_inside_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    behaves(&DirectoryFiles::new(folder.path().join("inside"), "../Lists")).await;
    let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(beside.len(), 1);
}
