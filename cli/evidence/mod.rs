//! Evidence packs: everything that is known of one execution in one file, for somebody who was not there, and the checks of
//! such a file by somebody who trusts none of it.
//!
//! | file | does |
//! |---|---|
//! | `archive/` | the container: a tar whose bytes follow from its contents alone |
//! | `manifest` | names, sizes and SHA-256 of the files, and what is missing |
//! | `gather`, `walk`, `spool`, `work` | read an execution, and write its pack |
//! | `records`, `transfer` | what follows from histories: parts, checksums, versions |
//! | `redact` | takes queries of URLs out |
//! | `check/` | reads a pack and judges it |

mod archive;
mod check;
mod gather;
mod manifest;
mod records;
mod redact;
mod spool;
mod transfer;
mod walk;
mod work;

pub(crate) use check::{Judgement, Look, Verdict, verify};
pub(crate) use gather::{Packed, pack};

use serde_json::Value;

/// Names of a pack's files. Those below [`WORK`](name::WORK) and [`DEFINITIONS`](name::DEFINITIONS) have names of their own.
pub(crate) mod name {
    pub(crate) const README: &str = "README.txt";
    pub(crate) const EXECUTION: &str = "execution.json";
    pub(crate) const INPUT: &str = "input.json";
    pub(crate) const DEFINITION: &str = "definition.asl.json";
    pub(crate) const HISTORY: &str = "history.jsonl";
    pub(crate) const CHILDREN: &str = "children.jsonl";
    pub(crate) const MAP_RUNS: &str = "map-runs.jsonl";
    pub(crate) const DEFINITIONS: &str = "definitions/";
    pub(crate) const PARTS: &str = "parts.jsonl";
    pub(crate) const CHECKSUMS: &str = "checksums.jsonl";
    pub(crate) const VERSIONS: &str = "versions.json";
    pub(crate) const REPORT: &str = "report.json";
    pub(crate) const WORK: &str = "work/";
    pub(crate) const MANIFEST: &str = "manifest.json";
    pub(crate) const SUMS: &str = "SHA256SUMS";

    /// The order of files in a pack; those of one folder in byte order.
    pub(crate) const ORDER: [&str; 15] = [
        README,
        EXECUTION,
        INPUT,
        DEFINITION,
        HISTORY,
        CHILDREN,
        MAP_RUNS,
        DEFINITIONS,
        PARTS,
        CHECKSUMS,
        VERSIONS,
        REPORT,
        WORK,
        MANIFEST,
        SUMS,
    ];

    /// Where a file stands in the order; `None` for one that no pack has.
    pub(crate) fn rank(name: &str) -> Option<usize> {
        ORDER
            .iter()
            .position(|known| if known.ends_with('/') { name.starts_with(known) } else { name == *known })
    }
}

/// Bytes of a line of JSON, at most: an event quotes an input or output of 256 KiB, which may itself be quoted JSON.
pub(crate) const LINE: usize = 4 << 20;

/// JSON in its one form: members in byte order of their names, no blanks.
pub(crate) fn canonical(mut value: Value) -> String {
    value.sort_all_objects();
    value.to_string()
}

/// Whether an execution is over: only then does its evidence not change any more.
pub(crate) fn is_over(status: &str) -> bool {
    matches!(status, "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED")
}

#[cfg(test)]
mod tests;
