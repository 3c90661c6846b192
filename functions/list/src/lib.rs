//! State `List`: compares two trees of keys, and writes lists of what is to be done about the difference.
//!
//! Both sides are paged in many ranges of keys at a time and joined as they come, so that memory does not grow with their
//! number. Nothing is written but lists, in a bucket of the workflow's own; a call that runs out of time leaves the ranges
//! that are still to be listed to the next one. An error of a page is an error of the call: nothing is ever compared with a
//! part of a listing.

mod asked;
mod board;
mod caps;
mod failures;
mod frozen;
mod judge;
mod lister;
mod lists;
mod look;
mod manifest;
mod pages;
mod purse;
mod stop;
mod ways;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use transload_plan::cost::Sides;
use transload_store::work::{OpenWork, WorkFiles};
use transload_store::{Deadline, Ends, Stores};
use transload_wire::{
    ErrorName, Failure, KeyRange, Left, ListInput, ListOutput, Requests, SyncRequest, WorkPlace,
};

use crate::asked::Asked;
use crate::board::Board;
use crate::lister::World;
use crate::lists::Lists;
use crate::stop::Stop;

pub use failures::FAILURES;

/// Lists and compares, until all is done or the time is up.
///
/// # Errors
/// `InputInvalid` before any request for what can not be meant; both sides' own; `DeletesRefused` at the end, before anybody
/// reads a list; `SourceArchived` where the request says so.
pub async fn handle(
    stores: &impl Stores,
    work: &dyn WorkFiles,
    deadline: Deadline,
    input: ListInput,
) -> Result<ListOutput, Failure> {
    run(stores, work, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(
    stores: &impl Stores,
    work: &dyn WorkFiles,
    deadline: Deadline,
    input: ListInput,
) -> Result<ListOutput, Failure> {
    let mut ends = Ends::new(stores);
    let asked = Asked::new(&mut ends, &input)?;
    let before = input.left.unwrap_or_else(first);
    let call = before.calls + 1;
    let world = World {
        board: Mutex::new(Board::new(before.ranges)),
        lists: Mutex::new(Lists::new(call, &asked, &before.found)),
        writing: tokio::sync::Mutex::new(()),
        heads: tokio::sync::Semaphore::new(look::AT_A_TIME),
        paged: tokio::sync::Notify::new(),
        stop: Stop::new(deadline),
        asked: &asked,
        work,
    };
    let (ranges, line) = find(&world, deadline, before.line).await?;
    world.write(true).await?;
    let (mut found, mut lists) = (before.found, before.lists);
    found.calls += 1;
    found.listing.add(&listing(&ends, &input.request));
    {
        let written = lock(&world.lists);
        written.add_to(&mut found);
        lists.extend(written.names().iter().cloned());
    }
    let place = WorkPlace { bucket: work.bucket().to_owned(), prefix: asked.prefix.clone() };
    let left = if ranges.is_empty() && line.is_none() {
        caps::check(&input.request, &found)?;
        sweep(work, &place.prefix, &lists).await?;
        None
    } else {
        let line = line.unwrap_or_default();
        Some(Left { ranges, line, found: found.clone(), calls: call, lists })
    };
    let (sync, options) = (asked.request.sync.clone(), asked.request.options.clone().of_many());
    let (bandwidth, requests) = (asked.bandwidth, ends.requests());
    Ok(ListOutput { left, found, work: place, sync, options, bandwidth, requests })
}

/// Finds what is to be done, where the request says: what is left of it, as ranges of keys or behind a line.
async fn find(
    world: &World<'_>,
    deadline: Deadline,
    line: u64,
) -> Result<(Vec<KeyRange>, Option<u64>), Failure> {
    let request = &world.asked.request;
    match (&request.plan, &request.manifest) {
        (None, None) => Ok((list(world).await?, None)),
        (Some(plan), None) => deadline.bound(frozen::read(world, plan)).await?.map(|()| (Vec::new(), None)),
        (None, Some(manifest)) => {
            let left = deadline.bound(manifest::read(world, manifest, line)).await??;
            Ok((Vec::new(), left))
        }
        (Some(_), Some(_)) => {
            Err(ErrorName::InputInvalid.because("manifest: expected none with a frozen plan, found one"))
        }
    }
}

/// Requests of this call by side; where both are one location they are the source's.
fn listing<S: Stores + ?Sized>(ends: &Ends<'_, S>, request: &SyncRequest) -> Sides {
    let (from, to) = (&request.source.location, &request.destination.location);
    let destination = if from == to { Requests::new() } else { ends.requests_at(to) };
    Sides { source: ends.requests_at(from), destination }
}

fn first() -> Left {
    let all = KeyRange { after: String::new(), until: None };
    Left { ranges: vec![all], line: 0, found: Default::default(), calls: 0, lists: Vec::new() }
}

/// Runs as many listers as are asked for; the ranges that are left.
async fn list(world: &World<'_>) -> Result<Vec<KeyRange>, Failure> {
    let (mut running, mut left) = (FuturesUnordered::new(), Vec::new());
    loop {
        while running.len() < world.asked.listers {
            let Some(range) = lock(&world.board).take(world.stop.is_near()) else { break };
            running.push(lister::list(world, range));
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            ended = running.next() => left.extend(ended.transpose()?.flatten()),
            // A page came: its range may be shared now.
            () = world.paged.notified() => {}
        }
    }
    left.extend(lock(&world.board).rest());
    Ok(left)
}

/// Deletes the lists that no call has told of: they were left by calls that failed, and hold what others hold too.
async fn sweep(work: &dyn WorkFiles, prefix: &str, lists: &[String]) -> Result<(), Failure> {
    let told: BTreeSet<String> = lists.iter().map(|name| format!("{prefix}{name}")).collect();
    for folder in lists::FOLDERS {
        for file in work.list(&format!("{prefix}{folder}/")).await? {
            if !told.contains(&file.name) {
                work.delete(&file.name).await?;
            }
        }
    }
    Ok(())
}

/// A lister that panicked ends the call, so what it left here is not looked at.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    let work = OpenWork::default();
    transload_runtime::serve(async |stores, deadline, input| {
        let work = work.open()?;
        handle(stores, work.as_ref(), deadline, input).await
    })
}
