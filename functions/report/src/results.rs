//! All children of a round, out of the files that a Map's ResultWriter left.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;
use transload_store::work::{Lines, WorkFiles, collect};
use transload_wire::{Archived, ErrorName, Failure, ReportInput, Round};

use crate::child::{Child, Kind};

/// What a ResultWriter wrote, and where.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    result_files: Files,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct Files {
    #[serde(default)]
    succeeded: Vec<File>,
    #[serde(default)]
    failed: Vec<File>,
    #[serde(default)]
    pending: Vec<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    key: String,
}

/// Reads one child after the other.
pub(crate) struct Results {
    files: Arc<dyn WorkFiles>,
    names: VecDeque<String>,
    open: Option<(String, Lines)>,
    archived: Archived,
}

impl Results {
    /// The results of one Map of a round; none if it had nothing to do.
    ///
    /// # Errors
    /// Those of reading; `Internal` if the manifest is none.
    pub(crate) async fn of(
        files: &Arc<dyn WorkFiles>,
        input: &ReportInput,
        round: &Round,
        kind: Kind,
    ) -> Result<Self, Failure> {
        let manifest = match kind {
            Kind::Batches => &round.batches,
            Kind::Large => &round.large,
            Kind::Deletes => &round.deletes,
        };
        let names = match manifest {
            Some(name) => named(files.as_ref(), name).await?,
            None => VecDeque::new(),
        };
        Ok(Self { files: Arc::clone(files), names, open: None, archived: input.sync.archived })
    }

    /// The next child.
    ///
    /// # Errors
    /// Those of reading; `Internal` for a line that is no child.
    pub(crate) async fn next(&mut self) -> Result<Option<Child>, Failure> {
        loop {
            if let Some((name, lines)) = &mut self.open {
                if let Some(line) = lines.next().await? {
                    let mut child = Child::read(&line, name)?;
                    if self.archived == Archived::Skip {
                        child.skip_archived();
                    }
                    return Ok(Some(child));
                }
                self.open = None;
            }
            let Some(name) = self.names.pop_front() else { return Ok(None) };
            let body = self.files.get(&name).await?.ok_or_else(|| missing(&name))?;
            self.open = Some((name.clone(), Lines::new(&name, body)));
        }
    }
}

async fn named(files: &dyn WorkFiles, manifest: &str) -> Result<VecDeque<String>, Failure> {
    let body = files.get(manifest).await?.ok_or_else(|| missing(manifest))?;
    let parsed = serde_json::from_slice::<Manifest>(&collect(body).await?);
    let Files { succeeded, failed, pending } = parsed
        .map_err(|error| ErrorName::Internal.because(format!("{manifest}: no manifest: {error}")))?
        .result_files;
    Ok(succeeded.into_iter().chain(failed).chain(pending).map(|file| file.key).collect())
}

fn missing(name: &str) -> Failure {
    ErrorName::Internal.because(format!("{name}: expected a result file, found none"))
}
