//! Goes through the archive, and writes what it holds until all is written or the call's time is up.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use transload_plan::{ByteRange, Facts, Filter};
use transload_store::in_order::InOrder;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::sender::{Sender, Sent};
use transload_store::{Deadline, ObjectRef, Side, Store, Until, UploadRef, failure_of, fingerprint, prove};
use transload_wire::{Checksum, ChecksumKind, Destination, ErrorName, Failure, Token, Upload};

use crate::inflate::{Begin, Inflater};
use crate::place::{Became, InParts, Place};
use crate::untar::{Entry, Event, Kind, Untar};
use crate::wire::{Archive, Left, Midway, UnpackRequest, destination};

/// Files up to this many bytes are held and written in one request, so many at a time.
const SMALL: u64 = 4 << 20;
const AT_A_TIME: usize = 8;
/// Bytes of a part where nobody asks for others, and the largest: a worker holds three.
const PART: u64 = 16 << 20;
const LARGEST: u64 = 512 << 20;
/// The longest that a call begins new work: what a worker that dies has to do again.
const CALL: Duration = Duration::from_secs(300);
/// Kept before the deadline for what is under way.
const LAST: Duration = Duration::from_secs(20);

/// What a call came to.
pub(crate) enum Came {
    /// Not all is written yet.
    To(Left),
    /// All is.
    ToTheEnd(Left),
}

/// Where to begin again.
#[derive(Debug, Clone, Copy)]
struct Mark {
    begin: Begin,
    skip: u64,
}

/// What is done with the bytes that come.
enum Doing {
    Nothing,
    Skip(String, &'static str),
    Hold(Box<Place>, BytesMut),
    Send(Box<Sending>),
}

/// A file that goes in parts.
struct Sending {
    place: Place,
    midway: Midway,
    sender: Sender<Mark>,
    part: BytesMut,
}

impl Sending {
    /// Sends what is left, and joins the parts.
    async fn finish(&mut self, mark: Mark) -> Result<Became, Failure> {
        if !self.part.is_empty() {
            self.sender.send(self.part.split().freeze(), mark).await?;
        }
        let (sent, _) = self.sender.drain().await?;
        let upload = UploadRef::of(&self.midway.destination, &self.midway.upload);
        let checksum = upload.checksum_algorithm.zip(sent.checksum);
        let checksum =
            checksum.map(|(algorithm, value)| Checksum { algorithm, value, kind: ChecksumKind::FullObject });
        let file = InParts { checksum, ..self.file() };
        self.place.complete(&upload, &file, self.midway.replaces.as_ref()).await
    }

    /// What has to arrive, as far as it is known before all is sent.
    fn file(&self) -> InParts {
        InParts { size: self.midway.size, part_size: self.midway.part_size, checksum: None }
    }
}

pub(crate) struct Unpacker<'a> {
    request: &'a UnpackRequest,
    archive: &'a Archive,
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    filter: Filter,
    deadline: Deadline,
    until: Until,
    inflater: Inflater,
    untar: Untar,
    begins: VecDeque<Begin>,
    /// Unpacked bytes that were seen to before.
    skip: u64,
    doing: Doing,
    writes: InOrder<(Became, u64), Mark>,
    done: Left,
    over: bool,
}

impl<'a> Unpacker<'a> {
    /// Takes up what is left.
    ///
    /// # Errors
    /// `InputInvalid` for a `left` that no call gave.
    pub(crate) fn new(
        request: &'a UnpackRequest,
        archive: &'a Archive,
        (source, destination): (Arc<dyn Store>, Arc<dyn Store>),
        filter: Filter,
        deadline: Deadline,
        left: Left,
    ) -> Result<Self, Failure> {
        let begin = Begin { at: left.at, before: left.before };
        let inflater = Inflater::new(archive.format, begin)
            .map_err(|error| ErrorName::Internal.because(format!("decompression: {error}")))?;
        let here = left.before + left.skip;
        let untar = match &left.midway {
            Some(midway) => Untar::within(here, midway.size - midway.sent(), midway.size),
            None => Untar::at_header(here),
        };
        let mut unpacker = Self {
            request,
            archive,
            source,
            destination,
            filter,
            deadline,
            until: deadline.until(CALL, LAST),
            inflater,
            untar,
            begins: VecDeque::from([begin]),
            skip: left.skip,
            doing: Doing::Nothing,
            writes: InOrder::of(AT_A_TIME),
            done: left,
            over: false,
        };
        if let Some(midway) = unpacker.done.midway.clone() {
            unpacker.doing = Doing::Send(Box::new(unpacker.sending(midway)?));
        }
        Ok(unpacker)
    }

