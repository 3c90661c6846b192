//! A destination that is told no checksum, and tells one of what it took: Aliyun OSS, Tencent COS.

use std::sync::Arc;

use serde_json::{Value, json};
use simulation::{Builder, Ended, World};
use strict_s3::Capabilities;
use transload_store::faulty::{BodyFault, Faulty};
use transload_store::{Store, Verb};

use crate::kit::{case, copied, five, seen, succeeds, world_of};

/// What such a store can do: it refuses checksums, trailers and conditions.
fn oss() -> Capabilities {
    Capabilities {
        crc64nvme: false,
        checksums: false,
        trailers: false,
        conditional_writes: false,
        crc64ecma: true,
        ..Capabilities::default()
    }
}

fn into_oss(options: Value) -> Builder {
    World::builder(1).destination(json!({"profile": "oss"}), oss()).options(options)
}

fn between(options: Value) -> Builder {
    into_oss(options).source(json!({"profile": "oss"}), oss())
}

/// By one worker for all parts, by many, and whole.
fn ways() -> [Value; 3] {
    [json!({"singleWorkerLimit": 1 << 20}), json!({}), json!({"wholeObjectLimit": 1 << 20})]
}

/// The first body of this operation in each worker is altered in this place, where nothing but a checksum sees it.
fn flipped(builder: Builder, place: &'static str, verb: Verb) -> Builder {
    builder.decorate(move |name, store: Arc<dyn Store>| {
        if name != place {
            return store;
        }
        let faulty = Faulty::over(store);
        faulty.spoil(verb, ..=1, BodyFault::Flip(33));
        Arc::new(faulty)
    })
}

fn proof(ended: &Ended) -> &str {
    ended.output["result"]["proof"].as_str().unwrap_or_default()
}

#[test]
fn what_the_store_tells_of_the_whole_is_compared_with_what_the_source_tells() {
    for options in ways() {
        case(&options, async {
            let world = world_of(between(options.clone())).await?;
            let ended = succeeds(&world).await?;
            assert_eq!(proof(&ended), "sourceChecksum", "{ended:?}");
            assert_eq!(ended.output["result"]["checksum"]["algorithm"], "CRC64XZ");
            Ok(())
        });
    }
}

#[test]
fn what_the_store_tells_is_compared_with_what_was_sent_where_the_source_tells_another_checksum() {
    for (options, expected) in
        ways().into_iter().zip(["transitChecksum", "transitChecksum", "sourceChecksum"])
    {
        case(&options, async {
            let world = world_of(into_oss(options.clone())).await?;
            let ended = succeeds(&world).await?;
            assert_eq!(
                proof(&ended),
                expected,
                "one stream has the source's own computed as well: {ended:?}"
            );
            Ok(())
        });
    }
}

#[test]
fn bytes_that_are_altered_on_their_way_to_the_store_are_sent_again() {
    for (options, verb) in ways().into_iter().zip([Verb::UploadPart, Verb::UploadPart, Verb::PutObject]) {
        case(&options, async {
            let world = world_of(flipped(into_oss(options.clone()), "destination", verb)).await?;
            let ended = succeeds(&world).await?;
            copied(&world, &ended, &five());
            let operation = if verb == Verb::PutObject { "PutObject" } else { "UploadPart" };
            let least = if verb == Verb::PutObject { 2 } else { 6 };
            assert!(seen(&world.destination, operation) >= least, "{}", world.trace.text());
            Ok(())
        });
    }
}

/// One worker's parts are joined before the object appears; of many workers' the store tells when it has.
#[test]
fn bytes_that_are_altered_before_they_are_hashed_differ_from_what_the_source_tells() {
    for (options, appears) in [(json!({"singleWorkerLimit": 1 << 20}), false), (json!({}), true)] {
        case(&options, async {
            let world = world_of(flipped(between(options.clone()), "source", Verb::GetObject)).await?;
            let ended = world.transfer("k").await?;
            assert_eq!((ended.error.as_str(), ended.parked), ("ChecksumMismatch", false), "{ended:?}");
            assert_eq!(world.arrived("k").is_some(), appears, "{ended:?}");
            Ok(())
        });
    }
}

#[test]
fn a_store_that_does_not_tell_what_its_profile_says_is_refused() {
    case("whole", async {
        let silent = Capabilities { crc64ecma: false, ..oss() };
        let world = World::builder(1).destination(json!({"profile": "oss"}), silent);
        let world = world_of(world.options(json!({"wholeObjectLimit": 1 << 20}))).await?;
        let ended = world.transfer("k").await?;
        assert_eq!(ended.error, "Unsupported", "{ended:?}");
        assert!(ended.cause.contains("expected a whole-object checksum"), "{}", ended.cause);
        Ok(())
    });
}
