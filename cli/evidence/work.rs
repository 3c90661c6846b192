//! The files that the workflow itself wrote for an execution: lists of work, the results of its Maps, its report. They are copied
//! as they are, frame by frame; where something has to be taken out, line by line.

use futures::TryStreamExt;
use serde_json::Value;
use transload_store::work::{DirectoryFiles, Lines, S3Files, WorkBody, WorkFiles};
use transload_wire::ErrorName;

use super::archive::Writer;
use super::manifest::Missing;
use super::name::WORK;
use super::redact::Redactor;
use crate::exit::{CliError, Outcome};
use crate::home::Home;
use crate::view::View;

/// Where they stand: a folder of the home, or the bucket of a deployed stack, with the credentials that the AWS tools would use.
pub(super) fn place(view: &View, home: &Home, bucket: &str) -> Outcome<Box<dyn WorkFiles>> {
    let View::Deployed(deployed) = view else {
        return Ok(Box::new(DirectoryFiles::new(home.results(), bucket)));
    };
    let region = deployed.machine_arn().split(':').nth(3);
    Ok(Box::new(S3Files::of_process(bucket, region)?))
}

/// Copies all files below a prefix; what is missing, where they can not be read.
///
/// # Errors
/// If the disk or the bucket fail.
pub(super) async fn copy(
    files: &dyn WorkFiles,
    prefix: &str,
    redactor: &Redactor,
    writer: &mut Writer,
    trouble: &dyn Fn(std::io::Error) -> CliError,
) -> Outcome<Option<Missing>> {
    let listed = match files.list(prefix).await {
        Err(failure) if failure.name == ErrorName::WorkDenied => {
            let what = format!("s3://{}/{prefix}", files.bucket());
            return Ok(Some(Missing { what, why: failure.message }));
        }
        listed => listed?,
    };
    for file in listed {
        let name = format!("{WORK}{}", file.name.strip_prefix(prefix).unwrap_or(&file.name));
        let Some(body) = files.get(&file.name).await? else { continue };
        writer.begin(&name).map_err(trouble)?;
        if redactor.is_idle() {
            verbatim(body, writer, trouble).await?;
        } else {
            redacted(&name, body, redactor, writer, trouble).await?;
        }
        writer.end().map_err(trouble)?;
    }
    Ok(None)
}

async fn verbatim(
    mut body: WorkBody,
    writer: &mut Writer,
    trouble: &dyn Fn(std::io::Error) -> CliError,
) -> Outcome {
    while let Some(bytes) = body.try_next().await? {
        writer.write(&bytes).map_err(trouble)?;
    }
    Ok(())
}

/// Results of transfers are JSON, one document a line.
async fn redacted(
    name: &str,
    body: WorkBody,
    redactor: &Redactor,
    writer: &mut Writer,
    trouble: &dyn Fn(std::io::Error) -> CliError,
) -> Outcome {
    let mut lines = Lines::new(name, body);
    while let Some(line) = lines.next().await? {
        let clean = match serde_json::from_slice::<Value>(&line) {
            Ok(mut value) => {
                redactor.apply(&mut value);
                value.to_string()
            }
            Err(_) => {
                let text = String::from_utf8_lossy(&line);
                redactor.text(&text).unwrap_or_else(|| text.into_owned())
            }
        };
        writer.write(format!("{clean}\n").as_bytes()).map_err(trouble)?;
    }
    Ok(())
}
