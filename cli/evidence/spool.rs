//! Lines that are told while another file of the pack is being written: on disk until their turn comes.

use std::fs::File;
use std::io::{BufWriter, Read, Result, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

use super::archive::Writer;
use super::canonical;

/// Lines of JSON in a file without a name.
pub(crate) struct Spool(BufWriter<File>);

impl Spool {
    /// In the folder that the pack will stand in.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn beside(out: &Path) -> Result<Self> {
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).map(|file| Self(BufWriter::new(file)))
    }

    /// One more line.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn line(&mut self, value: &impl Serialize) -> Result<()> {
        let line = canonical(serde_json::to_value(value)?);
        self.0.write_all(line.as_bytes())?;
        self.0.write_all(b"\n")
    }

    /// Makes a file of the pack of it.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn into(self, writer: &mut Writer, name: &str) -> Result<()> {
        let mut file = self.0.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        writer.begin(name)?;
        let mut frame = vec![0; 256 << 10];
        loop {
            let read = file.read(&mut frame)?;
            if read == 0 {
                return writer.end();
            }
            writer.write(&frame[..read])?;
        }
    }
}
