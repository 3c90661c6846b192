//! What is known of a file and a file system does not keep: checksum, headers, metadata, and whose work it is.
//!
//! EFS has no extended attributes, so it lies in small files beside. A record holds for one state of one file: whoever
//! changes the file makes it void.

use std::io;

use rustix::fs::{AtFlags, unlinkat};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use transload_wire::{Attributes, Checksum, UploadId};

use super::facts::{Facts, Time};
use super::root::{Root, text, write_text};
use crate::{StoreError, hex};

/// One file of `records/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) key: String,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) mtime: Time,
    /// Known once the file has its name: giving it changes this time.
    pub(super) ctime: Option<Time>,
    pub(super) checksum: Option<Checksum>,
    /// The upload that it was made by.
    pub(super) upload: Option<UploadId>,
    pub(super) attributes: Attributes,
}

impl Record {
    /// Whether it speaks of this state of the file.
    pub(super) fn holds(&self, key: &str, facts: &Facts) -> bool {
        (self.key.as_str(), self.inode, self.size, self.mtime) == (key, facts.inode, facts.size, facts.mtime)
            && self.ctime.is_none_or(|ctime| ctime == facts.ctime)
    }

    /// Writes it. Not made to last by itself: a record that is lost makes a file one that somebody else wrote.
    pub(super) fn keep(&self, root: &Root) -> Result<(), StoreError> {
        let failed = |error: io::Error| root.call.io("keep a record of it", error);
        let json = serde_json::to_string(self).map_err(|error| failed(error.into()))?;
        let (folder, name) = place(&self.key, self.inode);
        write_text(root.own(&folder)?, &name, &json).map_err(failed)
    }
}

/// What is known of a file in this state.
pub(super) fn read(root: &Root, key: &str, facts: &Facts) -> Result<Option<Record>, StoreError> {
    let (folder, name) = place(key, facts.inode);
    let Some(folder) = root.own_if_there(&folder)? else { return Ok(None) };
    let found = text(&folder, &name).map_err(|error| root.call.io("read its record", error))?;
    let record = found.and_then(|json| serde_json::from_str::<Record>(&json).ok());
    Ok(record.filter(|record| record.holds(key, facts)))
}

/// Forgets a file that is gone. What stays is void, and of no use.
pub(super) fn forget(root: &Root, key: &str, inode: u64) {
    let (folder, name) = place(key, inode);
    if let Ok(Some(folder)) = root.own_if_there(&folder) {
        let _ = unlinkat(&folder, &name, AtFlags::empty());
    }
}

/// A key may be longer than a name.
pub(super) fn hash(key: &str) -> String {
    hex(&Sha256::digest(key)[..16])
}

/// By key and inode: the record of a new file is there before the file has its name, beside that of the old one.
fn place(key: &str, inode: u64) -> (String, String) {
    let hash = hash(key);
    (format!("records/{}", &hash[..2]), format!("{hash}-{inode:x}"))
}
