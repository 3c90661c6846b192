//! Runs a folder of recorded cases and writes one JSON line a run, in the format that the cases' comparison reads:
//! `cargo run --release -p stepfunctions-local --example conformance -- CASES_DIR > actual.jsonl`.
//!
//! A case says when it was recorded; the engine then behaves as the service did at that time where that is known to differ.
//! With `--newest` it always behaves as the newest recordings.
//!
//! Time is virtual: waits, delays and timeouts cost nothing. What cannot be read or run has a line on the standard error
//! stream and none here; the others run all the same.
mod runner;

use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

type Failed = Box<dyn std::error::Error + Send + Sync>;

// One thread: an engine's own work is then done before anybody finds it idle and lets time jump.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let newest = arguments.iter().any(|a| a == "--newest");
    let folder = arguments.iter().find(|a| !a.starts_with("--")).ok_or("usage: conformance CASES_DIR")?;
    for file in files(folder)? {
        match read(&file) {
            Ok(case) => put(runner::run(case, newest).await)?,
            Err(error) => eprintln!("not read: {} ({error})", file.display()),
        }
    }
    Ok(())
}

fn files(folder: &str) -> Result<Vec<PathBuf>, std::io::Error> {
    let entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    Ok(files)
}

/// A case. Its id is also the file's name.
fn read(file: &Path) -> Result<Value, Failed> {
    let mut case: Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let named = case["id"].is_string();
    let fields = case.as_object_mut().ok_or("no JSON object")?;
    if let (false, Some(name)) = (named, file.file_stem()) {
        fields.insert("id".to_owned(), json!(name.to_string_lossy()));
    }
    Ok(case)
}

fn put(done: runner::Done) -> Result<(), std::io::Error> {
    let mut out = std::io::stdout().lock();
    for line in done.lines {
        writeln!(out, "{line}")?;
    }
    if let Some(trouble) = done.trouble {
        eprintln!("not run: {trouble}");
    }
    out.flush()
}
