//! Judges a pack. Nothing in it is believed: first its container and its sums, then whether its files agree with each other, then
//! whether the destination still is what they say.

mod counts;
mod csv;
mod destination;
mod files;
mod histories;
mod history;
mod lines;
mod objects;

use std::path::Path;

use serde::Serialize;

pub(crate) use destination::Look;

use super::archive::Pack;
use super::manifest::Missing;
use crate::exit::Outcome;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Verdict {
    /// It holds.
    Ok,
    /// It does not.
    Failed,
    /// It could not be made; the detail says why.
    NotChecked,
}

/// One check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    /// What was checked.
    pub(crate) check: &'static str,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// What was found.
    pub(crate) detail: String,
}

impl Check {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, detail: detail.into() }
    }

    fn failed(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Failed, detail: detail.into() }
    }

    fn not_checked(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::NotChecked, detail: why.into() }
    }

    fn of(check: &'static str, found: Result<String, String>) -> Self {
        match found {
            Ok(detail) => Self::ok(check, detail),
            Err(detail) => Self::failed(check, detail),
        }
    }
}

/// What came of all checks, in the shape of `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Judgement {
    /// Whether every check that was made holds.
    pub(crate) holds: bool,
    /// The execution, once the manifest was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution_arn: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    /// SHA-256 of the pack, if it could be read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
    /// All checks, in the order they were made.
    pub(crate) checks: Vec<Check>,
    /// What is not in the pack.
    pub(crate) missing: Vec<Missing>,
    /// How many objects stand at the destination as they were written, were replaced since, are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<destination::Standings>,
}

impl Judgement {
    fn of(checks: Vec<Check>) -> Self {
        let holds = checks.iter().all(|check| check.verdict != Verdict::Failed);
        Self {
            holds,
            execution_arn: None,
            status: None,
            sha256: None,
            checks,
            missing: Vec::new(),
            destination: None,
        }
    }
}

/// Judges a pack; with `look` also by what stands at its destination now.
///
/// # Errors
/// If the locations of the look can not be opened. What is wrong with the pack is no error, but a check that failed.
pub(crate) async fn verify(path: &Path, look: Look) -> Outcome<Judgement> {
    let pack = match Pack::open(path) {
        Ok(pack) => pack,
        Err(bad) => return Ok(Judgement::of(vec![Check::failed("archive", bad.to_string())])),
    };
    let container = format!("{} files, {} bytes, in their one form", pack.files.len(), pack.size);
    let mut checks = vec![Check::ok("archive", container)];
    let manifest = files::check(&pack, &mut checks);
    // What a document says is of interest only if it is the one that was packed.
    let (Some(manifest), true) = (manifest, all_hold(&checks)) else {
        return Ok(Judgement { sha256: Some(pack.sha256), ..Judgement::of(checks) });
    };
    checks.extend(histories::check(&pack, &manifest));
    checks.extend(counts::check(&pack, &manifest));
    let destination = match all_hold(&checks) {
        true => destination::check(&pack, look, &mut checks).await?,
        false => None,
    };
    Ok(Judgement {
        execution_arn: Some(manifest.execution_arn),
        status: Some(manifest.status),
        sha256: Some(pack.sha256),
        missing: manifest.missing,
        destination,
        ..Judgement::of(checks)
    })
}

fn all_hold(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.verdict != Verdict::Failed)
}
