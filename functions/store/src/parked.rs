//! How an upload that waits for a redrive is known again by another execution with the same input.
//!
//! Listings of uploads show keys, ids, dates and initiators, not the metadata in which the token stands. So an execution
//! that parks its upload leaves the token in a part of its own: one that no layout has, that no Complete names, and that
//! the store throws away with the upload. Its checksum in the list of parts tells whose upload it is.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use transload_plan::{Layout, Limits, ListedPart, PartNumber};
use transload_wire::{BucketName, ObjectKey, Token, UploadId};

use crate::digest::md5_hex;
use crate::{Hasher, PartRef, PutBody, Store, StoreError, UploadRef};

/// Uploads of one key that are looked at. More than a few say that something else is wrong.
const MOST: usize = 16;

/// The part that holds the token, if the store takes such a part and the layout leaves it free.
fn place(limits: &Limits, layout: &Layout) -> Option<PartNumber> {
    // Where all parts must have one size, one that differs may be refused at the end.
    let free = !limits.equal_parts && layout.count() < limits.max_parts;
    PartNumber::new(limits.max_parts).ok().filter(|_| free)
}

/// Leaves the token in an upload. `false`: there is no place for it.
///
/// # Errors
/// As [`Store::upload_part`].
pub async fn leave(
    store: &dyn Store,
    upload: &UploadRef,
    layout: &Layout,
    token: &Token,
) -> Result<bool, StoreError> {
    let Some(number) = place(store.limits(), layout) else { return Ok(false) };
    let bytes = Bytes::copy_from_slice(token.as_str().as_bytes());
    let (len, md5) = (bytes.len() as u64, Some(md5_hex(&bytes)));
    let body = PutBody { len, stream: stream::once(async { Ok(bytes) }).boxed(), md5, seen: None };
    store.upload_part(upload, number, body).await.map(|_| true)
}

/// The parts of the layout, without the one that holds a token.
#[must_use]
pub fn of_layout(store: &dyn Store, layout: &Layout, mut parts: Vec<PartRef>) -> Vec<PartRef> {
    let place = place(store.limits(), layout);
    parts.retain(|part| Some(part.number) != place);
    parts
}

/// An upload that was left with a token.
#[derive(Debug, Clone)]
pub struct Parked {
    /// Its id.
    pub id: UploadId,
    /// When it was initiated, ISO 8601.
    pub initiated: String,
    /// Who initiated it, where the store tells.
    pub initiator: Option<String>,
    /// Its parts, without the one that holds the token.
    pub parts: Vec<PartRef>,
    /// Whether a part was sent after the token was left: then somebody went on with it.
    pub resumed: bool,
}

impl Parked {
    /// For plans.
    #[must_use]
    pub fn listed(&self) -> Vec<ListedPart> {
        self.parts.iter().map(ListedPart::from).collect()
    }
}

/// The open uploads of a key that this token was left in, newest first.
///
/// # Errors
/// As those of the two listings.
pub async fn find(
    store: &dyn Store,
    (bucket, key): (&BucketName, &ObjectKey),
    layout: &Layout,
    token: &Token,
) -> Result<Vec<Parked>, StoreError> {
    let Some(place) = place(store.limits(), layout) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (id, initiated) in open(store, bucket, key).await? {
        let upload =
            UploadRef { bucket: bucket.clone(), key: key.clone(), id: id.clone(), checksum_algorithm: None };
        let Some(mut parked) = read(store, &upload, place, token).await? else { continue };
        parked.initiated = initiated;
        found.push(parked);
    }
    found.sort_by(|a, b| b.initiated.cmp(&a.initiated));
    Ok(found)
}

/// Keys are listed in order, and the shortest that begins like this one is the key itself: the first page is enough.
async fn open(
    store: &dyn Store,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Vec<(UploadId, String)>, StoreError> {
    let page = store.list_uploads(bucket, key.as_str(), None).await?;
    let same = page.uploads.into_iter().filter(|upload| upload.key == *key);
    Ok(same.take(MOST).map(|upload| (upload.id, upload.initiated)).collect())
}

async fn read(
    store: &dyn Store,
    upload: &UploadRef,
    place: PartNumber,
    token: &Token,
) -> Result<Option<Parked>, StoreError> {
    let (mut parts, mut initiator, mut changed) = (Vec::new(), None, None);
    let mut after = 0;
    loop {
        let page = match store.list_parts(upload, after).await {
            Ok(page) => page,
            // Completed or released meanwhile.
            Err(error) if error.kind == crate::StoreErrorKind::NoSuchUpload => return Ok(None),
            Err(error) => return Err(error),
        };
        initiator = initiator.or(page.initiator);
        changed = changed.max(page.changed);
        parts.extend(page.parts);
        match page.next {
            Some(next) if next > after => after = next,
            _ => break,
        }
    }
    let Some(at) = parts.iter().position(|part| part.number == place) else { return Ok(None) };
    if !holds(&parts.remove(at), token) {
        return Ok(None);
    }
    let resumed = changed.is_none_or(|(_, number)| number != place);
    Ok(Some(Parked { id: upload.id.clone(), initiated: String::new(), initiator, parts, resumed }))
}

/// By the checksum that the store tells of the part; else by its ETag, which is an MD5 unless a key encrypts: then no part
/// is taken for ours.
fn holds(part: &PartRef, token: &Token) -> bool {
    let bytes = token.as_str().as_bytes();
    if part.size != bytes.len() as u64 {
        return false;
    }
    match &part.checksum {
        Some(told) => Hasher::sum(told.algorithm, bytes).value == told.value,
        None => part.etag.as_str().eq_ignore_ascii_case(&md5_hex(bytes)),
    }
}
