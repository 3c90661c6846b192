//! Reads a pack that nobody vouches for. Every byte is compared with what has to stand there, so that no two readers can see
//! different files in it; nothing is unpacked, and memory does not grow with what a header claims.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{BLOCK, END, FRAME, header, hex, padding};
use crate::evidence::name::rank;

/// Files of a pack, at most: a run over 100 million objects writes some 20,000.
const FILES: usize = 100_000;

/// Why this is no pack: where, what was expected, and what was found.
#[derive(Debug)]
pub(crate) struct Bad(pub(crate) String);

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Bad {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A file in a pack.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    at: u64,
}

/// A pack whose container was read to its end.
#[derive(Debug)]
pub(crate) struct Pack {
    file: Arc<File>,
    /// In their order.
    pub(crate) files: Vec<Inside>,
    /// Of all of it.
    pub(crate) sha256: String,
    /// Bytes of all of it.
    pub(crate) size: u64,
}

impl Pack {
    /// Reads all of it once.
    ///
    /// # Errors
    /// [`Bad`] for the first byte that is not as it has to be.
    pub(crate) fn open(path: &Path) -> Result<Self, Bad> {
        // Before it is opened: a pipe would wait for its writer.
        if !path.metadata()?.is_file() {
            return Err(Bad("expected a file, found something else".to_owned()));
        }
        let file = Arc::new(File::open(path)?);
        let whole = file.metadata()?;
        let from = Span { file: Arc::clone(&file), at: 0, left: whole.len() };
        let mut walk = Walk { from: BufReader::with_capacity(FRAME, from), at: 0, all: Sha256::new() };
        let mut files: Vec<Inside> = Vec::new();
        while let Some((name, size)) = walk.header()? {
            let last = files.last().map(|last| (rank(&last.name), last.name.as_str()));
            if rank(&name).is_none() || last >= Some((rank(&name), name.as_str())) || files.len() == FILES {
                return Err(walk.bad(format!("expected the next of a pack's files, found {name}")));
            }
            let at = walk.at;
            let sha256 = walk.content(size)?;
            files.push(Inside { name, size, sha256, at });
        }
        Ok(Self { file, files, size: walk.at, sha256: hex(walk.all) })
    }

    /// A file of it.
    pub(crate) fn find(&self, name: &str) -> Option<&Inside> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The bytes of a file, from its first.
    pub(crate) fn read(&self, inside: &Inside) -> Span {
        Span { file: Arc::clone(&self.file), at: inside.at, left: inside.size }
    }
}

/// A piece of a file that others may read at the same time.
#[derive(Debug)]
pub(crate) struct Span {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Span {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(&mut into[..most], self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Goes through all bytes once.
struct Walk {
    from: BufReader<Span>,
    at: u64,
    all: Sha256,
}

impl Walk {
    fn bad(&self, why: impl fmt::Display) -> Bad {
        Bad(format!("at byte {}: {why}", self.at))
    }

    fn take(&mut self, into: &mut [u8]) -> Result<(), Bad> {
        match self.from.read_exact(into) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.bad("the file ends here: it was cut"))
            }
            other => other.map_err(Bad::from),
        }?;
        self.all.update(&*into);
        Ok(())
    }

    fn zeros(&mut self, count: usize, what: &str) -> Result<(), Bad> {
        let mut block = vec![0; count];
        self.take(&mut block)?;
        if block.iter().any(|byte| *byte != 0) {
            return Err(self.bad(format!("expected {count} zeros {what}, found something else")));
        }
        self.at += count as u64;
        Ok(())
    }

    /// The next file's name and size; `None` at the end.
    fn header(&mut self) -> Result<Option<(String, u64)>, Bad> {
        let mut block = [0; BLOCK];
        self.take(&mut block)?;
        if block == [0; BLOCK] {
            self.at += BLOCK as u64;
            self.zeros(END - BLOCK, "at the end")?;
            if self.from.read(&mut [0])? != 0 {
                return Err(self.bad("expected the end, found more bytes"));
            }
            return Ok(None);
        }
        // Links, folders, devices, other owners and times, names that lead elsewhere: their headers are others.
        let told = header::told(&block).filter(|(name, size)| header::header(name, *size) == Some(block));
        let Some(told) = told else {
            return Err(self.bad("expected the header of a plain file in its one form, found another"));
        };
        self.at += BLOCK as u64;
        Ok(Some(told))
    }

    fn content(&mut self, size: u64) -> Result<String, Bad> {
        let (mut digest, mut left, mut frame) = (Sha256::new(), size, vec![0; FRAME]);
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(FRAME).min(FRAME);
            self.take(&mut frame[..most])?;
            digest.update(&frame[..most]);
            left -= most as u64;
            self.at += most as u64;
        }
        self.zeros(padding(size), "behind a file")?;
        Ok(hex(digest))
    }
}
