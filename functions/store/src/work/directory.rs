//! Files in a folder, laid out as the engine of one machine lays out its buckets: a folder for each bucket, a file for each
//! object, its name the escaped key with `=` at its end. So a Map of that engine reads what is written here.
//!
//! Calls block: the folder is on this machine, and who writes lists waits for them anyway.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_wire::{ErrorName, Failure};

use super::{WorkBody, WorkFile, WorkFiles, check_name};

/// Longest part of a name in one folder; longer names go on in a folder whose name ends in `+`.
const LONGEST: usize = 200;
/// Bytes of one frame that is read.
const FRAME: usize = 256 << 10;

/// Files in a folder.
#[derive(Debug, Clone)]
pub struct DirectoryFiles {
    root: PathBuf,
    bucket: String,
}

impl DirectoryFiles {
    /// The bucket is a folder of `root`, and made when it is first needed.
    pub fn new(root: impl Into<PathBuf>, bucket: &str) -> Self {
        Self { root: root.into(), bucket: bucket.to_owned() }
    }

    fn folder(&self) -> PathBuf {
        self.root.join(escape(&self.bucket))
    }

    fn path(&self, name: &str) -> Result<PathBuf, Failure> {
        check_name(name)?;
        let (mut path, escaped) = (self.folder(), escape(name));
        let mut rest = escaped.as_str();
        while rest.len() > LONGEST {
            let (head, tail) = rest.split_at(LONGEST);
            path.push(format!("{head}+"));
            rest = tail;
        }
        Ok(path.join(format!("{rest}=")))
    }
}

/// No escaped text has a separator, a dot, `+` or `=`: nothing escapes from the folder.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    ErrorName::WorkDenied.because(format!("{}: {error}", path.display()))
}

/// A file under another name until it is whole: a reader sees all of it or none.
struct Beside {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Beside {
    fn new(path: PathBuf) -> Result<Self, Failure> {
        let beside = path.with_extension("partial");
        let parent = path.parent().unwrap_or(&path);
        fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        let file = File::create(&beside).map_err(|error| failed(&beside, &error))?;
        Ok(Self { path, beside, file })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| failed(&self.beside, &error))
    }

    fn end(self) -> Result<(), Failure> {
        self.file.sync_data().map_err(|error| failed(&self.beside, &error))?;
        fs::rename(&self.beside, &self.path).map_err(|error| failed(&self.path, &error))
    }
}

fn walk(folder: &Path, before: &str, prefix: &str, found: &mut Vec<WorkFile>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let part = entry.file_name().to_string_lossy().into_owned();
        if let Some(head) = part.strip_suffix('+') {
            walk(&entry.path(), &format!("{before}{head}"), prefix, found)?;
        } else if let Some(name) = part.strip_suffix('=').and_then(|end| unescape(&format!("{before}{end}")))
            && name.starts_with(prefix)
        {
            found.push(WorkFile { name, size: entry.metadata()?.len() });
        }
    }
    Ok(())
}

#[async_trait]
impl WorkFiles for DirectoryFiles {
    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure> {
        let mut file = Beside::new(self.path(name)?)?;
        file.write(&bytes)?;
        file.end()
    }

    async fn put_stream(&self, name: &str, mut body: WorkBody) -> Result<u64, Failure> {
        let mut file = Beside::new(self.path(name)?)?;
        let mut len = 0;
        while let Some(frame) = body.next().await {
            let written = match frame {
                Ok(frame) => {
                    len += frame.len() as u64;
                    file.write(&frame)
                }
                Err(failure) => Err(failure),
            };
            if let Err(failure) = written {
                // What is left of it is no file by its name; the first failure is the one to tell.
                drop(fs::remove_file(&file.beside));
                return Err(failure);
            }
        }
        file.end().map(|()| len)
    }

    async fn get(&self, name: &str) -> Result<Option<WorkBody>, Failure> {
        let path = self.path(name)?;
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| failed(&path, &error))?,
        };
        let frames = stream::try_unfold(file, move |mut file| {
            let mut frame = vec![0; FRAME];
            let read = file.read(&mut frame).map_err(|error| failed(&path, &error));
            std::future::ready(read.map(|len| {
                frame.truncate(len);
                (len > 0).then(|| (Bytes::from(frame), file))
            }))
        });
        Ok(Some(frames.boxed()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<WorkFile>, Failure> {
        let (folder, mut found) = (self.folder(), Vec::new());
        walk(&folder, "", prefix, &mut found).map_err(|error| failed(&folder, &error))?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&path, &error)),
            _ => Ok(()),
        }
    }
}
