//! How a run over many objects ended: sums on the terminal, and the report as files that a person can open.

use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use transload_store::work::{DirectoryFiles, S3Files, WorkFiles};
use transload_wire::{Counts, ErrorName, Failure, Found, Tally, WorkPlace};

use super::SyncStory;
use crate::ended::{self, Ended};
use crate::exit::{CliError, Outcome};
use crate::home::Home;
use crate::table::{Side, Table, pairs};
use crate::units;
use crate::view::View;

/// The report's files, as the function names them.
const FILES: [&str; 3] = ["report.html", "objects.csv", "report.json"];

/// What is known of a run, in the shape of `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcomes {
    #[serde(flatten)]
    pub(crate) ended: Ended,
    /// Whether it only planned.
    pub(crate) plan: bool,
    /// What was found.
    pub(crate) found: Found,
    /// What became of it; absent before Report has told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<Counts>,
    /// Where lists and results stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<WorkPlace>,
    /// Folder with the report's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<PathBuf>,
    /// Why it was not fetched, and where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report_unread: Option<String>,
}

impl Outcomes {
    /// Reads what an execution's history tells.
    ///
    /// # Errors
    /// The API's.
    pub(crate) async fn read(view: &View, arn: &str) -> Outcome<Self> {
        let (ended, input, story) = ended::read::<SyncStory>(view, arn).await?;
        Ok(Self {
            ended,
            plan: input["sync"]["mode"] == "plan",
            found: story.found,
            counts: story.counts,
            work: story.work,
            report: None,
            report_unread: None,
        })
    }

    /// Takes over what the report says: a run in which objects failed has told it nowhere else.
    fn take(&mut self, report: &Path) {
        let text = std::fs::read(report.join("report.json")).ok();
        let document: Option<Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
        let counts = document.and_then(|mut document| serde_json::from_value(document["counts"].take()).ok());
        self.counts = counts.or(self.counts.take());
    }
}

/// Where lists and results stand: a folder of the home, or the bucket of a deployed stack, which is read with the credentials
/// that the AWS tools would use.
pub(crate) fn results(view: &View, home: &Home, outcomes: &Outcomes) -> Outcome<Option<Box<dyn WorkFiles>>> {
    let Some(work) = &outcomes.work else { return Ok(None) };
    let View::Deployed(deployed) = view else {
        return Ok(Some(Box::new(DirectoryFiles::new(home.results(), &work.bucket))));
    };
    let region = deployed.machine_arn().split(':').nth(3);
    Ok(Some(Box::new(S3Files::of_process(&work.bucket, region)?)))
}

/// Copies the report out of the results' bucket into a folder of its own, under the names that its files have. Who may not read
/// the bucket is told where it stands.
///
/// # Errors
/// If the disk fails.
pub(crate) async fn export(
    files: Option<Box<dyn WorkFiles>>,
    reports: &Path,
    outcomes: &mut Outcomes,
) -> Outcome {
    let (Some(files), Some(work)) = (files, outcomes.work.clone()) else { return Ok(()) };
    let prefix = format!("{}report/", work.prefix);
    // A plan has no report, nor has a run that ended before its end.
    let listed = match files.list(&prefix).await {
        Err(failure) if failure.name == ErrorName::WorkDenied => return unread(outcomes, &work, &failure),
        listed => listed?,
    };
    if listed.is_empty() {
        return Ok(());
    }
    let folder = reports.join(&outcomes.ended.name);
    let trouble = |error: std::io::Error| CliError::trouble(folder.display(), error);
    tokio::fs::create_dir_all(&folder).await.map_err(trouble)?;
    for name in FILES {
        let mut bytes = match files.get(&format!("{prefix}{name}")).await {
            Err(failure) if failure.name == ErrorName::WorkDenied => {
                return unread(outcomes, &work, &failure);
            }
            Err(failure) => return Err(failure.into()),
            Ok(None) => continue,
            Ok(Some(bytes)) => bytes,
        };
        let mut file = tokio::fs::File::create(folder.join(name)).await.map_err(trouble)?;
        while let Some(chunk) = bytes.try_next().await? {
            file.write_all(&chunk).await.map_err(trouble)?;
        }
        file.flush().await.map_err(trouble)?;
    }
    outcomes.take(&folder);
    outcomes.report = Some(folder);
    Ok(())
}

