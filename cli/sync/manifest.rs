//! A user's manifest: every line is read before anything starts, and then it is put where the workflow reads it.

use std::path::Path;

use transload_plan::manifest::Form;
use transload_store::work::WorkFiles;
use transload_wire::{Manifest, ManifestEntry, Tree};

use crate::exit::{CliError, Outcome};

/// Bad lines that are told one by one.
const TOLD: usize = 100;

/// A manifest that was read.
pub(crate) struct Chosen {
    /// Where the workflow will find it.
    pub(crate) manifest: Manifest,
    text: String,
}

/// Reads a manifest of objects of this source: CSV if its name ends in `.csv`, else JSON Lines.
///
/// # Errors
/// Every line that is wrong, by its number.
pub(crate) fn read(path: &Path, source: &Tree, execution: &str) -> Outcome<Chosen> {
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("--manifest {place}: {error}")))?;
    let csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let form = if csv { Form::Csv } else { Form::Jsonl };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let bad = lines.filter_map(|(index, line)| {
        let what = ManifestEntry::read(form, line.as_bytes(), source).err()?;
        Some(format!("  line {}: {what}", index + 1))
    });
    let bad: Vec<String> = bad.collect();
    if bad.is_empty() {
        let manifest = Manifest { name: format!("manifests/{execution}"), form };
        return Ok(Chosen { manifest, text });
    }
    let more = bad.len().saturating_sub(TOLD);
    let mut told = bad.iter().take(TOLD).cloned().collect::<Vec<_>>().join("\n");
    if more > 0 {
        told.push_str(&format!("\n  and {more} more"));
    }
    Err(CliError::usage(format!("--manifest {place}: {} bad lines\n{told}", bad.len())))
}

impl Chosen {
    /// Puts it where the workflow reads it.
    ///
    /// # Errors
    /// If disk or bucket fail.
    pub(crate) async fn upload(self, files: &dyn WorkFiles) -> Outcome {
        Ok(files.put(&self.manifest.name, self.text.into()).await?)
    }
}
