//! Makes a pack: reads an execution that is over and all that belongs to it, and writes it under a name that nothing had.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::archive::{Writer, sha256};
use super::manifest::{FORMAT, Listed, Manifest, Missing, VERSION};
use super::records::{Functions, Records};
use super::redact::Redactor;
use super::spool::Spool;
use super::walk::{Walk, described, write_line};
use super::{canonical, is_over, name, work};
use crate::api::Request;
use crate::deployed::results_bucket;
use crate::exit::{CliError, Exit, Outcome};
use crate::home::Home;
use crate::sync::{self, Outcomes, SyncStory};
use crate::view::{View, text};

const README: &str = include_str!("readme.txt");

/// A pack that was made, in the shape of `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Packed {
    /// The file.
    pub(crate) pack: String,
    /// The execution.
    pub(crate) execution_arn: String,
    /// How it ended.
    pub(crate) status: String,
    /// Files in the pack.
    pub(crate) files: usize,
    /// Bytes of the pack.
    pub(crate) size: u64,
    /// SHA-256 of the pack.
    pub(crate) sha256: String,
    /// What is not in it.
    pub(crate) missing: Vec<Missing>,
}

/// What the execution is, before anything is written.
struct Subject {
    execution: Value,
    history: Vec<Value>,
    machine: Value,
    definition: Value,
    redactor: Redactor,
}

/// Makes the pack of an execution.
///
/// # Errors
/// [`Exit::Busy`] for one that still runs, or was redriven meanwhile; [`Exit::Usage`] if the name is taken; the API's, the disk's.
pub(crate) async fn pack(view: &View, home: &Home, arn: &str, out: &Path) -> Outcome<Packed> {
    let taken = || CliError::usage(format!("--out {}: expected no file, found one", out.display()));
    if out.symlink_metadata().is_ok() {
        return Err(taken().hint("a pack is not written over: choose another name, or remove it"));
    }
    let subject = subject(view, arn).await?;
    let disk = |error: std::io::Error| CliError::trouble(out.display(), error);
    let mut writer = Writer::beside(out).map_err(disk)?;
    let mut missing = own(&mut writer, &subject, &disk)?;
    missing.extend(belonging(view, arn, &subject, &mut writer, out, &disk).await?);
    report(view, arn, &subject, &mut writer, &disk).await?;
    missing.extend(work_files(view, home, &subject, &mut writer, &disk).await?);
    unchanged(view, arn, &subject).await?;
    let files = close(&mut writer, &subject, &missing).map_err(disk)?;
    let (sha256, size) = writer.finish(out).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(),
        _ => disk(error),
    })?;
    let (execution_arn, status) = (arn.to_owned(), text(&subject.execution, "status").to_owned());
    let missing = missing.into_iter().collect();
    Ok(Packed { pack: out.display().to_string(), execution_arn, status, files, size, sha256, missing })
}

async fn subject(view: &View, arn: &str) -> Outcome<Subject> {
    let mut execution = described(view, arn).await?;
    let status = text(&execution, "status");
    if !is_over(status) {
        let message = format!("{arn}: expected an execution that is over, found {status}");
        return Err(CliError::new(Exit::Busy, message)
            .hint("wait for its end, or stop or pause it: its evidence still grows"));
    }
    let redactor = Redactor::of(text(&execution, "input"));
    let mut machine = view.call(Request::DescribeStateMachineForExecution(arn.to_owned())).await?;
    let definition = machine["definition"].take();
    let definition = definition.as_str().unwrap_or_default();
    let parsed =
        serde_json::from_str(definition).map_err(|e| CliError::trouble("the execution's definition", e))?;
    machine["definition"] = json!(definition);
    let mut history = view.history(arn).await?;
    redactor.apply(&mut execution);
    history.iter_mut().for_each(|event| redactor.apply(event));
    Ok(Subject { execution, history, machine, definition: parsed, redactor })
}

type Disk<'a> = dyn Fn(std::io::Error) -> CliError + 'a;

/// The files of the execution itself.
fn own(writer: &mut Writer, subject: &Subject, disk: &Disk<'_>) -> Outcome<BTreeSet<Missing>> {
    let mut write = || {
        writer.file(name::README, README.as_bytes())?;
        writer.file(name::EXECUTION, format!("{}\n", canonical(subject.execution.clone())).as_bytes())?;
        writer.file(name::INPUT, text(&subject.execution, "input").as_bytes())?;
        writer.file(name::DEFINITION, text(&subject.machine, "definition").as_bytes())?;
        writer.begin(name::HISTORY)?;
        subject.history.iter().try_for_each(|event| write_line(writer, event))?;
        writer.end()
    };
    write().map_err(disk)?;
    Ok(BTreeSet::new())
}

