//! Rows of an inventory's files as lines of a manifest, as they are read: no more than a slice of a file is in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_plan::inventory::{Known, Row, Standing};
use transload_store::work::WorkBody;
use transload_wire::{ErrorName, Failure, ManifestEntry, ManifestFacts, NameError, Tree};

use super::document::Document;
use super::file::{Next, Reader};
use super::origin::Origin;
use super::tally::Tally;

/// All rows, file by file.
struct Rows {
    origin: Origin,
    document: Document,
    source: Tree,
    tally: Arc<Mutex<Tally>>,
    /// Place of the file that is read.
    at: usize,
    open: Option<Reader>,
    /// Number of the line that was read last in it, from 1.
    line: u64,
}

/// The lines of the manifest. They end with an error, and the tally says why, unless all of the inventory could be read.
pub(super) fn lines(origin: Origin, document: Document, source: Tree, tally: Arc<Mutex<Tally>>) -> WorkBody {
    let rows = Rows { origin, document, source, tally, at: 0, open: None, line: 0 };
    stream::try_unfold(rows, |mut rows| async move { Ok(rows.next().await?.map(|bytes| (bytes, rows))) })
        .boxed()
}

impl Rows {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while let Some(mut reader) = self.reader().await? {
            let written = match reader.next().await? {
                Next::Lines(lines) => {
                    let written = self.convert(&reader.place, &lines);
                    self.open = Some(reader);
                    written
                }
                Next::End(lines) => {
                    let written = self.convert(&reader.place, &lines);
                    // What is wrong with the file comes before what is wrong with its rows.
                    reader.check().map_err(|what| self.invalid(what))?;
                    written
                }
            };
            if !written.is_empty() {
                return Ok(Some(written.into()));
            }
        }
        let checked = self.tally().check();
        checked.map(|()| None).map_err(|what| self.invalid(what))
    }

    /// The file that is being read, or the next one; `None` behind the last.
    async fn reader(&mut self) -> Result<Option<Reader>, Failure> {
        if let Some(reader) = self.open.take() {
            return Ok(Some(reader));
        }
        let Some(file) = self.document.files.get(self.at) else { return Ok(None) };
        let opened = self.origin.file(&self.document.bucket, file).await;
        let reader = opened.map(|opened| Reader::new(file.clone(), opened));
        let reader = reader.map_err(|failure| self.refuse(failure.to_string(), failure))?;
        (self.at, self.line) = (self.at + 1, 0);
        Ok(Some(reader))
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn invalid(&self, what: String) -> Failure {
        let failure = ErrorName::InputInvalid.because(what.clone());
        self.refuse(what, failure)
    }

    fn refuse(&self, what: String, failure: Failure) -> Failure {
        self.tally().refused = Some(what);
        failure
    }

    fn convert(&mut self, place: &str, lines: &[u8]) -> Vec<u8> {
        let Self { document, source, tally, line: number, .. } = self;
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = Vec::new();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            *number += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            tally.rows += 1;
            match entry(document, source, line, &mut tally) {
                Ok(Some(line)) => {
                    tally.objects += 1;
                    written.extend_from_slice(&line);
                }
                Ok(None) => {}
                Err(what) => tally.bad(place, *number, &what),
            }
        }
        written
    }
}

/// The line of the manifest for a row; `None` for one that is left out, and counted.
fn entry(
    document: &Document,
    source: &Tree,
    line: &[u8],
    tally: &mut Tally,
) -> Result<Option<Vec<u8>>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "expected UTF-8".to_owned())?;
    let Row { bucket, key, standing, known } = document.schema.row(text.trim_end_matches('\n'))?;
    if bucket != source.bucket.as_str() {
        return Err(format!("Bucket: expected {} (as sourceBucket), found {bucket:?}", source.bucket));
    }
    let left_out = match standing {
        _ if !key.starts_with(&source.prefix) => Some(&mut tally.outside),
        Standing::Marker => Some(&mut tally.markers),
        Standing::Older => Some(&mut tally.older),
        Standing::Newest => None,
    };
    if let Some(count) = left_out {
        *count += 1;
        return Ok(None);
    }
    let of = |column: &'static str| move |error: NameError| format!("{column}: {error}");
    let facts = known.map(|known| facts(known).map_err(of("ETag"))).transpose()?;
    // No version: what was deleted or replaced since is not to come back.
    let entry = ManifestEntry { key: key.parse().map_err(of("Key"))?, version_id: None, facts };
    entry.write().map(Some).map_err(|failure| failure.message)
}

fn facts(Known { size, etag, modified, class }: Known) -> Result<ManifestFacts, NameError> {
    let storage_class = Some(class).filter(|class| class != "STANDARD");
    Ok(ManifestFacts { size, etag: etag.parse()?, last_modified: modified, storage_class })
}
