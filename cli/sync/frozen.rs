//! Frozen plans as files of the user: written behind a run that planned, read before a run that executes.

use std::path::{Path, PathBuf};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use transload_store::work::{PlanReader, PlanWriter, WorkBody, WorkFiles};
use transload_wire::{ErrorName, Failure, Found, Frozen, Mode, PlanHead, PlanLine, SyncRequest, WorkPlace};

use crate::exit::{CliError, Outcome};

/// Bytes of one frame that is read.
const FRAME: usize = 256 << 10;

/// A plan that was read to its end.
pub(crate) struct Approved {
    /// Its first line.
    pub(crate) head: PlanHead,
    /// What it is called in the workflow's own bucket.
    pub(crate) frozen: Frozen,
    path: PathBuf,
}

/// Refuses a name that stands for something already, before anything is planned.
///
/// # Errors
/// If there is something.
pub(crate) fn free(path: &Path) -> Outcome {
    if path.exists() {
        return Err(CliError::usage(format!("--out {}: expected no file, found one", path.display()))
            .hint("a plan that was approved is not written over: choose another name, or remove it"));
    }
    Ok(())
}

/// Writes what a run planned; the SHA-256 of it.
///
/// # Errors
/// If the disk fails, or the lists can not be read.
pub(crate) async fn write(
    files: &dyn WorkFiles,
    work: &WorkPlace,
    head: PlanHead,
    path: &Path,
) -> Outcome<String> {
    let beside = path.with_extension("partial");
    let trouble = |error: std::io::Error| CliError::trouble(path.display(), error);
    let mut file = File::create(&beside).await.map_err(trouble)?;
    let mut writer = PlanWriter::default();
    let (expected, mut found) = (objects(&head.found), 0);
    file.write_all(&writer.line(&PlanLine::Plan(Box::new(head)))?).await.map_err(trouble)?;
    for list in files.list(&format!("{}plan/", work.prefix)).await? {
        let Some(mut body) = files.get(&list.name).await? else { continue };
        while let Some(bytes) = body.try_next().await? {
            writer.lines(&bytes);
            found += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            file.write_all(&bytes).await.map_err(trouble)?;
        }
    }
    if found != expected {
        drop(tokio::fs::remove_file(&beside).await);
        let place = format!("s3://{}/{}plan/", work.bucket, work.prefix);
        let what = format!("expected {expected} objects as the run told, found {found}");
        return Err(CliError::trouble(place, what));
    }
    let (end, sha256) = writer.end()?;
    file.write_all(&end).await.map_err(trouble)?;
    file.sync_all().await.map_err(trouble)?;
    tokio::fs::rename(&beside, path).await.map_err(trouble)?;
    Ok(sha256)
}

/// Objects that a plan has a line for: those that are there already have none.
fn objects(found: &Found) -> u64 {
    let skipped = found.skipped.values().map(|tally| tally.objects).sum::<u64>();
    skipped + found.small.objects + found.large.objects + found.deletes.objects
}

/// Reads a plan to its end: what is wrong with it is told before anything starts.
///
/// # Errors
/// For a file that is no plan, or not as it was frozen.
pub(crate) async fn read(path: &Path) -> Outcome<Approved> {
    let refuse = |failure: Failure| CliError::usage(format!("--plan {}", failure.message));
    let mut reader = PlanReader::new(&path.display().to_string(), body(path, "--plan").await?);
    let head = reader.head().await.map_err(refuse)?;
    while reader.next().await.map_err(refuse)?.is_some() {}
    let sha256 = reader.sha256().unwrap_or_default().to_owned();
    let frozen = Frozen { name: format!("plans/{sha256}.jsonl"), sha256 };
    Ok(Approved { head, frozen, path: path.to_owned() })
}

impl Approved {
    /// What executes it, and nothing else.
    pub(crate) fn request(&self) -> SyncRequest {
        let mut request = self.head.request.clone();
        request.sync.mode = Mode::Sync;
        request.manifest = None;
        request.plan = Some(self.frozen.clone());
        request
    }

    /// Puts it where the workflow reads it.
    ///
    /// # Errors
    /// If disk or bucket fail.
    pub(crate) async fn upload(&self, files: &dyn WorkFiles) -> Outcome {
        files.put_stream(&self.frozen.name, body(&self.path, "--plan").await?).await?;
        Ok(())
    }
}

/// The bytes of a file that a flag names.
///
/// # Errors
/// If it can not be opened.
pub(super) async fn body(path: &Path, flag: &str) -> Outcome<WorkBody> {
    let name = path.display().to_string();
    let file = File::open(path).await.map_err(|error| CliError::usage(format!("{flag} {name}: {error}")))?;
    let frames = stream::try_unfold((file, name), |(mut file, name)| async move {
        let mut frame = vec![0; FRAME];
        let read = file.read(&mut frame).await;
        let len = read.map_err(|error| ErrorName::InputInvalid.because(format!("{name}: {error}")))?;
        frame.truncate(len);
        Ok((len > 0).then(|| (frame.into(), (file, name))))
    });
    Ok(frames.boxed())
}
