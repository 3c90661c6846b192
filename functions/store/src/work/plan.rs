//! Reads and writes frozen plans: whole, in order, and as they were frozen.

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use transload_wire::{ErrorName, Failure, PLAN_VERSION, PlanEnd, PlanHead, PlanLine};

use super::{Lines, WorkBody};
use crate::hex;

/// Reads a plan line by line. What it gives may be acted upon only behind its end.
pub struct PlanReader {
    lines: Lines,
    name: String,
    number: u64,
    hash: Sha256,
    sha256: Option<String>,
}

impl PlanReader {
    /// A plan that is called so where something is wrong with it.
    #[must_use]
    pub fn new(name: &str, body: WorkBody) -> Self {
        let (lines, name) = (Lines::new(name, body), name.to_owned());
        Self { lines, name, number: 0, hash: Sha256::new(), sha256: None }
    }

    /// The first line.
    ///
    /// # Errors
    /// `InputInvalid` for what is no plan, or of another version; the body's own.
    pub async fn head(&mut self) -> Result<PlanHead, Failure> {
        match self.line().await? {
            Some(PlanLine::Plan(head)) if head.version == PLAN_VERSION => Ok(*head),
            Some(PlanLine::Plan(head)) => {
                Err(self.refuse(&format!("plan.version {PLAN_VERSION}"), &head.version.to_string()))
            }
            other => Err(self.refuse("the head of a plan", kind(other.as_ref()))),
        }
    }

    /// The next object; `None` at the end, which agrees with all that stood before it.
    ///
    /// # Errors
    /// `InputInvalid` with the line's number for what is no line of a plan; at the end for a plan that is not as it was frozen;
    /// the body's own.
    pub async fn next(&mut self) -> Result<Option<PlanLine>, Failure> {
        match self.line().await? {
            Some(PlanLine::End(end)) => self.end(end).await.map(|()| None),
            Some(line @ (PlanLine::Copy(_) | PlanLine::Delete(_) | PlanLine::Skip(_))) => Ok(Some(line)),
            other => Err(self.refuse("an object or the end of the plan", kind(other.as_ref()))),
        }
    }

    /// The SHA-256 of the plan, once its end was read.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    async fn line(&mut self) -> Result<Option<PlanLine>, Failure> {
        let Some(line) = self.lines.next().await? else { return Ok(None) };
        self.number += 1;
        let parsed = transload_wire::parse::<PlanLine>(&line)
            .map_err(|failure| failure.at(format!("{}: line {}", self.name, self.number)))?;
        if !matches!(parsed, PlanLine::End(_)) {
            self.hash.update(&line);
            self.hash.update(b"\n");
        }
        Ok(Some(parsed))
    }

    async fn end(&mut self, end: PlanEnd) -> Result<(), Failure> {
        let (lines, sha256) = (self.number - 1, hex(&std::mem::take(&mut self.hash).finalize()));
        if end.sha256 != sha256 {
            return Err(self.altered(&format!("the SHA-256 {} (of its last line)", end.sha256), &sha256));
        }
        if end.lines != lines {
            return Err(self.altered(&format!("{} lines before the last", end.lines), &lines.to_string()));
        }
        if self.lines.next().await?.is_some() {
            return Err(self.altered("nothing behind its last line", "more"));
        }
        self.sha256 = Some(sha256);
        Ok(())
    }

    fn refuse(&self, expected: &str, found: &str) -> Failure {
        let (name, number) = (&self.name, self.number.max(1));
        ErrorName::InputInvalid.because(format!("{name}: line {number}: expected {expected}, found {found}"))
    }

    fn altered(&self, expected: &str, found: &str) -> Failure {
        ErrorName::InputInvalid.because(format!(
            "{}: the plan was altered since it was frozen: expected {expected}, found {found}",
            self.name
        ))
    }
}

fn kind(line: Option<&PlanLine>) -> &'static str {
    match line {
        None => "the end of the file",
        Some(PlanLine::Plan(_)) => "a head",
        Some(PlanLine::Copy(_)) => "an object to copy",
        Some(PlanLine::Delete(_)) => "an object to delete",
        Some(PlanLine::Skip(_)) => "an object that is left out",
        Some(PlanLine::End(_)) => "the end of the plan",
    }
}

/// Freezes a plan.
#[derive(Default)]
pub struct PlanWriter {
    hash: Sha256,
    lines: u64,
}

impl PlanWriter {
    /// A line's bytes.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn line(&mut self, line: &impl Serialize) -> Result<Bytes, Failure> {
        let bytes = json(line)?;
        self.lines(&bytes);
        Ok(bytes)
    }

    /// Takes account of whole lines that were made elsewhere.
    pub fn lines(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    }

    /// The last line, and the SHA-256 that it tells.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn end(self) -> Result<(Bytes, String), Failure> {
        let sha256 = hex(&self.hash.finalize());
        let end = PlanEnd { lines: self.lines, sha256: sha256.clone() };
        Ok((json(&PlanLine::End(end))?, sha256))
    }
}

fn json(line: &impl Serialize) -> Result<Bytes, Failure> {
    let mut bytes = serde_json::to_vec(line)
        .map_err(|error| ErrorName::Internal.because(format!("a line of a plan: {error}")))?;
    bytes.push(b'\n');
    Ok(bytes.into())
}
