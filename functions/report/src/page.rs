//! Where the report stands, and its writing.

use transload_store::work::WorkFiles;
use transload_wire::{Counts, Failure, ReportInput};

use crate::gather::Gathered;
use crate::{html, json};

/// The page.
pub(crate) const HTML: &str = "report.html";
/// All objects.
pub(crate) const CSV: &str = "objects.csv";
/// For programs.
const JSON: &str = "report.json";

/// The whole name of one of the report's files.
pub(crate) fn name(input: &ReportInput, file: &str) -> String {
    format!("{}report/{file}", input.work.prefix)
}

/// Writes the report; tells the page's name.
pub(crate) async fn write(
    files: &dyn WorkFiles,
    input: &ReportInput,
    counts: &Counts,
    gathered: &Gathered,
    accounted: &Result<(), Failure>,
) -> Result<String, Failure> {
    let document = json::document(input, counts, gathered, accounted)?;
    files.put(&name(input, JSON), document.into()).await?;
    let page = html::page(input, counts, gathered, accounted);
    files.put(&name(input, HTML), page.into()).await?;
    Ok(name(input, HTML))
}
