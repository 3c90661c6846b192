//! Finds out what a store can do. Each capability is tried by a store that is told to have it, and counts only where its effect
//! was seen: a store may take a header and not heed it.

use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_plan::{ByteRange, Limits, PartNumber};
use transload_wire::{Attributes, Checksum, ChecksumAlgorithm, Etag};

use super::Inspector;
use crate::all_parts;
use crate::digest::{md5, md5_hex};
use crate::s3::{Capabilities, S3Store, read};
use crate::{
    Complete, Condition, Hasher, Head, ObjectRef, PartRef, PutBody, Store, StoreError,
    StoreErrorKind as Kind, StoredRef, Target, UploadRef, Written,
};

/// Bytes of a last part, which may be small.
const LAST: usize = 17;
/// Bytes of what is put whole.
const WHOLE: usize = 1_000;

/// A capability that was tried, and what the store did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Its name, as a location writes it.
    pub capability: &'static str,
    /// Whether the store has it.
    pub has: bool,
    /// What was seen.
    pub told: String,
}

/// What a store can do, as far as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// As a location would have to say it.
    pub capabilities: Capabilities,
    /// How each was found.
    pub trials: Vec<Trial>,
    /// What could not be taken away again.
    pub left: Vec<String>,
}

impl Inspector<'_> {
    /// Tries capabilities on an object of its own, which must not be there before and is not there after. About six parts of
    /// the least length are sent.
    ///
    /// # Errors
    /// If the plainest object or upload fails, or an answer tells nothing of what the store can do.
    pub async fn probe(&self, object: &StoredRef) -> Result<Probed, StoreError> {
        let mut probe = Probe { store: self.0, object, trials: Vec::new() };
        let found = probe.all().await;
        let left = probe.clean_up().await;
        Ok(Probed { capabilities: found?, trials: probe.trials, left })
    }
}

/// What an attempt showed: how it worked, or how it did not.
type Shown = Result<String, String>;

struct Probe<'a> {
    store: &'a S3Store,
    object: &'a StoredRef,
    trials: Vec<Trial>,
}

