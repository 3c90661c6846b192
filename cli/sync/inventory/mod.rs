//! An S3 Inventory as the list of what a run is to see to: `manifest.json` is read before anything starts, and the rows of its
//! files go, as they are read, into a manifest where the workflow reads it.
//!
//! | module | what it has |
//! |---|---|
//! | `document` | `manifest.json`: whether it is of this source, its columns, its files |
//! | `origin` | a folder or a bucket that it is read from |
//! | `file` | one data file: unpacked, cut into lines, held against its MD5 |
//! | `rows` | rows as lines of a manifest |
//! | `tally` | what was counted and what is bad |

mod document;
mod file;
mod origin;
mod rows;
mod tally;

use std::sync::{Arc, Mutex, PoisonError};

use md5::{Digest, Md5};
use transload_plan::manifest::Form;
use transload_store::hex;
use transload_store::work::WorkFiles;
use transload_wire::{Manifest, Tree};

use crate::exit::{CliError, Outcome};
use crate::locations::Known;
use document::Document;
use origin::Origin;
use tally::Tally;

pub(crate) use origin::Where;

/// An inventory whose `manifest.json` was read.
pub(crate) struct Inventory {
    /// Where the workflow will find what it is made into.
    pub(crate) manifest: Manifest,
    /// As the user named it.
    name: String,
    origin: Origin,
    document: Document,
    source: Tree,
}

/// Reads `manifest.json`. `known` is asked for only if it is in a bucket.
///
/// # Errors
/// For one that can not be read, was altered, is not of this source, or has files that are not CSV.
pub(crate) async fn read(
    place: &Where,
    source: &Tree,
    execution: &str,
    known: impl FnOnce() -> Outcome<Known>,
) -> Outcome<Inventory> {
    let name = format!("--inventory {place}");
    let origin = Origin::open(place, known)?;
    let refuse = |what: String| CliError::usage(format!("{name}: {what}"));
    let failed = |failure: transload_wire::Failure| refuse(failure.to_string());
    let text = origin.manifest().await.map_err(failed)?;
    let text =
        text.ok_or_else(|| refuse("expected manifest.json of an inventory, found nothing".to_owned()))?;
    if let Some(sum) = origin.checksum().await.map_err(failed)? {
        check(&text, &String::from_utf8_lossy(&sum)).map_err(refuse)?;
    }
    let document = Document::read(&text, source).map_err(refuse)?;
    let manifest = Manifest { name: format!("manifests/{execution}"), form: Form::Jsonl };
    Ok(Inventory { manifest, name, origin, document, source: source.clone() })
}

/// Holds `manifest.json` against the MD5 in `manifest.checksum`.
fn check(text: &[u8], sum: &str) -> Result<(), String> {
    let (expected, found) = (sum.trim(), hex(&Md5::digest(text)));
    if expected.eq_ignore_ascii_case(&found) {
        return Ok(());
    }
    let expected: String = expected.chars().take(40).collect();
    Err(format!("expected MD5 {expected} (manifest.checksum beside it), found {found}: it was altered"))
}

impl Inventory {
    /// Puts its objects where the workflow reads them, as they are read. A refusal leaves no file there.
    ///
    /// # Errors
    /// For a file that is damaged or missing, and for rows that are bad; if disk or bucket fail.
    pub(crate) async fn upload(self, files: &dyn WorkFiles) -> Outcome {
        let Self { manifest, name, origin, document, source } = self;
        let tells = document.schema.tells();
        let created = document.created.clone();
        let tally = Arc::new(Mutex::new(Tally::default()));
        let lines = rows::lines(origin, document, source.clone(), Arc::clone(&tally));
        let put = files.put_stream(&manifest.name, lines).await;
        let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(refused) = &tally.refused {
            return Err(CliError::usage(format!("{name}: {refused}")).hint("nothing was started"));
        }
        put?;
        eprintln!("{}", tally.told(created.as_deref(), &source.prefix, tells));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