/// Children, what they started, and what follows from all of it.
async fn belonging(
    view: &View,
    arn: &str,
    subject: &Subject,
    writer: &mut Writer,
    out: &Path,
    disk: &Disk<'_>,
) -> Outcome<BTreeSet<Missing>> {
    let spool = || Spool::beside(out).map_err(disk);
    let mut records = Records::of(&subject.execution);
    subject.history.iter().for_each(|event| records.main_event(event));
    writer.begin(name::CHILDREN).map_err(disk)?;
    let mut walk = Walk {
        view,
        redactor: &subject.redactor,
        writer,
        records,
        map_runs: spool()?,
        parts: spool()?,
        checksums: spool()?,
        definitions: BTreeMap::new(),
        missing: BTreeSet::new(),
        trouble: disk,
    };
    walk.below(arn, &subject.definition, 1).await?;
    let records = std::mem::replace(&mut walk.records, Records::of(&Value::Null));
    let (told, functions) = records.end();
    walk.told(&told)?;
    let Walk { writer, map_runs, parts, checksums, definitions, missing, .. } = walk;
    let write = || {
        writer.end()?;
        map_runs.into(writer, name::MAP_RUNS)?;
        for (sha256, definition) in &definitions {
            writer.file(&format!("{}{sha256}.asl.json", name::DEFINITIONS), definition.as_bytes())?;
        }
        parts.into(writer, name::PARTS)?;
        checksums.into(writer, name::CHECKSUMS)?;
        writer
            .file(name::VERSIONS, format!("{}\n", canonical(versions(view, subject, &functions))).as_bytes())
    };
    write().map_err(disk)?;
    Ok(missing)
}

fn versions(view: &View, subject: &Subject, functions: &Functions) -> Value {
    let definition = text(&subject.machine, "definition");
    let engine = match view {
        View::Deployed(_) => {
            json!({"service": "AWS Step Functions", "sdk": format!("aws-sdk-sfn {}", aws_sdk_sfn::meta::PKG_VERSION)})
        }
        View::Here { .. } | View::There(_) => {
            json!({"service": concat!("stepfunctions-local ", env!("CARGO_PKG_VERSION"))})
        }
    };
    json!({
        "packedBy": concat!("transload ", env!("CARGO_PKG_VERSION")),
        "engine": engine,
        "machine": {
            "stateMachineArn": subject.machine["stateMachineArn"],
            "revisionId": subject.machine["revisionId"],
            "updateDate": subject.machine["updateDate"],
            "definitionSha256": sha256(definition.as_bytes()),
        },
        "functions": functions,
    })
}

/// What `transload report --output json` tells.
async fn report(view: &View, arn: &str, subject: &Subject, writer: &mut Writer, disk: &Disk<'_>) -> Outcome {
    let mut told = if sync::is_arn(arn) {
        json!(Outcomes::read(view, arn).await?)
    } else {
        json!(crate::report::read(view, arn).await?)
    };
    subject.redactor.apply(&mut told);
    writer.file(name::REPORT, format!("{}\n", canonical(told)).as_bytes()).map_err(disk)
}

async fn work_files(
    view: &View,
    home: &Home,
    subject: &Subject,
    writer: &mut Writer,
    disk: &Disk<'_>,
) -> Outcome<Option<Missing>> {
    let mut story = SyncStory::default();
    story.read(&subject.history);
    let arn = text(&subject.execution, "executionArn");
    let (bucket, prefix) = match (story.work, results_bucket(&subject.definition)) {
        (Some(work), _) => (work.bucket, work.prefix),
        // What the definition's Map calls it.
        (None, Some(bucket)) if !sync::is_arn(arn) => {
            (bucket.to_owned(), format!("object/{}/", text(&subject.execution, "name")))
        }
        // It ended before anything was listed.
        (None, _) => return Ok(None),
    };
    let files = work::place(view, home, &bucket)?;
    work::copy(files.as_ref(), &prefix, &subject.redactor, writer, disk).await
}

/// A redrive goes on with the same execution: what was read before and after it does not belong together.
async fn unchanged(view: &View, arn: &str, subject: &Subject) -> Outcome {
    let now = described(view, arn).await?;
    let same =
        ["status", "stopDate", "redriveCount"].iter().all(|field| now[*field] == subject.execution[*field]);
    if same {
        return Ok(());
    }
    Err(CliError::new(Exit::Busy, format!("{arn}: it was redriven while its evidence was read"))
        .hint("again, once it is over"))
}

/// The manifest and the sums: how many files there are.
fn close(writer: &mut Writer, subject: &Subject, missing: &BTreeSet<Missing>) -> std::io::Result<usize> {
    let redacted = match subject.redactor.is_idle() {
        true => Vec::new(),
        false => {
            vec!["the query of each URL of the input, wherever it stood: … stands in its place".to_owned()]
        }
    };
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        format_version: VERSION,
        made_by: concat!("transload ", env!("CARGO_PKG_VERSION")).to_owned(),
        execution_arn: text(&subject.execution, "executionArn").to_owned(),
        status: text(&subject.execution, "status").to_owned(),
        redacted,
        missing: missing.iter().cloned().collect(),
        files: writer.listed().to_vec(),
    };
    let mut manifest = serde_json::to_vec_pretty(&manifest)?;
    manifest.push(b'\n');
    writer.file(name::MANIFEST, &manifest)?;
    let sums: String = writer.listed().iter().map(Listed::line).collect();
    writer.file(name::SUMS, sums.as_bytes())?;
    Ok(writer.listed().len())
}
