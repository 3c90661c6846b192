//! Writes a pack: a file after the other, each of a length that is known only at its end.

use std::fs::File;
use std::io::{BufWriter, Error, ErrorKind, Result, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{BLOCK, END, FRAME, LARGEST, header, hex, padding, sha256_of};
use crate::evidence::manifest::Listed;
use crate::evidence::name::rank;

/// A pack that is being written, under another name until it is whole.
pub(crate) struct Writer {
    file: BufWriter<NamedTempFile>,
    at: u64,
    open: Option<(String, u64, Sha256)>,
    listed: Vec<Listed>,
}

impl Writer {
    /// In the folder that the pack will stand in. Its owner alone may read it.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn beside(out: &Path) -> Result<Self> {
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = tempfile::Builder::new()
            .prefix(".evidence-")
            .suffix(".partial")
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        Ok(Self { file: BufWriter::with_capacity(FRAME, file), at: 0, open: None, listed: Vec::new() })
    }

    /// What was written so far.
    pub(crate) fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// Begins a file.
    ///
    /// # Errors
    /// The disk's; a name that none can have, or out of its order.
    pub(crate) fn begin(&mut self, name: &str) -> Result<()> {
        let last = self.listed.last().map(|last| (rank(&last.name), last.name.as_str()));
        if self.open.is_some() || header::header(name, 0).is_none() || last >= Some((rank(name), name)) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{name}: no file can follow by this name"),
            ));
        }
        self.file.write_all(&[0; BLOCK])?;
        self.open = Some((name.to_owned(), 0, Sha256::new()));
        Ok(())
    }

    /// Goes on with it.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some((_, size, digest)) = &mut self.open {
            *size += bytes.len() as u64;
            digest.update(bytes);
        }
        self.file.write_all(bytes)
    }

    /// Ends it: now its header can be written.
    ///
    /// # Errors
    /// The disk's; a file that is too long.
    pub(crate) fn end(&mut self) -> Result<()> {
        let Some((name, size, digest)) = self.open.take() else { return Ok(()) };
        let header = header::header(&name, size).ok_or_else(|| {
            Error::new(
                ErrorKind::FileTooLarge,
                format!("{name}: expected at most {LARGEST} bytes, found {size}"),
            )
        })?;
        self.file.write_all(&vec![0; padding(size)])?;
        self.file.seek(SeekFrom::Start(self.at))?;
        self.file.write_all(&header)?;
        self.at += BLOCK as u64 + size + padding(size) as u64;
        self.file.seek(SeekFrom::Start(self.at))?;
        self.listed.push(Listed { name, size, sha256: hex(digest) });
        Ok(())
    }

    /// A whole file.
    ///
    /// # Errors
    /// As of the others.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.begin(name)?;
        self.write(bytes)?;
        self.end()
    }

    /// Ends the pack and gives it its name: its SHA-256 and its size.
    ///
    /// # Errors
    /// The disk's; [`ErrorKind::AlreadyExists`] if something has the name.
    pub(crate) fn finish(mut self, out: &Path) -> Result<(String, u64)> {
        self.file.write_all(&[0; END])?;
        let mut file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let told = sha256_of(file.as_file())?;
        file.persist_noclobber(out).map_err(|refused| refused.error)?;
        // The name is part of the folder.
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(told)
    }
}
