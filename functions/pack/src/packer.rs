//! Goes through the tree, and makes parts of it until all is packed or the call's time is up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use transload_plan::ByteRange;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::sender::{Sender, Sent};
use transload_store::{Store, Until, UploadRef};
use transload_wire::{ErrorName, Failure};

use crate::entries::{Entry, Object, Tree, name};
use crate::header::{END, header, padding};
use crate::squeeze::Squeezer;
use crate::wire::{Begun, Left, Midway};

/// The longest that a call begins new parts: what a worker that dies has to do again.
const CALL: Duration = Duration::from_secs(300);
/// Kept before the deadline for the parts on their way.
const LAST_PARTS: Duration = Duration::from_secs(20);

/// What a call came to.
pub(crate) enum Came {
    /// Not all is packed yet.
    To(Left),
    /// All is, in so many bytes.
    ToTheEnd(Left, u64),
}

/// One call.
pub(crate) struct Packer {
    tree: Tree,
    squeezer: Squeezer,
    sender: Sender<Left>,
    /// Where the packing stands; what is sent is behind it.
    at: Left,
    until: Until,
    /// Where this call began.
    from: Left,
    over: bool,
}

impl Packer {
    /// Takes up what is left.
    ///
    /// # Errors
    /// `InputInvalid` for a `left` that no call gave.
    pub(crate) fn new(
        tree: Tree,
        destination: Arc<dyn Store>,
        begun: &Begun,
        left: Left,
    ) -> Result<Self, Failure> {
        let deadline = tree.deadline;
        let upload = UploadRef::of(&begun.destination, &begun.upload);
        let part = usize::try_from(begun.part_size)
            .map_err(|_| ErrorName::InputInvalid.because("begun.partSize: expected less than 2^64 bytes"))?;
        Ok(Self {
            squeezer: Squeezer::new(begun.format, begun.level, part).map_err(|error| broken(&error))?,
            sender: Sender::new(destination, upload, deadline, sent(&left, begun.part_size))?,
            until: deadline.until(CALL, LAST_PARTS),
            from: left.clone(),
            over: false,
            at: left,
            tree,
        })
    }

    /// Packs.
    ///
    /// # Errors
    /// The source's and the destination's; `SourceChanged` if an object changes of which some is packed; `OutOfTime` if not
    /// one part could be sent.
    pub(crate) async fn run(mut self) -> Result<Came, Failure> {
        self.rest_of_object().await?;
        let mut entries = self.tree.entries(self.at.after.clone());
        while !self.over && self.at.end.is_none() {
            let Some(entry) = self.tree.deadline.bound(entries.try_next()).await?? else {
                self.at.end = Some(0);
                break;
            };
            match entry {
                Entry::LeftOut(key, reason) => {
                    self.at.packed.left_out.add(key.as_str(), &reason);
                    self.at.after = key.as_str().to_owned();
                }
                Entry::Object(object, bytes) => self.pack(object, bytes).await?,
            }
        }
        drop(entries);
        self.end().await
    }

    /// Packs what an earlier call left of an object.
    async fn rest_of_object(&mut self) -> Result<(), Failure> {
        let Some(midway) = self.at.midway.clone() else { return Ok(()) };
        let Midway { key, etag, size, modified, .. } = midway;
        self.rest(Object { key, etag, size, modified }, None).await
    }

    async fn pack(&mut self, object: Object, bytes: Option<Bytes>) -> Result<(), Failure> {
        let Object { key, etag, size, modified } = object.clone();
        self.at.midway = Some(Midway { key, etag, size, modified, at: 0 });
        self.rest(object, bytes).await
    }

