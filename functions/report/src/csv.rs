//! Rows of the CSV, by RFC 4180.

use std::fmt::Write;

use transload_wire::{ObjectRecord, Outcome};

/// The first row.
pub(crate) const HEADER: &str = "key,outcome,size,etag,duration_ms,error,cause,list,round\r\n";

/// The row of an object: the list that it stood in, and the round that its outcome is of.
pub(crate) fn row(record: &ObjectRecord, list: &str, round: usize) -> String {
    let mut row = String::new();
    let etag = record.etag.as_ref().map_or("", |etag| etag.as_str());
    let (error, cause) = (record.error.as_deref().unwrap_or(""), record.cause.as_deref().unwrap_or(""));
    // Writing into a string can not fail.
    let _ = write!(
        row,
        "{},{},{},{},{},{},{},{list},{round}\r\n",
        field(record.key.as_str()),
        outcome(record.outcome),
        record.size,
        field(etag),
        record.duration_ms,
        field(error),
        field(cause)
    );
    row
}

/// The word of an outcome.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Copied => "copied",
        Outcome::Present => "present",
        Outcome::Skipped => "skipped",
        Outcome::Parked => "parked",
        Outcome::Deleted => "deleted",
        Outcome::Failed => "failed",
    }
}

fn field(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use transload_wire::{ObjectRecord, Outcome};

    use super::row;

    #[test]
    fn what_separates_is_quoted() {
        let record = ObjectRecord {
            key: "a,b\"c\nd".parse().unwrap(),
            outcome: Outcome::Failed,
            size: 3,
            etag: None,
            duration_ms: 12,
            error: Some("Throttled".to_owned()),
            cause: Some("slow, \"down\"".to_owned()),
        };
        let expected = "\"a,b\"\"c\nd\",failed,3,,12,Throttled,\"slow, \"\"down\"\"\",batches,1\r\n";
        assert_eq!(row(&record, "batches", 1), expected);
    }
}
