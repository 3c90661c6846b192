//! The parts of one batch: those that are there already, and the others, a few at a time.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use transload_store::{Side, all_parts, failure_of};
use transload_wire::{ChecksumAlgorithm, ErrorName, Failure, PartRecord};

use crate::{Piece, Work, send};

/// What an earlier try of this call left. The first try asks nothing: nothing can be there.
pub(crate) async fn left_by_earlier_try(work: &Work, pieces: &[Piece]) -> Result<Vec<PartRecord>, Failure> {
    // What the store only tells of a part was perhaps not compared any more, and is told of no part that is listed.
    let compared = work.upload.checksum_algorithm.is_none_or(ChecksumAlgorithm::is_sent);
    if work.input.retry_count == 0 || !compared {
        return Ok(Vec::new());
    }
    let listed = all_parts(work.destination.as_ref(), &work.upload).await;
    let listed = listed.map_err(|error| failure_of(error, Side::Destination))?;
    let ours = listed.into_iter().filter_map(|part| {
        let piece =
            pieces.iter().find(|piece| piece.number == part.number && piece.range.len == part.size)?;
        Some(PartRecord {
            part_number: piece.number.get(),
            size: part.size,
            etag: part.etag,
            checksum: part.checksum,
            attempts: 0,
            reads: 0,
            duration_ms: 0,
        })
    });
    Ok(ours.collect())
}

/// Sends parts. After a transient failure nothing new is begun, but what is under way may end: its bytes are mostly there
/// already. After a permanent one nothing is of use any more.
pub(crate) async fn send_all(work: &Work, pieces: Vec<Piece>) -> Result<Vec<PartRecord>, Failure> {
    let mut queue = pieces.into_iter();
    let mut running = FuturesUnordered::new();
    let mut records = Vec::new();
    let mut failed: Option<Failure> = None;
    loop {
        while failed.is_none() && running.len() < work.pace.streams(work.input.parts_in_flight) as usize {
            let Some(piece) = queue.next() else { break };
            running.push(send::send(work, piece));
        }
        match running.next().await {
            Some(Ok(record)) => records.push(record),
            Some(Err(failure)) if !failure.is_transient() => return Err(failure),
            Some(Err(failure)) => failed = Some(worse(failed, failure)),
            None => break,
        }
    }
    match failed {
        Some(failure) => Err(failure),
        None => Ok(records),
    }
}

/// The failure to report of two: running out of time says the least about what is wrong.
fn worse(first: Option<Failure>, second: Failure) -> Failure {
    match first {
        Some(first) if first.name != ErrorName::OutOfTime => first,
        _ => second,
    }
}