    /// Header, bytes and padding of an object, from where its packing stands.
    async fn rest(&mut self, object: Object, bytes: Option<Bytes>) -> Result<(), Failure> {
        let front = header(name(&self.tree.shelf.prefix, object.key.as_str()), object.size, object.modified)?;
        let front = Bytes::from(front);
        let behind = Bytes::from(vec![0; padding(object.size)]);
        let start = front.len() as u64;
        self.feed_from(0, &front).await?;
        match bytes {
            Some(bytes) => self.feed_from(start, &bytes).await?,
            None => self.content(&object, start).await?,
        }
        self.feed_from(start + object.size, &behind).await?;
        if !self.over {
            self.at.midway = None;
            self.at.after = object.key.as_str().to_owned();
            self.at.packed.objects += 1;
            self.at.packed.bytes += object.size;
        }
        Ok(())
    }

    /// The bytes of a large object as they come.
    async fn content(&mut self, object: &Object, start: u64) -> Result<(), Failure> {
        let packed = self.position().saturating_sub(start);
        if self.over || packed >= object.size {
            return Ok(());
        }
        let pinned = PinnedRange {
            object: self.tree.object(&object.key),
            etag: object.etag.clone(),
            range: ByteRange { start: packed, len: object.size - packed },
            total: object.size,
        };
        let (mut stream, _) = pinned_stream(Arc::clone(&self.tree.store), pinned, self.tree.deadline);
        let mut offset = start + packed;
        while !self.over {
            let Some(frame) = stream.next().await else { break };
            let frame = frame.map_err(|failure| failure.at(object.key.as_str()))?;
            self.feed_from(offset, &frame).await?;
            offset += frame.len() as u64;
        }
        Ok(())
    }

    /// Bytes of the present object that are packed.
    fn position(&self) -> u64 {
        self.at.midway.as_ref().map_or(0, |midway| midway.at)
    }

    /// Packs a piece that begins at `offset` of the present object, as far as it is not packed yet.
    async fn feed_from(&mut self, offset: u64, piece: &Bytes) -> Result<(), Failure> {
        let packed = usize::try_from(self.position().saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = piece.slice(packed.min(piece.len())..);
        while !piece.is_empty() && !self.over {
            let taken = self.squeezer.take(&piece).map_err(|error| broken(&error))?;
            if let Some(midway) = &mut self.at.midway {
                midway.at += taken as u64;
            }
            if let Some(end) = &mut self.at.end {
                *end += taken as u64;
            }
            drop(piece.split_to(taken));
            if taken == 0 {
                self.seal().await?;
            }
            // Parts on their way go on meanwhile: nothing else here waits while small objects are packed.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Sends the part that is full, and looks at the clock.
    async fn seal(&mut self) -> Result<(), Failure> {
        let part = self.squeezer.seal(false).map_err(|error| broken(&error))?;
        self.at.parts += 1;
        self.sender.send(part.into(), self.at.clone()).await?;
        self.over = self.until.is_over();
        Ok(())
    }

    /// The end mark and the last part, or what is left.
    async fn end(mut self) -> Result<Came, Failure> {
        if let Some(packed) = self.at.end {
            let zeros = Bytes::from(vec![0; usize::try_from(END.saturating_sub(packed)).unwrap_or(0)]);
            self.feed_from(0, &zeros).await?;
        }
        let whole = self.at.end == Some(END);
        if whole && !self.squeezer.is_empty() {
            let part = self.squeezer.seal(true).map_err(|error| broken(&error))?;
            self.at.parts += 1;
            self.sender.send(part.into(), self.at.clone()).await?;
        }
        let (sent, left) = self.sender.drain().await?;
        let left = Left { checksum: sent.checksum, ..left.unwrap_or(self.from) };
        Ok(if whole { Came::ToTheEnd(left, sent.size) } else { Came::To(left) })
    }
}

/// What earlier calls sent.
fn sent(left: &Left, part_size: u64) -> Sent {
    Sent { parts: left.parts, size: u64::from(left.parts) * part_size, checksum: left.checksum.clone() }
}

/// Encoders that write to memory do not fail.
fn broken(error: &std::io::Error) -> Failure {
    ErrorName::Internal.because(format!("compression: {error}"))
}