impl Probe<'_> {
    async fn all(&mut self) -> Result<Capabilities, StoreError> {
        let bare = self.as_if(|_| {});
        let content = pattern(WHOLE);
        let written = bare.put(&self.target(None), body(&content), &Condition::Anything).await?;
        let whole_is_md5 = is_md5(&written.etag, &content);
        let (equal_parts, parts_are_md5) = self.parts(&bare).await?;
        let told = match (whole_is_md5, parts_are_md5) {
            (true, true) => Ok("of objects put whole, of parts, and of objects in parts".to_owned()),
            (true, false) => Err("of objects put whole, but not of parts".to_owned()),
            (false, _) => Err(format!("an object's is {}", written.etag)),
        };
        let etag_md5 = self.tried("etag_md5", told);
        let mut checksums = Vec::new();
        for algorithm in ChecksumAlgorithm::COMBINABLE {
            let shown = self.checksum(algorithm, etag_md5).await?;
            if self.tried(algorithm.as_str(), shown) {
                checksums.push(algorithm);
            }
        }
        let shown = match checksums.first() {
            Some(algorithm) => self.trailers(*algorithm).await?,
            None => Err("there is no checksum that could follow a body".to_owned()),
        };
        let trailers = self.tried("trailers", shown);
        if checksums.is_empty() {
            let shown = self.told_crc().await?;
            if self.tried(ChecksumAlgorithm::Crc64Xz.as_str(), shown) {
                checksums.push(ChecksumAlgorithm::Crc64Xz);
            }
        }
        let shown = self.conditions().await?;
        let conditional_writes = self.tried("conditional_writes", shown);
        let limits = Limits { equal_parts, ..self.store.settings.capabilities.limits };
        Ok(Capabilities { limits, checksums, trailers, conditional_writes, etag_md5 })
    }

    fn tried(&mut self, capability: &'static str, shown: Shown) -> bool {
        let has = shown.is_ok();
        let told = shown.unwrap_or_else(|told| told);
        self.trials.push(Trial { capability, has, told });
        has
    }

    /// The same store, told to have nothing but what `change` says.
    fn as_if(&self, change: impl FnOnce(&mut Capabilities)) -> S3Store {
        let mut settings = self.store.settings.clone();
        settings.capabilities = Capabilities {
            limits: settings.capabilities.limits,
            checksums: Vec::new(),
            trailers: false,
            conditional_writes: false,
            etag_md5: false,
        };
        change(&mut settings.capabilities);
        S3Store::within(settings, self.store.surroundings.clone())
    }

    fn least(&self) -> usize {
        usize::try_from(self.store.settings.capabilities.limits.min_part).unwrap_or(usize::MAX)
    }

    /// Whether parts must have one length, and whether ETags are MD5s.
    async fn parts(&mut self, bare: &S3Store) -> Result<(bool, bool), StoreError> {
        let least = self.least();
        let mut told = None;
        for lengths in [[least + 1, least, LAST], [least, least, LAST]] {
            match self.whole_upload(bare, &lengths, None).await {
                Ok((written, parts, content)) => {
                    self.proven(bare, &content).await?.map_err(|what| malformed(self.object, &what))?;
                    let is_md5 = are_md5(&written.etag, &parts, &content, &lengths);
                    let equal = told.is_some();
                    let told = told.unwrap_or_else(|| "parts may have any lengths".to_owned());
                    self.trials.push(Trial { capability: "limits.equal_parts", has: equal, told });
                    return Ok((equal, is_md5));
                }
                Err(error) if told.is_none() && speaks_of_the_store(&error) => told = Some(error.message),
                Err(error) => return Err(error),
            }
        }
        Err(malformed(self.object, told.as_deref().unwrap_or_default()))
    }

    /// Whether the checksum of a whole object in parts is kept, and a wrong one refused. The whole is proven from its parts: by
    /// their checksums as they are listed, or by their ETags.
    async fn checksum(&self, algorithm: ChecksumAlgorithm, etag_md5: bool) -> Result<Shown, StoreError> {
        let store = self.as_if(|has| has.checksums = vec![algorithm]);
        let (listed, content) = match self.listed_and_completed(&store, algorithm).await {
            Ok(found) => found,
            Err(error) => return refused(error),
        };
        let right = Hasher::sum(algorithm, &content);
        let found = self.head(&store).await?.checksum;
        if found.as_ref() != Some(&right) {
            return Ok(Err(match found {
                Some(found) => format!("an object in parts tells {} {:?}", found.value, found.kind),
                None => "an object in parts tells none".to_owned(),
            }));
        }
        let told =
            listed.iter().all(|part| part.checksum.as_ref().is_some_and(|sum| sum.algorithm == algorithm));
        if !told && !etag_md5 {
            return Ok(Err("kept, but ListParts tells none of a part, and no ETag stands for it".to_owned()));
        }
        let (upload, parts, content) = self.sent(&store, &[LAST], Some(algorithm)).await?;
        let other = Some(Hasher::sum(algorithm, b"other bytes"));
        match self.completed(&store, &upload, parts, content.len(), other, Condition::Anything).await {
            Ok(_) => Ok(Err("kept, but a wrong one is taken".to_owned())),
            Err(error) if speaks_of_the_store(&error) => {
                Ok(Ok("kept over the whole; a wrong one is refused".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the CRC-64/XZ is told of parts, and of objects put whole and in parts.
    async fn told_crc(&self) -> Result<Shown, StoreError> {
        let algorithm = ChecksumAlgorithm::Crc64Xz;
        let store = self.as_if(|has| has.checksums = vec![algorithm]);
        let content = pattern(WHOLE);
        let put = store.put(&self.target(Some(algorithm)), body(&content), &Condition::Anything).await;
        match put {
            Ok(written) if written.checksum == Some(Hasher::sum(algorithm, &content)) => {}
            Ok(written) => return Ok(Err(format!("an object put whole tells {:?}", written.checksum))),
            Err(error) => return refused(error),
        }
        let (_, _, content) = match self.whole_upload(&store, &[self.least(), LAST], Some(algorithm)).await {
            Ok(found) => found,
            Err(error) => return refused(error),
        };
        let found = self.head(&store).await?.checksum;
        Ok(if found == Some(Hasher::sum(algorithm, &content)) {
            Ok("told of parts, and of objects put whole and in parts".to_owned())
        } else {
            Err(format!("told of parts, but an object in parts tells {found:?}"))
        })
    }

    /// An upload in parts: as they were listed before it was completed, and the whole.
    async fn listed_and_completed(
        &self,
        store: &S3Store,
        algorithm: ChecksumAlgorithm,
    ) -> Result<(Vec<PartRef>, Vec<u8>), StoreError> {
        let (upload, parts, content) = self.sent(store, &[self.least(), LAST], Some(algorithm)).await?;
        let listed = all_parts(store, &upload).await?;
        let whole = Some(Hasher::sum(algorithm, &content));
        self.completed(store, &upload, parts, content.len(), whole, Condition::Anything).await?;
        Ok((listed, content))
    }

    /// Whether a body with a trailer arrives without its framing, and with its checksum.
    async fn trailers(&self, algorithm: ChecksumAlgorithm) -> Result<Shown, StoreError> {
        let store = self.as_if(|has| (has.checksums, has.trailers) = (vec![algorithm], true));
        let content = pattern(WHOLE);
        let put = store.put(&self.target(Some(algorithm)), body(&content), &Condition::Anything).await;
        if let Err(error) = put {
            return refused(error);
        }
        if let Err(what) = self.proven(&store, &content).await? {
            return Ok(Err(what));
        }
        if let Some(coding) = self.chunked(&store).await? {
            return Ok(Err(format!("taken, but its framing is kept as Content-Encoding: {coding}")));
        }
        if self.head(&store).await?.checksum != Some(Hasher::sum(algorithm, &content)) {
            return Ok(Err("taken, but the checksum is not kept".to_owned()));
        }
        match self.whole_upload(&store, &[LAST], Some(algorithm)).await {
            Ok((_, _, content)) => {
                Ok(self.proven(&store, &content).await?.map(|()| "of objects and of parts".to_owned()))
            }
            Err(error) => refused(error),
        }
    }

    /// The framing of an upload where the store takes it for the object's own encoding. Facts leave it out, so it is asked for.
    async fn chunked(&self, store: &S3Store) -> Result<Option<String>, StoreError> {
        let answer = read::ask(store, self.object).await?;
        Ok(answer.content_encoding().filter(|coding| coding.contains("aws-chunked")).map(str::to_owned))
    }

    /// Whether conditions of writes and deletions are heeded.
    async fn conditions(&self) -> Result<Shown, StoreError> {
        let store = self.as_if(|has| has.conditional_writes = true);
        let (target, first) = (self.target(None), pattern(WHOLE));
        let bare = self.as_if(|_| {});
        let there = bare.put(&target, body(&first), &Condition::Anything).await?.etag;
        let other: Etag = etag_of_nothing(self.object)?;
        let object = ObjectRef::from(self.object.clone());
        let absent = store.put(&target, body(b"second"), &Condition::Absent).await.map(drop);
        let matches = store.put(&target, body(b"second"), &Condition::Matches(other.clone())).await.map(drop);
        let (upload, parts, content) = self.sent(&store, &[LAST], None).await?;
        let complete =
            self.completed(&store, &upload, parts, content.len(), None, Condition::Absent).await.map(drop);
        let deleted = store.delete_object(&object, &other).await.map(drop);
        for (what, answer) in [
            ("PutObject with If-None-Match", absent),
            ("PutObject with If-Match", matches),
            ("CompleteMultipartUpload with If-None-Match", complete),
            ("DeleteObject with If-Match", deleted),
        ] {
            match answer {
                Err(error) if error.kind == Kind::PreconditionFailed => {}
                Err(error) => return refused(error),
                Ok(()) => return Ok(Err(format!("{what} is taken and not heeded"))),
            }
        }
        if let Err(what) = self.proven(&store, &first).await? {
            return Ok(Err(format!("a refused write had an effect: {what}")));
        }
        match store.put(&target, body(b"third"), &Condition::Matches(there)).await {
            Ok(_) => Ok(Ok("of PutObject, CompleteMultipartUpload and DeleteObject".to_owned())),
            Err(error) => refused(error),
        }
    }

    /// Whether the object is what was sent.
    async fn proven(&self, store: &S3Store, content: &[u8]) -> Result<Result<(), String>, StoreError> {
        let head = self.head(store).await?;
        let total = content.len() as u64;
        if head.size != total {
            return Ok(Err(format!("{total} bytes were sent, and {} are there", head.size)));
        }
        let range = ByteRange { start: 0, len: total };
        let object = ObjectRef::from(self.object.clone());
        let mut read = store.get_range(&object, &head.etag, range, total).await?.body;
        let mut found = Vec::with_capacity(content.len());
        while let Some(bytes) = read.next().await {
            found.extend_from_slice(&bytes?);
        }
        Ok(if found == content { Ok(()) } else { Err("other bytes are there than were sent".to_owned()) })
    }

    async fn head(&self, store: &S3Store) -> Result<Head, StoreError> {
        store.head(&ObjectRef::from(self.object.clone())).await
    }

    fn target(&self, checksum_algorithm: Option<ChecksumAlgorithm>) -> Target {
        Target {
            bucket: self.object.bucket.clone(),
            key: self.object.key.clone(),
            attributes: Attributes::default(),
            encryption: None,
            checksum_algorithm,
        }
    }

    /// An upload with parts of these lengths.
    async fn sent(
        &self,
        store: &S3Store,
        lengths: &[usize],
        algorithm: Option<ChecksumAlgorithm>,
    ) -> Result<(UploadRef, Vec<PartRef>, Vec<u8>), StoreError> {
        let target = self.target(algorithm);
        let created = store.create_upload(&target).await?;
        let upload = created.upload(&target);
        let content = pattern(lengths.iter().sum());
        let (mut parts, mut rest) = (Vec::new(), content.as_slice());
        for (number, length) in (1..).zip(lengths) {
            let (bytes, behind) = rest.split_at(*length);
            rest = behind;
            let number = PartNumber::new(number).map_err(|e| malformed(self.object, &e.to_string()))?;
            let part = store.upload_part(&upload, number, body(bytes)).await?;
            parts.push(PartRef { number, size: *length as u64, etag: part.etag, checksum: part.checksum });
        }
        Ok((upload, parts, content))
    }

    async fn completed(
        &self,
        store: &S3Store,
        upload: &UploadRef,
        parts: Vec<PartRef>,
        size: usize,
        checksum: Option<Checksum>,
        condition: Condition,
    ) -> Result<Written, StoreError> {
        store.complete_upload(upload, &Complete { parts, size: size as u64, checksum, condition }).await
    }

    async fn whole_upload(
        &self,
        store: &S3Store,
        lengths: &[usize],
        algorithm: Option<ChecksumAlgorithm>,
    ) -> Result<(Written, Vec<PartRef>, Vec<u8>), StoreError> {
        let (upload, parts, content) = self.sent(store, lengths, algorithm).await?;
        let checksum = upload.checksum_algorithm.map(|algorithm| Hasher::sum(algorithm, &content));
        let named = parts.clone();
        let written =
            self.completed(store, &upload, named, content.len(), checksum, Condition::Anything).await?;
        Ok((written, parts, content))
    }

    /// Takes away what was made; says what could not be.
    async fn clean_up(&self) -> Vec<String> {
        let (store, object) = (self.as_if(|_| {}), ObjectRef::from(self.object.clone()));
        let mut left = Vec::new();
        match store.list_uploads(&self.object.bucket, self.object.key.as_str(), None).await {
            Ok(listed) => {
                for upload in listed.uploads {
                    let upload = UploadRef {
                        bucket: self.object.bucket.clone(),
                        key: upload.key,
                        id: upload.id,
                        checksum_algorithm: None,
                    };
                    match store.abort_upload(&upload).await {
                        Err(error) if error.kind != Kind::NoSuchUpload => left.push(error.message),
                        _ => {}
                    }
                }
            }
            Err(error) => left.push(format!("uploads of {}: {error}", self.object.key)),
        }
        match store.head(&object).await {
            Ok(head) => match store.delete_object(&object, &head.etag).await {
                Ok(deleted) if deleted.marker.is_some() => {
                    left.push(format!("{object}: its versions, behind a delete marker"));
                }
                Ok(_) => {}
                Err(error) => left.push(error.message),
            },
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::DeleteMarker) => {}
            Err(error) => left.push(error.message),
        }
        left
    }
}

/// A store that refuses what was asked tells of itself; one that could not be reached tells nothing.
fn speaks_of_the_store(error: &StoreError) -> bool {
    !matches!(
        error.kind,
        Kind::NoSuchBucket
            | Kind::Throttled
            | Kind::Unavailable
            | Kind::Connection
            | Kind::Stalled
            | Kind::KeyUnavailable
            | Kind::Body
    )
}

fn refused(error: StoreError) -> Result<Shown, StoreError> {
    if speaks_of_the_store(&error) { Ok(Err(error.message)) } else { Err(error) }
}

fn malformed(object: &StoredRef, what: &str) -> StoreError {
    StoreError::new(Kind::Malformed, format!("{object}: {what}"))
}

fn etag_of_nothing(object: &StoredRef) -> Result<Etag, StoreError> {
    "0123456789abcdef0123456789abcdef".parse().map_err(|_| malformed(object, "no ETag"))
}

/// Bytes that repeat only after 251, so that what is shifted is seen.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect()
}

fn body(bytes: &[u8]) -> PutBody {
    let frames: Vec<_> = bytes.chunks(64 << 10).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
    PutBody { len: bytes.len() as u64, stream: stream::iter(frames).boxed(), md5: None, seen: None }
}

fn is_md5(etag: &Etag, bytes: &[u8]) -> bool {
    etag.as_str() == md5_hex(bytes)
}

/// Of the object and of each part.
fn are_md5(etag: &Etag, parts: &[PartRef], content: &[u8], lengths: &[usize]) -> bool {
    let (mut rest, mut sums) = (content, Vec::new());
    for (part, length) in parts.iter().zip(lengths) {
        let (bytes, behind) = rest.split_at(*length);
        rest = behind;
        if !is_md5(&part.etag, bytes) {
            return false;
        }
        sums.extend_from_slice(&md5(bytes));
    }
    etag.as_str() == format!("{}-{}", md5_hex(&sums), parts.len())
}
