//! Whether what stands at the destination is what this transfer wrote: token, size and checksum, read back by HEAD.
//!
//! That an object is there proves nothing, for another writer may have made it; that a store answered "done" proves
//! nothing either, for an answer may be cut, lost or come from something between. The token in the metadata was chosen
//! by this execution and can only stand there if this execution's write took effect.

use transload_wire::{
    Checksum, ChecksumAlgorithm, ChecksumKind, Destination, ErrorName, Etag, Failure, Options, Overwrite,
    TOKEN_METADATA, Token, VersionId,
};

use crate::stamp::is_ours;
use crate::{
    Backoff, Condition, Deadline, Head, ObjectRef, Side, Store, StoreError, StoreErrorKind, Written,
    failure_of,
};

/// What has to be read back.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Token of this transfer.
    pub token: Token,
    /// Bytes.
    pub size: u64,
    /// What proves the bytes, best first: the first that the store lets us judge decides.
    pub evidence: Vec<Evidence>,
}

/// What proves bytes at a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The whole-object checksum of what was sent.
    Checksum(Checksum),
    /// The ETag that the bytes must give, at stores whose ETags are MD5s.
    Etag(Etag),
    /// The upload is gone, and with it the list of its parts: the store took this token only together with a checksum of
    /// the whole, which it checked itself, and an ETag that counts this many parts.
    Accepted {
        /// Parts of the object.
        parts: u32,
    },
}

/// What stands at the destination.
#[derive(Debug)]
pub enum Standing {
    /// Nothing.
    Nothing,
    /// Another writer's object, or what was there before.
    Another(Box<Head>),
    /// What this transfer wrote, complete and proven.
    Proven(Box<Head>),
    /// What this transfer wrote, but with other bytes: the failure says what differs.
    Broken(Box<Head>, Failure),
}

/// Reads the destination back; the version that a write answered, if it named one.
///
/// # Errors
/// The HEAD's own.
pub async fn read_back(
    store: &dyn Store,
    destination: &Destination,
    written: Option<&Written>,
    expected: &Expected,
) -> Result<Standing, StoreError> {
    let version = written.and_then(|written| written.version.clone()).filter(is_real);
    let object = ObjectRef::of_destination_at(destination, version);
    let head = match store.head(&object).await {
        Ok(head) => Box::new(head),
        Err(error) if is_nothing(&error) => return Ok(Standing::Nothing),
        Err(error) => return Err(error),
    };
    if head.attributes.metadata.get(TOKEN_METADATA).map(String::as_str) != Some(expected.token.as_str()) {
        return Ok(Standing::Another(head));
    }
    Ok(match compare(destination, &head, written, expected) {
        Ok(()) => Standing::Proven(head),
        Err(failure) => Standing::Broken(head, failure),
    })
}

/// Buckets whose versioning is suspended call every new object `null`: that names no single write.
fn is_real(version: &VersionId) -> bool {
    version.as_str() != "null"
}

/// Whether an error of HEAD says that no object is visible under the key.
#[must_use]
pub fn is_nothing(error: &StoreError) -> bool {
    matches!(error.kind, StoreErrorKind::NotFound | StoreErrorKind::DeleteMarker)
}

fn compare(
    destination: &Destination,
    head: &Head,
    written: Option<&Written>,
    expected: &Expected,
) -> Result<(), Failure> {
    if head.size != expected.size {
        return Err(differs(destination, "size", &expected.size.to_string(), &head.size.to_string()));
    }
    let judged = expected.evidence.iter().find_map(|evidence| judge(destination, head, written, evidence));
    judged.unwrap_or_else(|| {
        Err(ErrorName::Unsupported.because(format!(
            "{destination}: expected a whole-object checksum (or an MD5 as ETag) to prove the bytes with, found neither"
        )))
    })
}

/// `None`: the store does not tell what this evidence would be compared with.
fn judge(
    destination: &Destination,
    head: &Head,
    written: Option<&Written>,
    evidence: &Evidence,
) -> Option<Result<(), Failure>> {
    let mut told = [head.checksum.as_ref(), written.and_then(|w| w.checksum.as_ref())].into_iter().flatten();
    let (what, expected, found) = match evidence {
        Evidence::Checksum(sent) => {
            let found = told.find(|told| is_whole(told) && told.algorithm == sent.algorithm)?;
            (sent.algorithm.as_str(), sent.value.as_str(), found.value.as_str())
        }
        Evidence::Etag(etag) => {
            // An MD5 in hexadecimal is the same in either case, and stores differ.
            let found = head.etag.as_str();
            let same = etag.as_str().eq_ignore_ascii_case(found);
            return Some(if same { Ok(()) } else { Err(differs(destination, "ETag", etag.as_str(), found)) });
        }
        Evidence::Accepted { parts } => {
            return (told.any(is_whole) || head.etag.parts() == Some(*parts)).then_some(Ok(()));
        }
    };
    Some(if expected == found { Ok(()) } else { Err(differs(destination, what, expected, found)) })
}

fn is_whole(checksum: &Checksum) -> bool {
    checksum.kind == ChecksumKind::FullObject
}

fn differs(destination: &Destination, what: &str, expected: &str, found: &str) -> Failure {
    ErrorName::ChecksumMismatch.because(format!(
        "{destination}: expected {what} {expected} (the bytes that were sent), found {found}"
    ))
}

