//! Notes that people leave on an execution: one file each in a directory that all who serve the page share.
//!
//! Readers share a lock and writers have it alone, across processes and machines: the lock is of the file system (NFS and EFS hand
//! it to the server). A note that was answered is on disk; one whose writer died midway is cut off by the next.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::{Refusal, Request};
use crate::{World, ours};

/// Longest note in bytes.
const LONGEST: usize = 4_096;
/// Most notes on an execution: all of them are one answer.
const MOST: usize = 500;

/// Where notes are kept, if anywhere.
#[derive(Debug, Clone, Default)]
pub struct Notes(Option<Arc<Path>>);

impl Notes {
    /// In this directory. It and the one around it are made with the first note; what is around those has to be there, for else
    /// what should be mounted is not.
    #[must_use]
    pub fn in_directory(path: PathBuf) -> Self {
        Self(Some(path.into()))
    }

    /// From a variable's value.
    ///
    /// # Errors
    /// If it is no absolute path.
    pub fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        match text.filter(|text| !text.is_empty()) {
            None => Ok(Self::default()),
            Some(path) if path.starts_with('/') => Ok(Self::in_directory(path.into())),
            Some(other) => Err(Refusal::field("TRANSLOAD_NOTES", "an absolute path", format!("{other:?}"))),
        }
    }

    /// Whether there is a place for them.
    #[must_use]
    pub fn are_kept(&self) -> bool {
        self.0.is_some()
    }

    /// The file of an execution: its name is made of letters, digits, `-` and `_`, or written so.
    fn of(&self, arn: &str) -> Result<PathBuf, Refusal> {
        let Some(directory) = &self.0 else {
            let message = "notes: expected a directory for them (TRANSLOAD_NOTES), found none";
            return Err(Refusal::new(404, "NotConfigured", message));
        };
        let tail = arn.split_once(":execution:").map_or(arn, |(_, tail)| tail);
        Ok(directory.join(format!("{}.jsonl", urlencoding::encode(tail).replace('.', "%2E"))))
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    id: String,
    /// Milliseconds since 1970.
    time: u64,
    text: String,
}

/// A line of the file: what is deleted is written behind, so that nobody who dies midway takes more with him.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Note(Note),
    Gone { gone: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    arn: String,
    text: String,
}

/// All notes on an execution, oldest first.
pub(crate) async fn list(world: &World, request: &Request) -> Result<Value, Refusal> {
    let file = world.notes.of(ours::execution(&world.machines, "arn", request.required("arn")?)?)?;
    let notes = blocking(move || match File::open(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(mut file) => {
            file.lock_shared()?;
            read(&mut file).map(|(notes, _)| notes)
        }
    });
    Ok(json!({"notes": notes.await?}))
}

/// Adds one.
pub(crate) async fn add(world: &World, request: &Request) -> Result<Value, Refusal> {
    let Posted { arn, text } = transload_wire::parse(&request.body)?;
    let file = world.notes.of(ours::execution(&world.machines, "arn", &arn)?)?;
    let text = checked(&text)?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let note = Note { id, time: u64::try_from(time).unwrap_or(u64::MAX), text };
    let written = note.clone();
    let added = blocking(move || append(&file, &written)).await?;
    if added {
        return Ok(json!({"note": note}));
    }
    Err(Refusal::new(
        409,
        "TooManyNotes",
        format!("notes: expected at most {MOST} on an execution, found as many"),
    ))
}

/// Deletes one, or all without an id.
pub(crate) async fn delete(world: &World, request: &Request) -> Result<Value, Refusal> {
    let file = world.notes.of(ours::execution(&world.machines, "arn", request.required("arn")?)?)?;
    let id = request.parameter("id").map(str::to_owned);
    let deleted = blocking(move || match OpenOptions::new().read(true).write(true).open(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
        Ok(mut file) => {
            file.lock()?;
            remove(&mut file, id.as_deref())
        }
    });
    Ok(json!({"deleted": deleted.await?}))
}

fn checked(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let is_plain = |found: char| !found.is_control() || found == '\n' || found == '\t';
    if text.is_empty() || text.len() > LONGEST || !text.chars().all(is_plain) {
        let found = format!("{} bytes", text.len());
        let expected = format!("1 to {LONGEST} bytes of text without control characters");
        return Err(Refusal::field("text", expected, found));
    }
    Ok(text.to_owned())
}

/// What blocks does so on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Refusal::new(500, "Internal", error.to_string()))?;
    done.map_err(|error| Refusal::new(502, "NotesUnavailable", format!("notes: {error}")))
}

/// Every note that is not deleted, and where the last whole line ends.
fn read(file: &mut File) -> io::Result<(Vec<Note>, u64)> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut notes: Vec<Note> = Vec::new();
    for line in bytes[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line).map_err(io::Error::other)? {
            Line::Note(note) => notes.push(note),
            Line::Gone { gone } => notes.retain(|note| note.id != gone),
        }
    }
    Ok((notes, end as u64))
}

/// The directory of a file, and the one around it.
fn make_directory(file: &Path) -> io::Result<()> {
    for directory in file.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    Ok(())
}

/// False: there are too many already.
fn append(path: &Path, note: &Note) -> io::Result<bool> {
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directory(path)?;
            open()?
        }
        opened => opened?,
    };
    file.lock()?;
    let (notes, end) = read(&mut file)?;
    if notes.len() >= MOST {
        return Ok(false);
    }
    write(&mut file, end, &Line::Note(note.clone()))?;
    Ok(true)
}

/// How many were deleted.
fn remove(file: &mut File, id: Option<&str>) -> io::Result<usize> {
    let (notes, end) = read(file)?;
    let gone: Vec<&str> =
        notes.iter().map(|note| note.id.as_str()).filter(|id_| id.is_none_or(|id| id == *id_)).collect();
    if gone.len() == notes.len() {
        file.set_len(0)?;
        file.sync_all()?;
    } else if let [gone] = gone.as_slice() {
        write(file, end, &Line::Gone { gone: (*gone).to_owned() })?;
    }
    Ok(gone.len())
}

/// Writes a line behind the last whole one.
fn write(file: &mut File, end: u64, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
    text.push(b'\n');
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(&text)?;
    file.sync_all()
}
