//! What stands at the destination now. An object that was replaced or deleted since makes the evidence no worse: it says what was
//! written then. An object that bears this transfer's token or version with other bytes does.

use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use transload_plan::ByteRange;
use transload_store::location::ConfiguredStores;
use transload_store::prove::is_nothing;
use transload_store::{Hasher, Head, ObjectRef, Store, StoreError, Stores};
use transload_wire::{
    Checksum, ChecksumKind, CompleteOutput, Destination, Etag, SyncRequest, TOKEN_METADATA, Token, VersionId,
};

use super::Check;
use super::counts::ROWS;
use super::csv::{Row, Table};
use super::lines::{Rows, document};
use crate::evidence::archive::Pack;
use crate::evidence::name;
use crate::evidence::transfer::ObjectLine;
use crate::exit::Outcome;

/// Objects that are asked for at a time.
const AT_A_TIME: usize = 32;
const CHECK: &str = "destination";

/// Whether to look, and how.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    /// Not at all; the text says why.
    Not(String),
    /// With these locations.
    At {
        /// The locations file.
        locations: PathBuf,
        /// Whether to read every byte.
        read: bool,
    },
}

/// Objects by what stands there now.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standings {
    /// As it was written.
    pub(crate) same: u64,
    /// Of these: every byte was read, and gives the checksum.
    pub(crate) read: u64,
    /// Another object.
    pub(crate) replaced: u64,
    /// No object.
    pub(crate) gone: u64,
    /// Not as it was written, although it says that this transfer wrote it.
    pub(crate) differs: u64,
    /// Of those that are not the same: versions that still stand as they were written.
    pub(crate) kept_versions: u64,
}

/// What was found of one object.
enum Standing {
    Same { read: bool },
    Replaced { kept: bool },
    Gone { kept: bool },
    Differs(String),
}

/// What an object was when it was written.
struct Was {
    place: Destination,
    size: u64,
    etag: Etag,
    version: Option<VersionId>,
    checksum: Option<Checksum>,
    /// Of a batch none is told.
    token: Option<Token>,
}

/// Looks at every object that was written.
pub(super) async fn check(pack: &Pack, look: Look, checks: &mut Vec<Check>) -> Outcome<Option<Standings>> {
    let (locations, read) = match look {
        Look::Not(why) => {
            checks.push(Check::not_checked(CHECK, why));
            return Ok(None);
        }
        Look::At { locations, read } => (locations, read),
    };
    let stores = ConfiguredStores::from_file(&locations)?;
    let objects = match Written::of(pack) {
        Ok(objects) => objects,
        Err(why) => {
            checks.push(Check::failed(CHECK, why));
            return Ok(None);
        }
    };
    match all(&stores, objects, read).await {
        Ok(Some((standings, first))) => {
            checks.push(told(&standings, first));
            Ok(Some(standings))
        }
        Ok(None) => {
            checks.push(Check::not_checked(CHECK, "nothing was written"));
            Ok(None)
        }
        Err(why) => {
            checks.push(Check::not_checked(CHECK, why));
            Ok(None)
        }
    }
}

fn told(standings: &Standings, first: Option<String>) -> Check {
    if let Some(why) = first {
        return Check::failed(CHECK, why);
    }
    let Standings { same, read, replaced, gone, kept_versions, .. } = standings;
    let mut words = vec![format!("same: {same}, by HEAD")];
    if *read > 0 {
        words.push(format!("of these, every byte read: {read}"));
    }
    if *replaced > 0 {
        words.push(format!("replaced since: {replaced}"));
    }
    if *gone > 0 {
        words.push(format!("gone: {gone}"));
    }
    if *kept_versions > 0 {
        words.push(format!("of these, versions that stand as they were written: {kept_versions}"));
    }
    Check::ok(CHECK, words.join("; "))
}

/// All of them, and the first that differs; `None` if there is none.
async fn all(
    stores: &ConfiguredStores,
    objects: Written,
    read: bool,
) -> Result<Option<(Standings, Option<String>)>, String> {
    let mut found = stream::iter(objects)
        .map(|was| async move { standing(stores, &was?, read).await })
        .buffered(AT_A_TIME);
    let (mut sum, mut first, mut any) = (Standings::default(), None, false);
    while let Some(standing) = found.next().await {
        any = true;
        match standing? {
            Standing::Same { read } => {
                sum.same += 1;
                sum.read += u64::from(read);
            }
            Standing::Replaced { kept } => {
                sum.replaced += 1;
                sum.kept_versions += u64::from(kept);
            }
            Standing::Gone { kept } => {
                sum.gone += 1;
                sum.kept_versions += u64::from(kept);
            }
            Standing::Differs(why) => {
                sum.differs += 1;
                first.get_or_insert(why);
            }
        }
    }
    Ok(any.then_some((sum, first)))
}

async fn standing(stores: &ConfiguredStores, was: &Was, read: bool) -> Result<Standing, String> {
    let store = stores.open(&was.place.location).map_err(|failure| failure.message)?;
    let newest = ObjectRef::of_destination(&was.place);
    let head = match store.head(&newest).await {
        Ok(head) => head,
        Err(error) if is_nothing(&error) => {
            return Ok(Standing::Gone { kept: kept(store.as_ref(), was).await? });
        }
        Err(error) => return Err(unread(was, &error)),
    };
    let ours = match &was.token {
        Some(token) => {
            head.attributes.metadata.get(TOKEN_METADATA).map(String::as_str) == Some(token.as_str())
        }
        None => head.etag == was.etag,
    };
    let version = was.version.as_ref().filter(|version| version.as_str() != "null");
    let same_version = version.is_some() && version == head.version.as_ref();
    if !ours && !same_version {
        return Ok(Standing::Replaced { kept: kept(store.as_ref(), was).await? });
    }
    if let Err(why) = compare(was, &head) {
        return Ok(Standing::Differs(why));
    }
    if head.etag != was.etag {
        // The same bytes in another cut, or encrypted again: another writing, unless its version says that it is this one.
        let why = format!("{}: expected ETag {} of this version, found {}", was.place, was.etag, head.etag);
        let kept = kept(store.as_ref(), was);
        return Ok(if same_version {
            Standing::Differs(why)
        } else {
            Standing::Replaced { kept: kept.await? }
        });
    }
    match read {
        true => bytes(store.as_ref(), &newest, was, &head).await,
        false => Ok(Standing::Same { read: false }),
    }
}