    /// Unpacks.
    ///
    /// # Errors
    /// `SourceBroken` for what is no archive, or was cut or altered; the source's and the destination's own.
    pub(crate) async fn run(mut self) -> Result<Came, Failure> {
        let size = self.archive.source.size;
        let at = self.done.at;
        let pinned = PinnedRange {
            object: ObjectRef::of_pinned(&self.archive.source),
            etag: self.archive.source.etag.clone(),
            range: ByteRange { start: at, len: size.saturating_sub(at) },
            total: size,
        };
        let (mut stream, _) = pinned_stream(Arc::clone(&self.source), pinned, self.deadline);
        while !self.over {
            let Some(frame) = stream.next().await else { return self.ended().await };
            self.inflate(frame?).await?;
        }
        drop(stream);
        self.settle_all().await?;
        Ok(Came::To(self.done))
    }

    async fn inflate(&mut self, mut input: Bytes) -> Result<(), Failure> {
        loop {
            let mut given =
                self.inflater.take(&mut input).map_err(|error| self.broken(&error.to_string()))?;
            let begin = self.inflater.begin();
            if self.begins.back() != Some(&begin) {
                self.begins.push_back(begin);
            }
            if given.is_empty() && input.is_empty() {
                return Ok(());
            }
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(given.len());
            given.advance(skipped);
            self.skip -= skipped as u64;
            while let Some(event) = self.untar.take(&mut given).map_err(|bad| self.broken(&bad.0))? {
                self.event(event).await?;
                if self.over {
                    return Ok(());
                }
            }
            // Writes under way go on meanwhile.
            tokio::task::yield_now().await;
        }
    }