/// Whether the answer to a PUT proves by itself what was written: it tells the checksum of the bytes that were sent, or
/// an ETag that is their MD5.
#[must_use]
pub fn answers(store: &dyn Store, written: &Written, expected: &Expected) -> bool {
    expected.evidence.iter().any(|evidence| match evidence {
        Evidence::Checksum(sent) => written.checksum.as_ref() == Some(sent),
        Evidence::Etag(etag) => {
            store.etags_are_md5() && etag.as_str().eq_ignore_ascii_case(written.etag.as_str())
        }
        Evidence::Accepted { .. } => false,
    })
}

/// Tries of the HEAD after a write that was answered with success: some compatible stores show an object late.
const LOOKS: u32 = 5;

/// Reads back a write that the store answered with success, until it is visible.
///
/// # Errors
/// The HEAD's own; `Unavailable` if nothing shows up.
pub async fn confirm(
    store: &dyn Store,
    destination: &Destination,
    written: &Written,
    expected: &Expected,
    deadline: &Deadline,
) -> Result<Standing, Failure> {
    let mut backoff = Backoff::of_tries(LOOKS);
    loop {
        let failure = match read_back(store, destination, Some(written), expected).await {
            Ok(Standing::Nothing) => ErrorName::Unavailable.because(format!(
                "{destination}: expected the object that the store said it had made, found nothing"
            )),
            Ok(standing) => return Ok(standing),
            Err(error) if error.is_transient() => failure_of(error, Side::Destination),
            Err(error) => return Err(failure_of(error, Side::Destination)),
        };
        if !backoff.pause(deadline).await {
            return Err(failure);
        }
    }
}

/// The checksum to prove a transfer with: the source's own where the destination computes it too, for then the two can be
/// compared; else the destination's best.
#[must_use]
pub fn algorithm(source: Option<&Checksum>, destination: &dyn Store) -> Option<ChecksumAlgorithm> {
    let offered = destination.checksums();
    let own = source.filter(|checksum| is_whole(checksum)).map(|checksum| checksum.algorithm);
    own.filter(|own| offered.contains(own)).or_else(|| offered.first().copied())
}

/// Refuses a destination where nothing could be proven, before anything is written to it.
///
/// # Errors
/// `Unsupported`.
pub fn provable(store: &dyn Store, destination: &Destination) -> Result<(), Failure> {
    if !store.checksums().is_empty() || store.etags_are_md5() {
        return Ok(());
    }
    Err(ErrorName::Unsupported.because(format!(
        "destination.location {}: expected checksums or MD5 ETags in its profile, to prove what was written, found neither; \
         set etag_md5 = true in the location if its ETags are MD5s",
        destination.location
    )))
}

/// What must hold for the write to take effect: the destination is as Head found it, unless the user wants it replaced
/// whatever it is.
#[must_use]
pub fn condition(options: &Options, replaces: Option<&Etag>) -> Condition {
    match (options.overwrite, replaces) {
        (Overwrite::Always, _) => Condition::Anything,
        (_, Some(etag)) => Condition::Matches(etag.clone()),
        (_, None) => Condition::Absent,
    }
}

/// For stores that ignore conditions: reads whether the condition holds just before the write. Another writer can still
/// come between; only a store that honours conditions closes that gap.
///
/// # Errors
/// As [`exists`] if it does not hold; else the HEAD's own.
pub async fn guard(
    store: &dyn Store,
    destination: &Destination,
    options: &Options,
    condition: &Condition,
    token: &Token,
) -> Result<(), Failure> {
    if *condition == Condition::Anything {
        return Ok(());
    }
    let found = match store.head(&ObjectRef::of_destination(destination)).await {
        Ok(head)
            if head.attributes.metadata.get(TOKEN_METADATA).map(String::as_str) == Some(token.as_str()) =>
        {
            return Ok(());
        }
        Ok(head) => Some(head),
        Err(error) if is_nothing(&error) => None,
        Err(error) => return Err(failure_of(error, Side::Destination)),
    };
    match (condition, &found) {
        (Condition::Absent, None) => Ok(()),
        (Condition::Matches(expected), Some(head)) if *expected == head.etag => Ok(()),
        _ => Err(exists(destination, options, condition, found.as_ref())),
    }
}

/// The destination is not as Head found it: `DestinationChanged` if another transfer wrote it, which may have copied an
/// older version as well as a newer one, or deleted it where deletions are followed, so Head has to look again; else
/// `DestinationExists`.
#[must_use]
pub fn exists(
    destination: &Destination,
    options: &Options,
    condition: &Condition,
    found: Option<&Head>,
) -> Failure {
    let tag = |etag: &Etag| format!("ETag {}", etag.to_header());
    let expected = match condition {
        Condition::Absent => "nothing".to_owned(),
        Condition::Matches(etag) => tag(etag),
        Condition::Anything => "its own object".to_owned(),
    };
    // A store that refuses although its object is just the expected one would refuse for ever.
    let moved = |head: &Head| *condition != Condition::Matches(head.etag.clone());
    let of_transfer = found.map_or(options.delete, |head| is_ours(head) && moved(head));
    let again = options.overwrite == Overwrite::IfDifferent && of_transfer;
    let (name, who) = if again {
        (ErrorName::DestinationChanged, "another transfer")
    } else {
        (ErrorName::DestinationExists, "another writer")
    };
    let found = found.map_or_else(|| "nothing".to_owned(), |head| tag(&head.etag));
    name.because(format!(
        "{destination}: expected {expected} (as Head found it), found {found}: {who} was there"
    ))
}
