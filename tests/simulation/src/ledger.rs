//! What was written by whom, so that what stands at the destination can be told apart.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::world::Ended;

/// Who wrote an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// A version of the source.
    Source,
    /// Something that stood at the destination before, or that another writer put there.
    Rival,
}

/// One version.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) who: Who,
    pub(crate) etag: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: Duration,
}

/// All versions by key, and all executions.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: BTreeMap<String, Vec<Entry>>,
    /// ARN and key, in the order of their start.
    pub(crate) executions: Vec<(String, String)>,
    /// How executions ended, until they are redriven.
    pub(crate) ended: BTreeMap<String, Ended>,
    /// Key, ETag and time of each object that a request made at the destination.
    commits: Vec<(String, String, Duration)>,
}

impl Ledger {
    pub(crate) fn note(&mut self, key: &str, who: Who, etag: &str, bytes: &[u8], at: Duration) {
        let entry = Entry { who, etag: etag.to_owned(), bytes: bytes.to_vec(), at };
        self.entries.entry(key.to_owned()).or_default().push(entry);
    }

    pub(crate) fn started(&mut self, arn: &str, key: &str) {
        self.executions.push((arn.to_owned(), key.to_owned()));
    }

    /// Whether an execution for this key is known to have ended well.
    pub(crate) fn has_success(&self, key: &str) -> bool {
        let mut ours = self.executions.iter().filter(|(_, k)| k == key);
        ours.any(|(arn, _)| self.ended.get(arn).is_some_and(|ended| ended.status == "SUCCEEDED"))
    }

    pub(crate) fn committed(&mut self, key: &str, etag: &str, at: Duration) {
        self.commits.push((key.to_owned(), etag.to_owned(), at));
    }

    /// Whether an object of this ETag stood at the destination and another one, even of the same bytes, came after it.
    pub(crate) fn was_replaced(&self, key: &str, etag: &str) -> bool {
        let mut commits = self.commits.iter().filter(|(k, _, _)| k == key);
        let Some((_, _, stood)) = commits.find(|(_, tag, _)| tag == etag) else { return false };
        let mut entries = self.entries.get(key).into_iter().flatten();
        commits.next().is_some() || entries.any(|entry| entry.who == Who::Rival && entry.at >= *stood)
    }
}
