//! Sends a whole object in one request, with constant memory.
//!
//! The last frame of the body is let go only when the checksum over all bytes is the source's own, so altered bytes are
//! never committed; an uncertain answer is settled by reading the destination's metadata.

mod body;
mod send;

use std::sync::{Arc, Mutex};

use transload_wire::{Checksum, ChecksumKind, CopyInput, Etag, Failure, Proof, Verify, VersionId};

use crate::rewind::KEPT;
use crate::{Deadline, Head, ObjectBody, ObjectRef, Pace, Stamp, Store, Target, Written, prove};

/// What is taken for success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Token, size and checksum as HEAD tells them.
    ReadBack,
    /// The answer of the PUT, if it tells the checksum (or the MD5) of the very bytes that were sent: only the store that
    /// took them can know it. Else HEAD.
    Answer,
}

/// What sending needs, for every try.
pub struct Whole {
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    target: Target,
    deadline: Deadline,
    input: CopyInput,
    object: ObjectRef,
    /// Behind a lock because a stream can not be shared, and who sends may be.
    opened: Mutex<Option<ObjectBody>>,
    trust: Trust,
    /// Bytes that are kept for another try.
    keep: u64,
    pace: Pace,
}

/// An object that was sent and proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Its ETag.
    pub etag: Etag,
    /// Its version, in a bucket with versions.
    pub version: Option<VersionId>,
    /// Its bytes.
    pub size: u64,
    /// Its checksum, where the store tells it.
    pub checksum: Option<Checksum>,
    /// Whether an uncertain answer was settled by reading.
    pub reconciled: bool,
}

impl Done {
    fn of_head(head: Head, reconciled: bool) -> Self {
        Self { etag: head.etag, version: head.version, size: head.size, checksum: head.checksum, reconciled }
    }

    fn of_answer(written: &Written, size: u64) -> Self {
        let Written { etag, version, checksum } = written.clone();
        Self { etag, version, size, checksum, reconciled: false }
    }
}

impl Whole {
    /// Sends what `input` says; success is read back.
    ///
    /// # Errors
    /// `Unsupported` if the destination could not prove what is written to it.
    pub fn new(
        source: Arc<dyn Store>,
        destination: Arc<dyn Store>,
        deadline: Deadline,
        input: CopyInput,
    ) -> Result<Self, Failure> {
        prove::provable(destination.as_ref(), &input.destination)?;
        let algorithm = prove::algorithm(input.source.checksum.as_ref(), destination.as_ref());
        let stamp = Stamp::new(&input.token, &input.identity, &input.source);
        let target = Target::of(&input.destination, &input.attributes, &input.options, &stamp, algorithm);
        let object = ObjectRef::of_pinned(&input.source);
        let trust = Trust::ReadBack;
        let (opened, keep) = (Mutex::default(), KEPT);
        let pace = Pace::of(input.options.bandwidth);
        Ok(Self { source, destination, target, deadline, input, object, opened, trust, keep, pace })
    }

    /// Takes what the PUT answers for success where it proves something.
    #[must_use]
    pub fn trusting(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Reads this object: the pinned one without its version, where versions may not be read.
    #[must_use]
    pub fn reading(mut self, object: ObjectRef) -> Self {
        self.object = object;
        self
    }

    /// Shares this bandwidth with others, instead of having one of its own.
    #[must_use]
    pub fn paced(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Is one of so many that are sent at a time: what is kept for another try is shared among them.
    #[must_use]
    pub fn one_of(mut self, in_flight: u32) -> Self {
        self.keep = KEPT / u64::from(in_flight.max(1));
        self
    }

    /// Begins with a body that was opened already, at the pinned ETag.
    #[must_use]
    pub fn opened(mut self, body: ObjectBody) -> Self {
        self.opened = Mutex::new(Some(body));
        self
    }

    /// Sends the object until it is proven.
    ///
    /// # Errors
    /// `ChecksumMismatch` if the bytes are not what the source says, twice; `DestinationExists` if another writer was there,
    /// `DestinationChanged` if it was a transfer; the source's and the destination's own.
    pub async fn send(&self) -> Result<Done, Failure> {
        send::send(self).await
    }

    /// The body is compared with the source's whole-object checksum whatever its algorithm; the destination's is compared
    /// with that of the same bytes.
    #[must_use]
    pub fn proof(&self) -> Proof {
        match (&self.input.source.checksum, self.target.checksum_algorithm) {
            (Some(own), _) if own.kind == ChecksumKind::FullObject => Proof::SourceChecksum,
            _ if self.input.options.verify == Verify::ReadBack => Proof::ReadTwice,
            (_, Some(_)) => Proof::TransitChecksum,
            (_, None) => Proof::PartEtags,
        }
    }
}
