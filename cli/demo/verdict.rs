//! Whether two stored objects are the same: read back on both sides, without the code that moved them.

use std::collections::BTreeMap;

use serde::Serialize;
use strict_s3::{Algorithm, StoredObject};

use crate::exit::{CliError, Exit, Outcome};
use crate::places::Place;

/// What was compared, on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    /// Bytes.
    pub(crate) size: u64,
    /// CRC64NVME over the stored bytes, base64.
    pub(crate) crc64nvme: String,
    /// SHA-256 over the stored bytes, base64.
    pub(crate) sha256: String,
    /// Content headers and user metadata, without transload's own.
    pub(crate) headers: BTreeMap<String, String>,
    /// Tags.
    pub(crate) tags: BTreeMap<String, String>,
}

/// Headers that name what an object is for its readers.
const CONTENT: [&str; 5] =
    ["content-type", "content-encoding", "content-language", "content-disposition", "cache-control"];

/// Reads an object as it lies on the server's disk.
///
/// # Errors
/// If it is not there or can not be read.
pub(crate) async fn facts(place: &Place, key: &str) -> Outcome<Facts> {
    let object = place.server.direct().get(place.bucket, key);
    let missing = || CliError::new(Exit::Failed, format!("{}: no object {key:?}", place.location));
    let object = object.ok_or_else(missing)?;
    let read = tokio::task::spawn_blocking(move || read(&object)).await;
    let trouble = |why: String| CliError::trouble(format!("reading {key:?} at {}", place.location), why);
    read.map_err(|e| trouble(e.to_string()))?.map_err(|e| trouble(e.to_string()))
}

fn read(object: &StoredObject) -> std::io::Result<Facts> {
    let ours = |name: &str| name.starts_with("x-amz-meta-transload-");
    let wanted = |name: &str| (CONTENT.contains(&name) || name.starts_with("x-amz-meta-")) && !ours(name);
    let headers = object.headers.iter().filter(|(name, _)| wanted(name.as_str()));
    Ok(Facts {
        size: object.size,
        crc64nvme: object.compute(Algorithm::Crc64Nvme)?,
        sha256: object.compute(Algorithm::Sha256)?,
        headers: headers
            .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect(),
        tags: object.tags.iter().cloned().collect(),
    })
}

impl Facts {
    /// What differs, in words; empty if nothing does.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, one: String, another: String| {
            if one != another {
                found.push(format!("{what}: {one} at the source, {another} at the destination"));
            }
        };
        compare("size", self.size.to_string(), other.size.to_string());
        compare("CRC64NVME", self.crc64nvme.clone(), other.crc64nvme.clone());
        compare("SHA-256", self.sha256.clone(), other.sha256.clone());
        compare("headers and metadata", format!("{:?}", self.headers), format!("{:?}", other.headers));
        compare("tags", format!("{:?}", self.tags), format!("{:?}", other.tags));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Facts;

    fn facts() -> Facts {
        Facts {
            size: 3,
            crc64nvme: "a".into(),
            sha256: "b".into(),
            headers: [("content-type".into(), "t".into())].into(),
            tags: [("k".into(), "v".into())].into(),
        }
    }

    type Spoil = fn(&mut Facts);

    #[test]
    fn each_difference_is_named() {
        assert_eq!(facts().differences(&facts()), Vec::<String>::new());
        let spoil: [(&str, Spoil); 5] = [
            ("size", |f| f.size = 4),
            ("CRC64NVME", |f| f.crc64nvme = "x".into()),
            ("SHA-256", |f| f.sha256 = "x".into()),
            ("headers and metadata", |f| f.headers.clear()),
            ("tags", |f| f.tags.clear()),
        ];
        for (name, spoil) in spoil {
            let mut other = facts();
            spoil(&mut other);
            let found = facts().differences(&other);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(name), "{found:?}");
        }
    }
}
