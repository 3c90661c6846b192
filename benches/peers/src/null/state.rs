//! What a null server remembers: objects and uploads, without their bytes, and what was asked of it.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use crc_fast::{CrcAlgorithm, Digest};
use serde::{Deserialize, Serialize};

/// An object's facts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) crc64nvme: u64,
    /// Content headers and `x-amz-meta-*`, as they came.
    pub(crate) headers: Vec<(String, String)>,
    /// `x-amz-tagging`, as it came.
    pub(crate) tagging: String,
    /// Its bytes; none of an object that was written here.
    pub(crate) file: Option<PathBuf>,
}

/// A part's facts.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) size: u64,
    pub(crate) etag: String,
    /// Present when the client sent one: then the ETag is the MD5, as S3's is.
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) crc64nvme: u64,
}

/// An open upload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upload {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) tagging: String,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// Everything, by `bucket/key` and by upload id.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<String, Object>,
    pub(crate) uploads: HashMap<String, Upload>,
    pub(crate) next: u64,
    pub(crate) seen: Seen,
}

/// What was asked since the last reset.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// By operation.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Bytes of objects and parts received.
    pub(crate) bytes_in: u64,
    /// Bytes of objects sent.
    pub(crate) bytes_out: u64,
}

/// The state behind a lock; held for microseconds.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<State>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the facts of all files of `directory/bucket/key`; folders are parts of keys.
pub(crate) fn load(directory: &Path) -> Result<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in read(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(directory)?.to_string_lossy().into_owned();
                objects.insert(name, source(path)?);
            }
        }
    }
    Ok(objects)
}

/// What stands below a prefix, in a form that two servers can be compared by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tree {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    /// Of all keys behind the prefix, sizes and CRC64NVMEs.
    pub(crate) digest: u64,
}

impl State {
    /// The tree below `bucket/prefix`.
    pub(crate) fn tree(&self, prefix: &str) -> Tree {
        let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
        let mut tree = Tree::default();
        for (path, object) in self.below(prefix, "") {
            tree.objects += 1;
            tree.bytes += object.size;
            digest.update(format!("{path} {} {};", object.size, object.crc64nvme).as_bytes());
        }
        Tree { digest: digest.finalize(), ..tree }
    }

    /// Objects below a prefix, without it, behind one of them, in order.
    pub(crate) fn below<'a>(
        &'a self,
        prefix: &'a str,
        after: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Object)> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let first = format!("{prefix}{after}");
        let start = if after.is_empty() { Included(first) } else { Excluded(first) };
        let objects = self.objects.range((start, Unbounded));
        objects.map_while(move |(path, object)| Some((path.strip_prefix(prefix)?, object)))
    }
}

fn read(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory).with_context(|| format!("{}", directory.display()))?;
    Ok(entries.collect::<std::io::Result<Vec<_>>>()?.into_iter().map(|entry| entry.path()).collect())
}

fn source(path: PathBuf) -> Result<Object> {
    let mut file = File::open(&path).with_context(|| format!("{}", path.display()))?;
    let (mut digest, mut buffer, mut size) = (Digest::new(CrcAlgorithm::Crc64Nvme), vec![0; 1 << 20], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
    let crc64nvme = digest.finalize();
    let headers = [("content-type", "application/x-peers"), ("x-amz-meta-origin", "null server")];
    Ok(Object {
        size,
        // Like that of a multipart upload: no client takes it for an MD5.
        etag: format!("{crc64nvme:016x}{size:016x}-{}", size.div_ceil(16 << 20).max(1)),
        crc64nvme,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        tagging: String::new(),
        file: Some(path),
    })
}
