//! Broken reads in paused time: breaks at every offset, bounds of tries and time.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;
use transload_plan::ByteRange;
use transload_wire::ErrorName;

use super::{PinnedRange, Reads, pinned_stream};
use crate::faulty::{BodyFault, Faulty};
use crate::memory::{MemoryConfig, MemoryStore};
use crate::{Deadline, ObjectRef, StoreErrorKind as Kind, StoredRef, Verb};

const SIZE: u64 = 60;

fn world() -> (Faulty, PinnedRange) {
    let memory = MemoryStore::new(MemoryConfig { frame: 7, ..MemoryConfig::default() });
    let (etag, _) = memory.write("photos", "a", content());
    let (bucket, key) = ("photos".parse().unwrap(), "a".parse().unwrap());
    let object = ObjectRef::from(StoredRef { bucket, key, version: None, requester_pays: false });
    let pinned = PinnedRange { object, etag, range: ByteRange { start: 5, len: 40 }, total: SIZE };
    (Faulty::new(memory), pinned)
}

fn content() -> Vec<u8> {
    (0..SIZE as u8).collect()
}

async fn drain(
    store: &Faulty,
    pinned: PinnedRange,
    deadline: Deadline,
) -> (Result<Vec<u8>, ErrorName>, Reads) {
    let (mut stream, reads) = pinned_stream(Arc::new(store.clone()), pinned, deadline);
    let mut bytes = Vec::new();
    while let Some(frame) = stream.next().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(&frame),
            Err(failure) => return (Err(failure.name), reads),
        }
    }
    (Ok(bytes), reads)
}

#[tokio::test(start_paused = true)]
async fn a_break_at_every_offset_is_mended() {
    for at in 0..=40 {
        for fault in [BodyFault::Cut(at), BodyFault::Stall(at)] {
            let (store, pinned) = world();
            store.spoil(Verb::GetObject, 1..=1, fault);
            let (read, reads) = drain(&store, pinned, Deadline::NONE).await;
            assert_eq!(read.unwrap(), content()[5..45], "{fault:?}");
            assert_eq!(reads.count(), if at < 40 { 2 } else { 1 }, "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_never_gets_on_is_given_up() {
    for kind in [Kind::Connection, Kind::Throttled, Kind::Unavailable, Kind::Stalled, Kind::Credentials] {
        let (store, pinned) = world();
        store.refuse(Verb::GetObject, .., kind);
        let (read, reads) = drain(&store, pinned, Deadline::NONE).await;
        assert!(read.unwrap_err().is_transient());
        assert_eq!(reads.count(), 6, "{kind:?}");
    }
}

/// Every read brings one byte: progress renews the tries, so that all come through.
#[tokio::test(start_paused = true)]
async fn progress_renews_the_tries() {
    let (store, pinned) = world();
    store.spoil(Verb::GetObject, .., BodyFault::Cut(1));
    let (read, reads) = drain(&store, pinned, Deadline::NONE).await;
    assert_eq!((read.unwrap(), reads.count()), (content()[5..45].to_vec(), 40));
}

#[tokio::test(start_paused = true)]
async fn reads_are_bounded_though_each_brings_a_byte() {
    let memory = MemoryStore::new(MemoryConfig::default());
    let (etag, _) = memory.write("photos", "a", vec![7; 1_000]);
    let (_, pinned) = world();
    let pinned = PinnedRange { etag, range: ByteRange { start: 0, len: 1_000 }, total: 1_000, ..pinned };
    let store = Faulty::new(memory);
    store.spoil(Verb::GetObject, .., BodyFault::Cut(1));
    let (read, reads) = drain(&store, pinned, Deadline::NONE).await;
    assert_eq!((read.unwrap_err(), reads.count()), (ErrorName::ConnectionLost, 64));
}

#[tokio::test(start_paused = true)]
async fn a_stall_does_not_outlive_the_worker() {
    let (store, pinned) = world();
    store.spoil(Verb::GetObject, .., BodyFault::Stall(3));
    let begun = Instant::now();
    let left = Deadline::MARGIN + Duration::from_secs(8);
    let (read, _) = drain(&store, pinned, Deadline::after(left)).await;
    assert!(matches!(read.unwrap_err(), ErrorName::OutOfTime | ErrorName::Stalled));
    assert!(begun.elapsed() <= left - Deadline::MARGIN, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn permanent_refusals_are_not_repeated() {
    let rows = [
        (Kind::PreconditionFailed, ErrorName::SourceChanged),
        (Kind::NotFound, ErrorName::SourceNotFound),
        (Kind::AccessDenied, ErrorName::SourceAccessDenied),
        (Kind::RangeIgnored, ErrorName::RangeIgnored),
        (Kind::KeyUnavailable, ErrorName::KeyUnavailable),
    ];
    for (kind, expected) in rows {
        let (store, pinned) = world();
        store.refuse(Verb::GetObject, .., kind);
        let (read, reads) = drain(&store, pinned, Deadline::NONE).await;
        assert_eq!((read.unwrap_err(), reads.count()), (expected, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_range_is_read_once_and_ends() {
    let memory = MemoryStore::new(MemoryConfig::default());
    let (etag, _) = memory.write("photos", "a", "");
    let (_, pinned) = world();
    let pinned = PinnedRange { etag, range: ByteRange { start: 0, len: 0 }, total: 0, ..pinned };
    let (read, reads) = drain(&Faulty::new(memory), pinned, Deadline::NONE).await;
    assert_eq!((read.unwrap(), reads.count()), (Vec::new(), 1));
}