/// Whether the version that was written stands, though it is not the newest.
async fn kept(store: &dyn Store, was: &Was) -> Result<bool, String> {
    let Some(version) = was.version.clone().filter(|version| version.as_str() != "null") else {
        return Ok(false);
    };
    match store.head(&ObjectRef::of_destination_at(&was.place, Some(version))).await {
        Ok(head) => Ok(compare(was, &head).is_ok() && head.etag == was.etag),
        Err(error) if is_nothing(&error) => Ok(false),
        Err(error) => Err(unread(was, &error)),
    }
}

fn unread(was: &Was, error: &StoreError) -> String {
    format!("{}: {error}", was.place)
}

fn compare(was: &Was, head: &Head) -> Result<(), String> {
    let differs = |what: &str, expected: &dyn std::fmt::Display, found: &dyn std::fmt::Display| {
        Err(format!(
            "{}: it says that this transfer wrote it; expected {what} {expected}, found {found}",
            was.place
        ))
    };
    if head.size != was.size {
        return differs("size", &was.size, &head.size);
    }
    let pair = was.checksum.as_ref().zip(head.checksum.as_ref());
    match pair.filter(|(a, b)| (a.algorithm, a.kind) == (b.algorithm, b.kind) && a.value != b.value) {
        Some((expected, found)) => differs(expected.algorithm.as_str(), &expected.value, &found.value),
        None => Ok(()),
    }
}

/// Reads it all: HEAD is the store's word only.
async fn bytes(store: &dyn Store, object: &ObjectRef, was: &Was, head: &Head) -> Result<Standing, String> {
    let whole = was.checksum.as_ref().filter(|checksum| checksum.kind == ChecksumKind::FullObject);
    // Nothing to compare its bytes with.
    let Some(expected) = whole else { return Ok(Standing::Same { read: false }) };
    let mut hasher = Hasher::new(expected.algorithm);
    let range = ByteRange { start: 0, len: head.size };
    let mut body =
        store.get_range(object, &head.etag, range, head.size).await.map_err(|e| unread(was, &e))?.body;
    while let Some(frame) = body.try_next().await.map_err(|e| unread(was, &e))? {
        hasher.update(&frame);
    }
    let found = hasher.finish().value;
    if found == expected.value {
        return Ok(Standing::Same { read: true });
    }
    let name = expected.algorithm.as_str();
    Ok(Standing::Differs(format!(
        "{}: expected {name} {}, found {found} over its bytes",
        was.place, expected.value
    )))
}

/// Every object that a pack says was written: those of executions of their own, then those of batches.
struct Written {
    checksums: Rows,
    batches: Option<(Table, SyncRequest)>,
}

impl Written {
    fn of(pack: &Pack) -> Result<Self, String> {
        let batches = match pack.find(ROWS) {
            Some(inside) => Some((Table::of(pack.read(inside))?, document(pack, name::INPUT)?)),
            None => None,
        };
        Ok(Self { checksums: Rows::of(pack, name::CHECKSUMS)?, batches })
    }
}

impl Iterator for Written {
    type Item = Result<Was, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(line) = self.checksums.parsed::<ObjectLine>().transpose() {
            match line {
                Err(why) => return Some(Err(why)),
                Ok(ObjectLine { written: None, .. }) => {}
                Ok(ObjectLine { written: Some(written), destination, token, .. }) => {
                    return Some(Ok(one(destination, token, written)));
                }
            }
        }
        let (table, request) = self.batches.as_mut()?;
        while let Some(row) = table.next().map_err(|why| format!("{ROWS}, {why}")).transpose() {
            match row {
                Err(why) => return Some(Err(why)),
                Ok(row) if row.outcome == "copied" && row.list == "batches" => {
                    return Some(of_batch(&row, request));
                }
                Ok(_) => {}
            }
        }
        None
    }
}

/// Its key at the destination has the one prefix in place of the other.
fn of_batch(row: &Row, request: &SyncRequest) -> Result<Was, String> {
    let wrong = |what: &str| format!("{ROWS}: {:?}: expected {what}", row.key);
    let behind = row.key.strip_prefix(&request.source.prefix).ok_or_else(|| wrong("the source's prefix"))?;
    let key = format!("{}{behind}", request.destination.prefix).parse().map_err(|_| wrong("a key"))?;
    let etag = row.etag.parse().map_err(|_| wrong("an ETag"))?;
    let (location, bucket) = (request.destination.location.clone(), request.destination.bucket.clone());
    let place = Destination { location, bucket, key };
    Ok(Was { place, size: row.size, etag, version: None, checksum: None, token: None })
}

fn one(place: Destination, token: Token, written: CompleteOutput) -> Was {
    let CompleteOutput { etag, version_id, size, checksum, .. } = written;
    Was { place, size, etag, version: version_id, checksum, token: Some(token) }
}
