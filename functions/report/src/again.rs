//! Writes what failed in the last round as the lists of another.

use std::sync::Arc;

use serde::Serialize;
use transload_store::work::WorkFiles;
use transload_wire::{
    Archived, Batch, Delete, ErrorName, Failure, Item, Large, ReportInput, SyncOptions, Todo,
};

use crate::child::{Kind, Object};
use crate::results::Results;
use crate::spool::Spool;

/// Bytes of a line: a child's input has 256 KiB, and its output as much, with the same keys once more.
const LINE: usize = 96 << 10;

/// The prefix of the new lists, and what they hold.
pub(crate) async fn write(
    files: &Arc<dyn WorkFiles>,
    input: &ReportInput,
) -> Result<(String, Todo), Failure> {
    let prefix = format!("{}round-{}/", input.work.prefix, input.rounds.len());
    let Some(last) = input.rounds.last() else { return Ok((prefix, Todo::default())) };
    let [mut batches, mut large, mut deletes] =
        Kind::ALL.map(|kind| List::new(files, &prefix, kind, &input.sync));
    for kind in Kind::ALL {
        let mut results = Results::of(files, input, last, kind).await?;
        while let Some(child) = results.next().await? {
            for (object, archived) in child.failed_objects()? {
                match object {
                    Object::Small(item) if archived && input.sync.archived == Archived::Thaw => {
                        large.add(Object::Large(alone(input, item)?)).await?;
                    }
                    Object::Small(_) => batches.add(object).await?,
                    Object::Large(_) => large.add(object).await?,
                    Object::Doomed(_) => deletes.add(object).await?,
                }
            }
        }
    }
    let todo =
        Todo { batches: batches.end().await?, large: large.end().await?, deletes: deletes.end().await? };
    Ok((prefix, todo))
}

/// An object of a batch as one with an execution of its own, which can wait until it is restored.
fn alone(input: &ReportInput, item: Item) -> Result<Large, Failure> {
    let (from, to) = (&input.request.source.prefix, &input.request.destination.prefix);
    let rest = item.key.as_str().strip_prefix(from.as_str());
    let destination_key = rest.and_then(|rest| format!("{to}{rest}").parse().ok()).ok_or_else(|| {
        ErrorName::Internal
            .because(format!("{}: expected a key below {from:?} that fits below {to:?}", item.key))
    })?;
    let Item { key, size, etag, version_id, replaces } = item;
    Ok(Large { key, destination_key, size, version_id, etag: Some(etag), replaces })
}

/// One list; its file is begun with the first line.
struct List<'a> {
    files: &'a Arc<dyn WorkFiles>,
    name: String,
    sync: &'a SyncOptions,
    file: Option<Spool>,
    batch: Batch,
    delete: Delete,
    /// Bytes of the line that is being gathered, and of its objects.
    gathered: (usize, u64),
    lines: u64,
}

impl<'a> List<'a> {
    fn new(files: &'a Arc<dyn WorkFiles>, prefix: &str, kind: Kind, sync: &'a SyncOptions) -> Self {
        Self {
            files,
            name: format!("{prefix}{}/0001.jsonl", kind.folder()),
            sync,
            file: None,
            batch: Batch { objects: Vec::new() },
            delete: Delete { objects: Vec::new() },
            gathered: (0, 0),
            lines: 0,
        }
    }

    async fn add(&mut self, object: Object) -> Result<(), Failure> {
        match object {
            Object::Large(large) => self.line(&large).await,
            Object::Small(item) => {
                self.make_room(text(&item)?.len(), item.size).await?;
                self.batch.objects.push(item);
                Ok(())
            }
            Object::Doomed(doomed) => {
                self.make_room(text(&doomed)?.len(), 0).await?;
                self.delete.objects.push(doomed);
                Ok(())
            }
        }
    }

    /// Closes the line that is being gathered if one more object would be too many for one worker.
    async fn make_room(&mut self, len: usize, bytes: u64) -> Result<(), Failure> {
        let objects = self.batch.objects.len() + self.delete.objects.len();
        let (line, sum) = (self.gathered.0 + len, self.gathered.1 + bytes);
        let most = usize::try_from(self.sync.batch_objects).unwrap_or(usize::MAX);
        if objects > 0 && (objects >= most || line > LINE || sum > self.sync.batch_bytes) {
            self.close().await?;
        }
        self.gathered = (self.gathered.0 + len + 1, self.gathered.1 + bytes);
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Failure> {
        let batch = Batch { objects: std::mem::take(&mut self.batch.objects) };
        let delete = Delete { objects: std::mem::take(&mut self.delete.objects) };
        self.gathered = (0, 0);
        if !batch.objects.is_empty() {
            self.line(&batch).await?;
        }
        if delete.objects.is_empty() { Ok(()) } else { self.line(&delete).await }
    }

    async fn line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let line = format!("{}\n", text(value)?);
        let (files, name) = (self.files, &self.name);
        let file = self.file.get_or_insert_with(|| Spool::begin(files, name.clone()));
        self.lines += 1;
        file.write(line.as_bytes()).await
    }

    async fn end(mut self) -> Result<u64, Failure> {
        self.close().await?;
        if let Some(file) = self.file.take() {
            file.end().await?;
        }
        Ok(self.lines)
    }
}

fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| ErrorName::Internal.because(format!("a list: {error}")))
}
