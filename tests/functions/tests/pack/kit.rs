//! A tree, the calls that the machine makes, and GNU tar.

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde_json::json;
use transload_pack::{Begun, Left, PackInput, PackOutput, PackRequest, Packed};
use transload_plan::{Limits, PartNumber};
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_store::{Deadline, Head, PutBody, Store, UploadRef};
use transload_wire::{ArchiveFormat, CompleteInput, ExecutionInfo, Failure};

/// Bytes of a part.
pub(crate) const PART: usize = 1 << 20;
const FROM: &str = "tree";
const TO: &str = "backups";

/// A tree to pack, and where its archive goes.
pub(crate) struct World {
    pub(crate) source: MemoryStore,
    pub(crate) destination: MemoryStore,
    pub(crate) from: Faulty,
    pub(crate) to: Faulty,
    stores: MemoryStores,
    pub(crate) request: PackRequest,
}

/// Bytes that do not shrink.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

impl World {
    pub(crate) fn new(format: ArchiveFormat, tree: &[(String, Vec<u8>)]) -> Self {
        let limits = Limits { min_part: PART as u64, default_part: PART as u64, ..Limits::default() };
        Self::with(format, tree, MemoryConfig { limits, ..MemoryConfig::default() })
    }

    pub(crate) fn with(format: ArchiveFormat, tree: &[(String, Vec<u8>)], config: MemoryConfig) -> Self {
        let source = MemoryStore::new(MemoryConfig::default()).with_bucket(FROM);
        for (name, content) in tree {
            source.write(FROM, name, content.clone());
        }
        let destination = MemoryStore::new(config).with_bucket(TO);
        let (from, to) = (Faulty::new(source.clone()), Faulty::new(destination.clone()));
        let stores = MemoryStores::default().with("efs", from.clone()).with("china", to.clone());
        let request = serde_json::from_value(json!({
            "source": {"location": "efs", "bucket": FROM, "prefix": ""},
            "destination": {"location": "china", "bucket": TO, "key": "backup"},
            "options": {"partSize": PART},
            "pack": {"format": format.as_str()},
        }));
        Self { source, destination, from, to, stores, request: request.unwrap() }
    }

    /// One call of the function.
    pub(crate) async fn call(
        &self,
        before: Option<PackOutput>,
        deadline: Deadline,
    ) -> Result<PackOutput, Failure> {
        let execution = ExecutionInfo {
            id: "arn:aws:states:eu-west-1:111111111111:execution:pack:one".to_owned(),
            start_time: "2026-01-31T12:00:05.123Z".to_owned(),
            redrive_count: 0,
        };
        let (begun, left) = before.map_or((None, None), |before| (Some(before.begun), before.left));
        let input = PackInput { request: self.request.clone(), execution, begun, left };
        // As it comes from the service.
        let input = serde_json::from_value(serde_json::to_value(input).unwrap()).unwrap();
        transload_pack::handle(&self.stores, deadline, input).await
    }

    /// All calls, and Complete.
    pub(crate) async fn pack(&self) -> Result<Packed, Failure> {
        let mut output = self.call(None, Deadline::NONE).await?;
        while output.left.is_some() {
            output = self.call(Some(output), Deadline::NONE).await?;
        }
        self.finish(output).await
    }

    /// The same with no time for more than one part in each call, and each call repeated `times`: how many there were.
    pub(crate) async fn pack_in_calls(&self, times: u32) -> Result<u32, Failure> {
        let mut output = self.call(None, Deadline::NONE).await?;
        let mut calls = 0;
        while let Some(left) = output.left.clone() {
            let before = PackOutput { left: Some(left.clone()), ..output };
            let mut after = Vec::new();
            for _ in 0..times {
                // As much as is kept for the parts on their way, and for ending in good order.
                let soon = Deadline::after(Duration::from_secs(20) + Deadline::MARGIN);
                after.push(self.call(Some(before.clone()), soon).await?);
            }
            output = after.pop().unwrap();
            assert!(after.iter().all(|one| (&one.left, &one.whole) == (&output.left, &output.whole)));
            let parts = output.left.as_ref().map_or(left.parts + 1, |left| left.parts);
            assert!(parts > left.parts, "a call has to come further");
            calls += 1;
        }
        self.finish(output).await.map(|_| calls)
    }

    /// The first call, and the next one with time for one part.
    pub(crate) async fn begin(&self) -> (PackOutput, Left) {
        let output = self.call(None, Deadline::NONE).await.unwrap();
        let soon = Deadline::after(Duration::from_secs(20) + Deadline::MARGIN);
        let output = self.call(Some(output), soon).await.unwrap();
        let left = output.left.clone().unwrap();
        (output, left)
    }

    /// What Complete makes of it.
    pub(crate) async fn finish(&self, output: PackOutput) -> Result<Packed, Failure> {
        let (begun, whole) = (output.begun, output.whole.unwrap());
        let input = CompleteInput {
            source: whole.source,
            destination: begun.destination,
            options: self.request.options.clone(),
            upload: begun.upload,
            layout: whole.layout,
            token: begun.token,
            sent: None,
            replaces: begun.replaces,
            route: None,
        };
        transload_complete::handle(&self.stores, Deadline::NONE, input).await.map(|_| whole.packed)
    }

    /// Puts other bytes in the place of the first part, as whoever has the right to may.
    pub(crate) async fn spoil_part(&self, begun: &Begun) {
        let upload = UploadRef::of(&begun.destination, &begun.upload);
        let bytes = Bytes::from(vec![b'x'; PART]);
        let len = bytes.len() as u64;
        let body = PutBody { len, stream: stream::once(async { Ok(bytes) }).boxed(), md5: None, seen: None };
        self.destination.upload_part(&upload, PartNumber::new(1).unwrap(), body).await.unwrap();
    }

    /// The archive.
    pub(crate) fn archive(&self) -> Vec<u8> {
        let key = self.keys().pop().unwrap();
        self.destination.read(TO, &key).unwrap().to_vec()
    }

    /// What HEAD tells of it.
    pub(crate) fn head(&self) -> Head {
        self.destination.facts(TO, "backup").unwrap()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.destination.keys(TO).iter().map(|key| key.as_str().to_owned()).collect()
    }

    pub(crate) fn open_uploads(&self) -> Vec<String> {
        self.destination.open_uploads(TO).into_iter().map(|(key, ..)| key.as_str().to_owned()).collect()
    }

    /// Overwrites an object of the tree.
    pub(crate) fn overwrite(&self, key: &str, content: Vec<u8>) {
        self.source.write(FROM, key, content);
    }

    /// Puts something where the archive goes.
    pub(crate) fn intrude(&self) {
        self.destination.write(TO, "backup", "another writer's");
    }
}

/// What GNU tar finds in an archive: names below its folder and contents, sorted. Zstandard is taken off before, for not every
/// machine has the program that tar would ask.
pub(crate) fn unpack(format: ArchiveFormat, archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive");
    let into = folder.path().join("into");
    std::fs::create_dir(&into).unwrap();
    let mut plain = Vec::new();
    let archive = if format == ArchiveFormat::Zstd {
        zstd::stream::read::Decoder::new(archive).unwrap().read_to_end(&mut plain).unwrap();
        &plain
    } else {
        archive
    };
    std::fs::write(&file, archive).unwrap();
    let flags = if format == ArchiveFormat::Gzip { "-xzf" } else { "-xf" };
    let ran = Command::new("tar").arg(flags).arg(&file).arg("-C").arg(&into).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && told.is_empty(), "{format}: {told}");
    let mut found = Vec::new();
    walk(&into, &into, &mut found);
    found.sort();
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
}