/// Tells where the report stands that could not be read.
fn unread(outcomes: &mut Outcomes, work: &WorkPlace, failure: &Failure) -> Outcome {
    if !outcomes.plan {
        let (bucket, prefix) = (&work.bucket, &work.prefix);
        outcomes.report_unread =
            Some(format!("s3://{bucket}/{prefix}report/{} (not fetched: {})", FILES[0], failure.message));
    }
    Ok(())
}

/// The lines that say how it went.
pub(crate) fn lines(outcomes: &Outcomes) -> String {
    let mut rows = outcomes.ended.head();
    let moved = outcomes.counts.as_ref().map_or(0, |counts| counts.copied.bytes);
    rows.push(("time", outcomes.ended.time(moved)));
    if let Some(folder) = &outcomes.report {
        rows.push(("report", folder.join(FILES[0]).display().to_string()));
    }
    if let Some(place) = &outcomes.report_unread {
        rows.push(("report", place.clone()));
    }
    let tally = match &outcomes.counts {
        Some(counts) => done(counts),
        // It ended before anything was listed whole.
        None if outcomes.found == Found::default() => return pairs(&rows),
        None => todo(&outcomes.found),
    };
    format!("{}\n{}", pairs(&rows), tally)
}

fn table(rows: Vec<(String, Tally)>) -> String {
    let mut table = Table::new(&[("", Side::Left), ("objects", Side::Right), ("bytes", Side::Right)]);
    for (name, tally) in rows {
        table.row([name, tally.objects.to_string(), units::size(tally.bytes)]);
    }
    table.render()
}

/// What became of everything that was listed. What did not happen takes no line.
fn done(counts: &Counts) -> String {
    let mut rows = vec![
        ("listed".to_owned(), counts.listed),
        ("  copied".to_owned(), counts.copied),
        ("  there already".to_owned(), counts.present),
    ];
    rows.extend(counts.skipped.iter().map(|(reason, tally)| (format!("  skipped: {reason}"), *tally)));
    let more = [
        ("  parked, beyond the budget", counts.parked),
        ("  failed", counts.failed),
        ("deleted", counts.deleted),
        ("kept", counts.kept),
        ("not deleted", counts.undeleted),
    ];
    rows.extend(
        more.into_iter().filter(|(_, tally)| tally.objects > 0).map(|(name, tally)| (name.to_owned(), tally)),
    );
    table(rows)
}

/// What would be done.
fn todo(found: &Found) -> String {
    let mut rows = vec![
        ("listed".to_owned(), found.listed),
        ("  to copy in batches".to_owned(), found.small),
        ("  to copy one by one".to_owned(), found.large),
        ("  there already".to_owned(), found.present),
    ];
    rows.extend(found.skipped.iter().map(|(reason, tally)| (format!("  to skip: {reason}"), *tally)));
    if found.parked.objects > 0 {
        rows.push(("  to park, beyond the budget".to_owned(), found.parked));
    }
    rows.push(("at the destination".to_owned(), found.destination));
    rows.push(("  to delete".to_owned(), found.deletes));
    table(rows)
}

#[cfg(test)]
mod tests {
    use transload_wire::{Counts, Tally};

    use super::done;

    #[test]
    fn the_lines_add_up_for_a_reader() {
        let tally = |objects| Tally { objects, bytes: objects << 20 };
        let counts = Counts {
            listed: tally(10),
            present: tally(2),
            skipped: [("archived".to_owned(), tally(1))].into(),
            copied: tally(6),
            failed: tally(1),
            ..Counts::default()
        };
        let expected = "                     objects   bytes\n\
                        listed                    10  10 MiB\n\
                        \u{20} copied                   6   6 MiB\n\
                        \u{20} there already            2   2 MiB\n\
                        \u{20} skipped: archived        1   1 MiB\n\
                        \u{20} failed                   1   1 MiB\n";
        assert_eq!(done(&counts), expected);
    }
}
