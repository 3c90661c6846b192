//! Objects in a directory: one folder a bucket, one file an object, its name the escaped key.
use super::{Listing, ObjectFacts, ObjectSummary, Objects, ObjectsError};
use async_trait::async_trait;
use bytes::Bytes;
use std::path::{Path, PathBuf};

/// Longest name of a file on common file systems; a longer key is split into folders.
const MAX_NAME: usize = 200;
const PAGE: usize = 1_000;

/// Files beneath one directory, never outside of it: every byte of a key that is no letter, digit, `-` or `_` is escaped,
/// so no key can be `..` or hold a separator. Listings read the whole bucket's folder; that suits results, not archives.
#[derive(Debug, Clone)]
pub struct DirectoryObjects {
    root: PathBuf,
}

impl DirectoryObjects {
    /// Buckets are folders of `root`, which is made when first needed.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        let mut path = self.root.join(escape(bucket));
        let name = escape(key);
        let mut rest = name.as_str();
        while rest.len() > MAX_NAME {
            let (head, tail) = rest.split_at(MAX_NAME);
            // A folder's name ends in '+', which no escaped text holds, so it is never taken for an object.
            path.push(format!("{head}+"));
            rest = tail;
        }
        path.join(format!("{rest}="))
    }
}

fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn unescape(text: &str) -> Option<String> {
    let (mut out, mut bytes) = (Vec::new(), text.bytes());
    while let Some(b) = bytes.next() {
        match b {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            b => out.push(b),
        }
    }
    String::from_utf8(out).ok()
}

fn failed(error: &std::io::Error, path: &Path) -> ObjectsError {
    let code = if error.kind() == std::io::ErrorKind::NotFound { "NoSuchKey" } else { "InternalError" };
    ObjectsError::new(code, format!("{}: {error}", path.display()))
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, ObjectsError> + Send + 'static,
) -> Result<T, ObjectsError> {
    tokio::task::spawn_blocking(f).await.map_err(|e| ObjectsError::new("InternalError", e.to_string()))?
}

fn write(path: &Path, body: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    // Written beside and renamed: a reader sees the whole object or none.
    let beside = path.with_extension("partial");
    std::fs::write(&beside, body)?;
    std::fs::rename(&beside, path)
}

/// Where an object's facts are: its file's name with another end, so that no listing takes them for an object.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{}~", name.trim_end_matches('=')))
}

fn write_facts(path: &Path, facts: &ObjectFacts) -> std::io::Result<()> {
    let path = beside(path);
    if !facts.is_empty() {
        return write(&path, &serde_json::to_vec(facts)?);
    }
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn walk(folder: &Path, before: &str, found: &mut Vec<ObjectSummary>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(head) = name.strip_suffix('+') {
            walk(&entry.path(), &format!("{before}{head}"), found)?;
        } else if let Some(key) = name.strip_suffix('=').and_then(|n| unescape(&format!("{before}{n}"))) {
            found.push(summary(key, &entry.metadata()?));
        }
    }
    Ok(())
}

fn summary(key: String, meta: &std::fs::Metadata) -> ObjectSummary {
    let modified = meta.modified().map(crate::clock::Timestamp::from).unwrap_or_default();
    let etag = format!("\"{:x}-{:x}\"", meta.len(), modified.millis());
    ObjectSummary { key, size: meta.len(), etag, last_modified: modified.millis() / 1000 }
}

#[async_trait]
impl Objects for DirectoryObjects {
    async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        let path = self.path(bucket, key);
        blocking(move || std::fs::read(&path).map(Bytes::from).map_err(|e| failed(&e, &path))).await
    }

    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError> {
        self.put_with(bucket, key, body, ObjectFacts::default()).await
    }

    async fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        facts: ObjectFacts,
    ) -> Result<(), ObjectsError> {
        let path = self.path(bucket, key);
        blocking(move || {
            write_facts(&path, &facts).and_then(|()| write(&path, &body)).map_err(|e| failed(&e, &path))
        })
        .await
    }

    async fn facts(&self, bucket: &str, key: &str) -> Result<ObjectFacts, ObjectsError> {
        let path = beside(&self.path(bucket, key));
        blocking(move || match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| ObjectsError::new("InternalError", format!("{}: {e}", path.display()))),
            // Most objects were put without any.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(ObjectFacts::default()),
            Err(e) => Err(failed(&e, &path)),
        })
        .await
    }

    async fn buckets(&self) -> Result<Vec<String>, ObjectsError> {
        let root = self.root.clone();
        blocking(move || {
            let entries = match std::fs::read_dir(&root) {
                Ok(entries) => entries,
                // The folder is made by the first put.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(e) => return Err(failed(&e, &root)),
            };
            let names = entries.filter_map(|e| unescape(&e.ok()?.file_name().to_string_lossy()));
            let mut names: Vec<String> = names.collect();
            names.sort();
            Ok(names)
        })
        .await
    }

    async fn list(&self, bucket: &str, prefix: &str, token: Option<&str>) -> Result<Listing, ObjectsError> {
        let (folder, prefix, token) =
            (self.root.join(escape(bucket)), prefix.to_owned(), token.map(str::to_owned));
        blocking(move || {
            let mut all = Vec::new();
            walk(&folder, "", &mut all).map_err(|e| failed(&e, &folder))?;
            all.retain(|o| o.key.starts_with(&prefix) && token.as_ref().is_none_or(|t| o.key > *t));
            all.sort_by(|a, b| a.key.cmp(&b.key));
            let more = all.len() > PAGE;
            all.truncate(PAGE);
            let next = all.last().filter(|_| more).map(|o| o.key.clone());
            Ok(Listing { objects: all, next })
        })
        .await
    }

    async fn head(&self, bucket: &str, key: &str) -> Result<ObjectSummary, ObjectsError> {
        let (path, key) = (self.path(bucket, key), key.to_owned());
        blocking(move || std::fs::metadata(&path).map(|m| summary(key, &m)).map_err(|e| failed(&e, &path)))
            .await
    }
}
