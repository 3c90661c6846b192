//! One file as an object: what stands there already, the write, and the proof that it is what was sent.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use transload_store::prove::{self, Evidence, Expected, Standing};
use transload_store::tap::{Wanted, tap};
use transload_store::{
    Backoff, Complete, Condition, Deadline, Hasher, Side, Stamp, Store, StoreError, StoreErrorKind as Kind,
    Target, UploadRef, all_parts, failure_of,
};
use transload_wire::{
    Attributes, Checksum, Destination, ErrorName, Etag, Failure, Options, Overwrite, Pinned, Token,
};

/// Tries of one write.
const TRIES: u32 = 5;

/// Where a file goes.
#[derive(Clone)]
pub(crate) struct Place {
    pub store: Arc<dyn Store>,
    pub destination: Destination,
    pub options: Options,
    pub token: Token,
    pub target: Target,
    pub deadline: Deadline,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Became {
    Written,
    /// It was there already, or what is there must not be replaced.
    Present,
    LeftOut(String, &'static str),
}

/// A file that goes in parts, as it has to arrive.
#[derive(Debug, Clone)]
pub(crate) struct InParts {
    pub size: u64,
    pub part_size: u64,
    /// Of all parts together, where the upload has one.
    pub checksum: Option<Checksum>,
}

impl InParts {
    fn expected(&self, token: &Token) -> Expected {
        let parts = u32::try_from(self.size.div_ceil(self.part_size.max(1))).unwrap_or(u32::MAX);
        let sum = self.checksum.clone().map(Evidence::Checksum);
        let evidence = sum.into_iter().chain([Evidence::Accepted { parts }]).collect();
        Expected { token: token.clone(), size: self.size, evidence }
    }
}

/// Whether to write, and over what.
enum Stands {
    Done(Became),
    Write(Condition),
}

impl Place {
    pub(crate) fn new(
        store: &Arc<dyn Store>,
        destination: Destination,
        options: &Options,
        token: Token,
        archive: &Pinned,
        deadline: Deadline,
    ) -> Self {
        let attributes = Attributes {
            metadata: options.metadata.clone().unwrap_or_default(),
            tags: options.tags.clone().unwrap_or_default(),
            storage_class: options.storage_class.clone(),
            ..Attributes::default()
        };
        let stamp = Stamp::new(&token, &token, archive);
        let algorithm = prove::algorithm(None, store.as_ref());
        let target = Target::of(&destination, &attributes, options, &stamp, algorithm);
        Self { store: Arc::clone(store), destination, options: options.clone(), token, target, deadline }
    }

    /// Writes a file that is at hand.
    ///
    /// # Errors
    /// The destination's own; `DestinationExists` if another writer is faster again and again.
    pub(crate) async fn put(&self, bytes: Bytes) -> Result<Became, Failure> {
        let expected = self.expected_of(&bytes);
        // Mostly nothing is there: the write itself finds out, without a look before it.
        let mut condition = match self.options.overwrite {
            Overwrite::Always => Condition::Anything,
            Overwrite::IfDifferent | Overwrite::Never => Condition::Absent,
        };
        if !self.store.conditional_writes() {
            match self.look(&expected).await? {
                Stands::Done(became) => return Ok(became),
                Stands::Write(_) => condition = Condition::Anything,
            }
        }
        let mut backoff = Backoff::of_tries(TRIES);
        loop {
            let failure = match self.put_once(&bytes, &condition, &expected).await? {
                Ok(became) => return Ok(became),
                Err((failure, next)) => {
                    condition = next.unwrap_or(condition);
                    failure
                }
            };
            if failure.name == ErrorName::Throttled {
                backoff.slow_down();
            }
            if !backoff.pause(&self.deadline).await {
                return Err(failure.at(self.destination.key.as_str()));
            }
        }
    }

    /// What came of one try, or why another may be worth it, and on which condition.
    async fn put_once(
        &self,
        bytes: &Bytes,
        condition: &Condition,
        expected: &Expected,
    ) -> Result<Result<Became, (Failure, Option<Condition>)>, Failure> {
        let (store, body) = (self.store.as_ref(), bytes.clone());
        let wanted = self.wanted();
        let frames = stream::once(async move { Ok(body) }).boxed();
        let (body, _) = tap(frames, bytes.len() as u64, &wanted, self.destination.to_string())?;
        let error = match self.deadline.bound(store.put(&self.target, body, condition)).await? {
            Ok(written) => {
                if prove::answers(store, &written, expected) {
                    return Ok(Ok(Became::Written));
                }
                return Ok(
                    match prove::confirm(store, &self.destination, &written, expected, &self.deadline).await?
                    {
                        Standing::Proven(_) => Ok(Became::Written),
                        Standing::Broken(head, failure) => {
                            Err((failure, Some(Condition::Matches(head.etag))))
                        }
                        Standing::Another(head) => {
                            return Err(prove::exists(
                                &self.destination,
                                &self.options,
                                &Condition::Anything,
                                Some(&head),
                            ));
                        }
                        Standing::Nothing => {
                            return Err(prove::exists(
                                &self.destination,
                                &self.options,
                                &Condition::Anything,
                                None,
                            ));
                        }
                    },
                );
            }
            Err(error) => error,
        };
        let moved = matches!(error.kind, Kind::PreconditionFailed | Kind::NotFound | Kind::Conflict);
        if !moved && !error.is_transient() {
            return Err(failure_of(error, Side::Destination).at(self.destination.key.as_str()));
        }
        // An answer that was lost, or something that stands there.
        let failure = failure_of(error, Side::Destination);
        match self.look(expected).await? {
            Stands::Done(_) if !moved => Ok(Ok(Became::Written)),
            Stands::Done(became) => Ok(Ok(became)),
            Stands::Write(next) => Ok(Err((failure, moved.then_some(next)))),
        }
    }

    /// What stands there, and what follows.
    async fn look(&self, expected: &Expected) -> Result<Stands, Failure> {
        let looked = prove::read_back(self.store.as_ref(), &self.destination, None, expected);
        let standing =
            self.deadline.bound(looked).await?.map_err(|error| failure_of(error, Side::Destination))?;
        Ok(match standing {
            Standing::Proven(_) => Stands::Done(Became::Present),
            Standing::Nothing => Stands::Write(Condition::Absent),
            Standing::Broken(head, _) => Stands::Write(Condition::Matches(head.etag)),
            Standing::Another(head) => match self.options.overwrite {
                Overwrite::Never => Stands::Done(Became::Present),
                Overwrite::IfDifferent => Stands::Write(Condition::Matches(head.etag)),
                Overwrite::Always => Stands::Write(Condition::Anything),
            },
        })
    }

    fn wanted(&self) -> Wanted {
        let algorithms: Vec<_> = self.target.checksum_algorithm.into_iter().collect();
        Wanted { md5: algorithms.is_empty() && self.store.etags_are_md5(), algorithms, expected: None }
    }

    fn expected_of(&self, bytes: &[u8]) -> Expected {
        let sum =
            self.target.checksum_algorithm.map(|algorithm| Evidence::Checksum(Hasher::sum(algorithm, bytes)));
        let etag = || transload_store::md5_etag(bytes).map(Evidence::Etag);
        let evidence = sum.or_else(|| self.store.etags_are_md5().then(etag).flatten());
        Expected {
            token: self.token.clone(),
            size: bytes.len() as u64,
            evidence: evidence.into_iter().collect(),
        }
    }

    /// Whether a file that is too large to be held is to be sent, and over what: the ETag that it replaces.
    ///
    /// # Errors
    /// The destination's own.
    pub(crate) async fn before(&self, file: &InParts) -> Result<Result<Option<Etag>, Became>, Failure> {
        Ok(match self.look(&file.expected(&self.token)).await? {
            Stands::Done(became) => Err(became),
            Stands::Write(Condition::Matches(etag)) => Ok(Some(etag)),
            Stands::Write(_) => Ok(None),
        })
    }

    /// Joins the parts of a file, and proves it.
    ///
    /// # Errors
    /// `PartsMissing`, `ChecksumMismatch`, `UploadGone`; `DestinationExists` if another writer was there; the destination's own.
    pub(crate) async fn complete(
        &self,
        upload: &UploadRef,
        file: &InParts,
        replaces: Option<&Etag>,
    ) -> Result<Became, Failure> {
        let mut backoff = Backoff::of_tries(TRIES);
        loop {
            let failure = match self.complete_once(upload, file, replaces).await {
                Ok(became) => return Ok(became),
                Err(failure) => failure,
            };
            if !failure.is_transient() || !backoff.pause(&self.deadline).await {
                return Err(failure.at(self.destination.key.as_str()));
            }
        }
    }

    async fn complete_once(
        &self,
        upload: &UploadRef,
        file: &InParts,
        replaces: Option<&Etag>,
    ) -> Result<Became, Failure> {
        let store = self.store.as_ref();
        let parts = match self.deadline.bound(all_parts(store, upload)).await? {
            Ok(parts) => parts,
            Err(error) => return self.settle(error, file).await,
        };
        let found: u64 = parts.iter().map(|part| part.size).sum();
        if found != file.size {
            return Err(ErrorName::PartsMissing
                .because(format!("{upload}: expected {} bytes in parts, found {found}", file.size)));
        }
        let condition = if store.conditional_writes() {
            prove::condition(&self.options, replaces)
        } else {
            let condition = prove::condition(&self.options, replaces);
            prove::guard(store, &self.destination, &self.options, &condition, &self.token).await?;
            Condition::Anything
        };
        let complete = Complete { parts, size: file.size, checksum: file.checksum.clone(), condition };
        let expected = file.expected(&self.token);
        match self.deadline.bound(store.complete_upload(upload, &complete)).await? {
            Ok(written) => {
                let standing =
                    prove::confirm(store, &self.destination, &written, &expected, &self.deadline).await?;
                match standing {
                    Standing::Proven(_) => Ok(Became::Written),
                    Standing::Broken(_, failure) => Err(failure),
                    Standing::Another(head) => Err(prove::exists(
                        &self.destination,
                        &self.options,
                        &Condition::Anything,
                        Some(&head),
                    )),
                    Standing::Nothing => {
                        Err(prove::exists(&self.destination, &self.options, &Condition::Anything, None))
                    }
                }
            }
            Err(error) => self.settle(error, file).await,
        }
    }

    /// A failed call may have taken effect.
    async fn settle(&self, error: StoreError, file: &InParts) -> Result<Became, Failure> {
        let expected = file.expected(&self.token);
        match prove::read_back(self.store.as_ref(), &self.destination, None, &expected).await {
            Ok(Standing::Proven(_)) => Ok(Became::Written),
            Ok(Standing::Another(head)) if error.kind == Kind::PreconditionFailed => {
                Err(prove::exists(&self.destination, &self.options, &Condition::Absent, Some(&head)))
            }
            _ if error.kind == Kind::Corrupted => {
                Err(ErrorName::ChecksumMismatch.because(error.to_string()).caused_by(error))
            }
            _ => Err(failure_of(error, Side::Destination)),
        }
    }
}
