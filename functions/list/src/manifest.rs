//! Sees to what a user's manifest names, instead of what a listing finds: each object is looked at, at both ends, or at the
//! destination alone where the manifest tells of the source what a listing would.

use futures::stream::{self, StreamExt};
use transload_plan::{Joined, Verdict};
use transload_store::work::Lines;
use transload_store::{Head, ListedObject, ObjectRef, Shelf, Side, StoredRef};
use transload_wire::{
    Archived, ErrorName, Failure, Manifest, ManifestEntry, ManifestFacts, ObjectKey, PlanSkip,
};

use crate::asked::Asked;
use crate::judge::{self, destination_key};
use crate::lister::{Pair, World};
use crate::look::Settled;
use crate::pages::Row;
use crate::{lock, look};

/// Where manifests stand in the workflow's own bucket: nothing else there is read as one.
const FOLDER: &str = "manifests/";
/// Objects that are looked at before what was found is handed on.
const ROWS: usize = 256;
/// Lines that can not be read, of which each is told.
const TOLD: usize = 20;
/// An object that is not there.
const NOT_THERE: &str = "notAtSource";

/// Goes on behind `line`: `None` at the end, else the line behind which another call has to go on.
pub(crate) async fn read(world: &World<'_>, manifest: &Manifest, line: u64) -> Result<Option<u64>, Failure> {
    let request = &world.asked.request;
    if request.sync.delete.is_some() {
        return refuse(
            "sync.delete: expected none with a manifest, which does not tell what the source lost, found it",
        );
    }
    if !manifest.name.starts_with(FOLDER) {
        return refuse(&format!(
            "manifest.name: expected a name that begins with {FOLDER}, found {}",
            manifest.name
        ));
    }
    if line == 0 {
        check(world, manifest).await?;
    }
    let mut lines = open(world, manifest).await?;
    loop {
        let mut entries = Vec::new();
        while entries.len() < ROWS {
            let Some(text) = lines.next().await? else { break };
            if lines.number() > line {
                entries.push(entry(world, manifest, &text, lines.number())?);
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        hand_on(world, entries).await?;
        world.write(false).await?;
        if world.stop.is_near() {
            return Ok(Some(lines.number()));
        }
    }
}

fn refuse<T>(message: &str) -> Result<T, Failure> {
    Err(ErrorName::InputInvalid.because(message.to_owned()))
}

async fn open(world: &World<'_>, manifest: &Manifest) -> Result<Lines, Failure> {
    match world.work.get(&manifest.name).await? {
        Some(body) => Ok(Lines::new("manifest", body)),
        None => {
            let (bucket, name) = (world.work.bucket(), &manifest.name);
            refuse(&format!("manifest.name: expected a file of bucket {bucket}, found none called {name}"))
        }
    }
}

/// Every line is read before anything follows from one: nothing is left out silently.
async fn check(world: &World<'_>, manifest: &Manifest) -> Result<(), Failure> {
    let (mut lines, mut told, mut bad) = (open(world, manifest).await?, Vec::new(), 0_u64);
    while let Some(text) = lines.next().await? {
        if let Err(failure) = entry(world, manifest, &text, lines.number()) {
            bad += 1;
            if told.len() < TOLD {
                told.push(failure.message);
            }
        }
    }
    if bad == 0 {
        return Ok(());
    }
    let more = bad - told.len() as u64;
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    refuse(&format!("manifest: {bad} bad lines: {}{more}", told.join("; ")))
}

fn entry(world: &World<'_>, manifest: &Manifest, text: &[u8], number: u64) -> Result<ManifestEntry, Failure> {
    ManifestEntry::read(manifest.form, text, &world.asked.request.source)
        .map_err(|what| ErrorName::InputInvalid.because(format!("line {number}: {what}")))
}

async fn hand_on(world: &World<'_>, entries: Vec<ManifestEntry>) -> Result<(), Failure> {
    let looks: Vec<_> = entries.into_iter().map(|entry| look_at(world, entry)).collect();
    let seen: Vec<_> = stream::iter(looks).buffered(look::AT_A_TIME).collect().await;
    let mut lists = lock(&world.lists);
    for seen in seen {
        match seen? {
            Ok((pair, settled)) => judge::judge(world.asked, &mut lists, pair, settled)?,
            Err(key) => {
                lists.found.listed.add(0);
                lists.skip(PlanSkip { key, size: 0, reason: NOT_THERE.to_owned() })?;
            }
        }
    }
    Ok(())
}

/// An object and what stands in its place; or its key, if it is not there.
async fn look_at(
    world: &World<'_>,
    entry: ManifestEntry,
) -> Result<Result<(Pair, Settled), ObjectKey>, Failure> {
    let from = &world.asked.source;
    let mut there = None;
    if let Some(facts) = &entry.facts {
        let found = standing(world, entry.key.as_str()).await?;
        let seen = joined(world, told(&from.shelf, &entry, facts), found.clone()).await?;
        if !is_looked_at(world.asked, &seen) {
            return Ok(Ok(seen));
        }
        there = Some(found);
    }
    let ManifestEntry { key, version_id, .. } = entry;
    let named = version_id.is_some();
    let object = ObjectRef::from(StoredRef {
        bucket: from.shelf.bucket.clone(),
        key: key.clone(),
        version: version_id,
        requester_pays: from.shelf.requester_pays,
    });
    let Some(head) = look::head(from.store.as_ref(), &object, Side::Source).await? else {
        return Ok(Err(key));
    };
    let there = match there {
        Some(found) => found,
        None => standing(world, key.as_str()).await?,
    };
    joined(world, row(&from.shelf, key, head, named), there).await.map(Ok)
}

/// Whether an object is looked at although facts of it are told: they may be days old. A batch finds out by itself what
/// changed since; an execution of its own would fail for an object that is gone, and costs many more requests than a look.
/// What is archived may be restored meanwhile, which matters to all but those who leave it out.
fn is_looked_at(asked: &Asked, (pair, settled): &(Pair, Settled)) -> bool {
    let (Joined::Source(Row { object, .. }) | Joined::Both(Row { object, .. }, _)) = pair else {
        return false;
    };
    if settled.verdict == Verdict::Same || !settled.wanted || judge::left_out(asked, object).is_some() {
        return false;
    }
    if object.archived {
        asked.request.sync.archived != Archived::Skip
    } else {
        !asked.ways.is_small(object.size, &object.etag)
    }
}

async fn joined(world: &World<'_>, source: Row, standing: Option<Row>) -> Result<(Pair, Settled), Failure> {
    let pair = match standing {
        Some(standing) => Joined::Both(source, standing),
        None => Joined::Source(source),
    };
    let settled = look::settle(world, &pair).await?;
    Ok((pair, settled))
}

/// What stands where an object of this key goes.
async fn standing(world: &World<'_>, key: &str) -> Result<Option<Row>, Failure> {
    let to = &world.asked.destination;
    let Some(key) = destination_key(world.asked, key) else { return Ok(None) };
    let bucket = to.shelf.bucket.clone();
    let object =
        ObjectRef::from(StoredRef { bucket, key: key.clone(), version: None, requester_pays: false });
    let head = look::head(to.store.as_ref(), &object, Side::Destination).await?;
    Ok(head.map(|head| row(&to.shelf, key, head, false)))
}

/// As a listing would have told it when the manifest was written.
fn told(shelf: &Shelf, entry: &ManifestEntry, facts: &ManifestFacts) -> Row {
    let object = ListedObject {
        key: entry.key.clone(),
        size: facts.size,
        etag: facts.etag.clone(),
        last_modified: facts.last_modified.clone(),
        storage_class: facts.storage_class.clone(),
        archived: facts.archived(),
        version: entry.version_id.clone(),
        unfit: None,
    };
    Row { object, skip: shelf.prefix.len() }
}

/// As a listing would tell it.
fn row(shelf: &Shelf, key: ObjectKey, head: Head, named: bool) -> Row {
    let object = ListedObject {
        key,
        size: head.size,
        etag: head.etag,
        last_modified: head.last_modified,
        storage_class: head.attributes.storage_class,
        archived: head.archived,
        version: head.version.filter(|_| named),
        unfit: None,
    };
    Row { object, skip: shelf.prefix.len() }
}