    async fn event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Entry(entry) => self.begin(entry).await,
            Event::Content(bytes) => self.content(&bytes).await,
            Event::Ended => self.end().await,
            Event::Over => Ok(()),
        }
    }

    /// Decides what is done with an entry.
    async fn begin(&mut self, entry: Entry) -> Result<(), Failure> {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        self.doing = match self.target(&entry, &name) {
            Err(reason) => Doing::Skip(name, reason),
            Ok(to) => {
                let token = self.token(&entry, &to)?;
                let (options, archive) = (&self.request.options, &self.archive.source);
                let place = Place::new(&self.destination, to, options, token, archive, self.deadline);
                if entry.size <= SMALL {
                    Doing::Hold(Box::new(place), BytesMut::new())
                } else {
                    return self.open(place, entry.size).await;
                }
            }
        };
        Ok(())
    }

    /// Where an entry goes, or why nowhere.
    fn target(&self, entry: &Entry, name: &str) -> Result<Destination, &'static str> {
        match entry.kind {
            Kind::File => {}
            Kind::Directory => return Err("directory"),
            Kind::SymbolicLink => return Err("symbolicLink"),
            Kind::HardLink => return Err("hardLink"),
            Kind::Sparse => return Err("sparseFile"),
            Kind::Special => return Err("specialFile"),
        }
        if std::str::from_utf8(&entry.name).is_err() {
            return Err("nameNotUtf8");
        }
        // What `tar -c .` writes.
        let name = name.strip_prefix("./").unwrap_or(name);
        let plain = !name.contains('\0') && name.split('/').all(|piece| !matches!(piece, "" | "." | ".."));
        let to = destination(&self.request.destination, name)
            .filter(|to| plain && self.destination.takes(&to.key));
        let to = to.ok_or("keyUnusable")?;
        let facts = Facts {
            bucket: self.request.destination.bucket.as_str(),
            key: to.key.as_str(),
            relative: name,
            size: entry.size,
            modified: "",
            class: "STANDARD",
        };
        self.filter.judge(&facts).map_or(Ok(to), |reason| Err(reason.as_str()))
    }

    /// The same for the same entry of the same archive, whichever call writes it.
    fn token(&self, entry: &Entry, to: &Destination) -> Result<Token, Failure> {
        let source = &self.archive.source;
        let place = source.object.to_string();
        let text = fingerprint::<16>(&[
            "unpack",
            &place,
            source.etag.as_str(),
            &entry.at.to_string(),
            &to.to_string(),
        ]);
        text.parse().map_err(|error| ErrorName::Internal.because(format!("token: {error}")))
    }

    /// Creates the upload of a large file, and ends the call: whoever has to clean up finds the upload in the history.
    async fn open(&mut self, place: Place, size: u64) -> Result<(), Failure> {
        self.settle_all().await?;
        let mark = self.mark();
        let part_size = self.part_size(size)?;
        let replaces = match place.before(&InParts { size, part_size, checksum: None }).await? {
            Ok(replaces) => replaces,
            Err(became) => {
                self.doing = Doing::Nothing;
                self.note(&became, size);
                return Ok(());
            }
        };
        prove::provable(place.store.as_ref(), &place.destination)?;
        let created = self.deadline.bound(place.store.create_upload(&place.target)).await?;
        let created = created
            .map_err(|error| failure_of(error, Side::Destination).at(place.destination.key.as_str()))?;
        let upload = Upload { upload_id: created.id, checksum_algorithm: created.checksum_algorithm };
        let Place { destination, token, .. } = place;
        self.reach(mark);
        self.done.midway =
            Some(Midway { destination, size, upload, token, replaces, part_size, parts: 0, checksum: None });
        self.over = true;
        Ok(())
    }

    /// Bytes of a part, grown to what the file needs.
    fn part_size(&self, size: u64) -> Result<u64, Failure> {
        let limits = self.destination.limits();
        let wish = self.request.options.part_size.unwrap_or_else(|| PART.max(limits.default_part));
        let needed = size.div_ceil(u64::from(limits.max_parts)).next_multiple_of(1 << 20);
        let (least, most) = (limits.min_part.max(1 << 20), limits.max_part.min(LARGEST));
        let part = wish.max(needed);
        if (least..=most).contains(&part) {
            return Ok(part);
        }
        Err(ErrorName::PlanInvalid.because(format!(
            "options.partSize: expected {least} to {most} bytes for a file of {size}, found {part}"
        )))
    }

    fn sending(&self, midway: Midway) -> Result<Sending, Failure> {
        let (options, archive) = (&self.request.options, &self.archive.source);
        let (to, token) = (midway.destination.clone(), midway.token.clone());
        let place = Place::new(&self.destination, to, options, token, archive, self.deadline);
        let upload = UploadRef::of(&midway.destination, &midway.upload);
        let sent = Sent { parts: midway.parts, size: midway.sent(), checksum: midway.checksum.clone() };
        let sender = Sender::new(Arc::clone(&self.destination), upload, self.deadline, sent)?;
        Ok(Sending { place, midway, sender, part: BytesMut::new() })
    }

    async fn content(&mut self, bytes: &Bytes) -> Result<(), Failure> {
        match &mut self.doing {
            Doing::Nothing | Doing::Skip(..) => {}
            Doing::Hold(_, held) => held.extend_from_slice(bytes),
            Doing::Send(_) => return self.send(bytes.clone()).await,
        }
        Ok(())
    }

    /// Fills parts; each that is full is sent, and the clock looked at.
    async fn send(&mut self, mut bytes: Bytes) -> Result<(), Failure> {
        while !bytes.is_empty() {
            // Where the next part begins: what of this piece is left stands in front of what was read.
            let rest = bytes.len();
            let Doing::Send(sending) = &mut self.doing else { return Ok(()) };
            let missing =
                usize::try_from(sending.midway.part_size).unwrap_or(usize::MAX) - sending.part.len();
            let piece = bytes.split_to(missing.min(rest));
            sending.part.extend_from_slice(&piece);
            if sending.part.len() as u64 == sending.midway.part_size {
                let part = sending.part.split().freeze();
                let mark = mark_at(&mut self.begins, self.untar.position() - bytes.len() as u64);
                if let Err(failure) = sending.sender.send(part, mark).await {
                    return self.stands(failure).await;
                }
                if self.until.is_over() {
                    return self.break_off().await;
                }
            }
        }
        Ok(())
    }

    /// Ends the call within a file.
    async fn break_off(&mut self) -> Result<(), Failure> {
        self.over = true;
        let Doing::Send(sending) = &mut self.doing else { return Ok(()) };
        let (sent, mark) = match sending.sender.drain().await {
            Ok(drained) => drained,
            Err(failure) => {
                self.over = false;
                return self.stands(failure).await;
            }
        };
        let mut midway = sending.midway.clone();
        (midway.parts, midway.checksum) = (sent.parts, sent.checksum);
        self.done.midway = Some(midway);
        if let Some(mark) = mark {
            self.reach(mark);
        }
        Ok(())
    }

    /// The upload is gone: a worker that was given up may have completed it. Then the rest of the file is only passed over.
    async fn stands(&mut self, failure: Failure) -> Result<(), Failure> {
        let doing = std::mem::replace(&mut self.doing, Doing::Nothing);
        let Doing::Send(sending) = doing else { return Err(failure) };
        if failure.name != ErrorName::UploadGone {
            return Err(failure);
        }
        let Err(became) = sending.place.before(&sending.file()).await? else { return Err(failure) };
        self.note(&became, sending.midway.size);
        self.done.midway = None;
        Ok(())
    }

    /// The end of an entry.
    async fn end(&mut self) -> Result<(), Failure> {
        let mark = self.mark();
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Nothing => {
                self.settle_all().await?;
                self.reach(mark);
            }
            Doing::Skip(name, reason) => {
                self.writes.begin(async move { Ok((Became::LeftOut(name, reason), 0)) }, mark);
            }
            Doing::Hold(place, held) => {
                let bytes = held.freeze();
                let size = bytes.len() as u64;
                self.writes.begin(async move { Ok((place.put(bytes).await?, size)) }, mark);
            }
            Doing::Send(mut sending) => {
                match sending.finish(mark).await {
                    Ok(became) => {
                        self.note(&became, sending.midway.size);
                        self.done.midway = None;
                    }
                    Err(failure) => {
                        self.doing = Doing::Send(sending);
                        self.stands(failure).await?;
                    }
                }
                self.reach(mark);
            }
        }
        while self.writes.is_full() {
            self.settle().await?;
        }
        self.over = self.until.is_over();
        Ok(())
    }

    /// The archive has no more bytes.
    async fn ended(mut self) -> Result<Came, Failure> {
        self.settle_all().await?;
        if !self.untar.is_over() || !self.inflater.is_between() {
            return Err(self.broken("expected its end mark, found its end: it was cut"));
        }
        Ok(Came::ToTheEnd(self.done))
    }

    async fn settle_all(&mut self) -> Result<(), Failure> {
        while self.settle().await? {}
        Ok(())
    }

    async fn settle(&mut self) -> Result<bool, Failure> {
        let Some(((became, size), mark)) = self.writes.next().await? else { return Ok(false) };
        self.note(&became, size);
        self.reach(mark);
        Ok(true)
    }

    fn note(&mut self, became: &Became, size: u64) {
        let unpacked = &mut self.done.unpacked;
        match became {
            Became::Written => {
                unpacked.objects += 1;
                unpacked.bytes += size;
            }
            Became::Present => unpacked.present += 1,
            Became::LeftOut(name, reason) => unpacked.left_out.add(name, reason),
        }
    }

    fn reach(&mut self, mark: Mark) {
        (self.done.at, self.done.before, self.done.skip) = (mark.begin.at, mark.begin.before, mark.skip);
    }

    fn mark(&mut self) -> Mark {
        mark_at(&mut self.begins, self.untar.position())
    }

    fn broken(&self, why: &str) -> Failure {
        ErrorName::SourceBroken.because(format!("{}: {why}", self.archive.source.object))
    }
}

/// The last place to begin at in front of an unpacked byte. Those before it are not needed any more, for marks only move on.
fn mark_at(begins: &mut VecDeque<Begin>, position: u64) -> Mark {
    while begins.get(1).is_some_and(|next| next.before <= position) {
        begins.pop_front();
    }
    let begin = begins.front().copied().unwrap_or(Begin { at: 0, before: 0 });
    Mark { begin, skip: position.saturating_sub(begin.before) }
}
