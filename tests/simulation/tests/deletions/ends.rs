//! How a transfer ends whose source is gone: what is deleted, what is left, and what says so.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::{At, Builder, Ended, Fault, Mishap, Outcome, SOURCE_BUCKET, Turn, Way, World};
use strict_s3::{Action, Answer, FaultPlan, Rule, Versioning};
use transload_store::{ObjectRef, StoredRef, Stores};

const BYTES: &[u8] = &[7; 700];

async fn world(options: Value) -> Outcome<World> {
    let world = World::builder(1).options(options).build().await?;
    world.put_source("k", BYTES);
    Ok(world)
}

/// A world in which the source was copied, and is gone.
async fn left_over() -> Outcome<World> {
    let world = world(json!({"delete": true})).await?;
    assert_eq!(world.transfer("k").await?.output["status"], "copied");
    world.delete_source("k");
    Ok(world)
}

fn case(work: impl Future<Output = Outcome<()>>) {
    simulation::run(1, work).unwrap();
}

fn told(ended: &Ended) -> (&str, &str) {
    (ended.output["status"].as_str().unwrap_or(&ended.error), ended.output["reason"].as_str().unwrap_or(""))
}

#[test]
fn the_copy_of_what_is_gone_is_deleted_once() {
    case(async {
        let world = left_over().await?;
        let ended = world.transfer("k").await?;
        assert_eq!(told(&ended), ("deleted", "the source is gone"));
        assert_eq!(ended.states.join(" "), "Head Gone Remove Settled Deleted");
        assert_eq!(ended.output["source"]["object"]["key"], "k");
        assert!(world.arrived("k").is_none());
        assert_eq!(told(&world.transfer("k").await?), ("skipped", "source and destination are gone"));
        Ok(())
    });
}

#[test]
fn without_the_option_nothing_is_deleted_and_the_event_says_so() {
    case(async {
        let world = world(json!({})).await?;
        world.transfer("k").await?;
        let mut input = world.input("k");
        input["event"] = "deleted".into();
        // The source may be there again, with something else: the event is none of a write.
        world.put_source("k", &[8; 900]);
        let off = ("skipped", "the event tells of a deletion, and options.delete is off");
        assert_eq!(told(&world.ended(&world.start_with(&input).await?).await?), off);
        world.delete_source("k");
        assert_eq!(told(&world.ended(&world.start_with(&input).await?).await?), off);
        assert_eq!(
            world.transfer("k").await?.error,
            "SourceNotFound",
            "a request without an event fails as before"
        );
        assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), BYTES);
        Ok(())
    });
}

#[test]
fn what_was_not_copied_from_this_source_is_left_alone() {
    case(async {
        let world = left_over().await?;
        let other = "what stands at the destination was not copied from this source";
        let mut elsewhere = world.input("k");
        elsewhere["source"]["key"] = "another".into();
        assert_eq!(told(&world.ended(&world.start_with(&elsewhere).await?).await?), ("skipped", other));
        world.put_rival("k", b"a rival's");
        assert_eq!(told(&world.transfer("k").await?), ("skipped", other));
        assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), b"a rival's"[..]);
        Ok(())
    });
}

#[test]
fn what_can_not_be_looked_up_is_not_gone() {
    for (status, code, error) in
        [(403, "AccessDenied", "SourceAccessDenied"), (500, "InternalError", "Unavailable")]
    {
        case(async {
            let world = left_over().await?;
            let refused = Action::Answer(Answer::error(status, code, "no"));
            world.source.set_faults(Rule::on("ListObjectsV2", refused));
            let ended = world.transfer("k").await?;
            assert_eq!((ended.error.as_str(), ended.parked), (error, true), "{ended:?}");
            assert!(world.arrived("k").is_some(), "{code}");
            world.source.set_faults(FaultPlan::seeded(1));
            world.redrive(&ended.arn).await?;
            assert_eq!(told(&world.ended(&ended.arn).await?).0, "deleted");
            Ok(())
        });
    }
}

#[test]
fn a_bucket_that_is_missing_has_not_lost_its_objects() {
    case(async {
        let world = left_over().await?;
        let gone = Action::Answer(Answer::error(404, "NoSuchBucket", "gone"));
        world.source.set_faults(Rule::on("ListObjectsV2", gone));
        assert_eq!(told(&world.transfer("k").await?).0, "SourceNotFound");
        assert!(world.arrived("k").is_some());
        Ok(())
    });
}

#[test]
fn a_deletion_between_read_and_write_is_followed_by_the_writer() {
    for size in [100, 700] {
        case(async {
            let world = World::builder(1).options(json!({"delete": true})).build().await?;
            world.put_source("k", &vec![9; size]);
            let source = world.source.clone();
            let mut written = false;
            world.network.decide(move |exchange| {
                let last = ["PutObject", "CompleteMultipartUpload"].contains(&exchange.operation());
                // While what was written is read back.
                if written && exchange.place == "destination" {
                    source.direct().delete(SOURCE_BUCKET, "k");
                }
                written |= last;
                Vec::new()
            });
            let ended = world.transfer("k").await?;
            assert_eq!(told(&ended).0, "deleted", "{ended:?}");
            assert!(world.arrived("k").is_none() && world.uploads().is_empty());
            Ok(())
        });
    }
}

/// The source comes back with the same bytes just before its copy is deleted.
async fn comes_back(world: &World) -> Outcome<Ended> {
    world.put_source("k", BYTES);
    world.transfer("k").await?;
    world.delete_source("k");
    let source = world.source.clone();
    let mut done = false;
    world.network.decide(move |exchange| {
        // The same bytes, so the same ETag: no condition tells the two copies apart.
        if exchange.method == "DELETE" && !std::mem::replace(&mut done, true) {
            source.direct().put(SOURCE_BUCKET, "k", BYTES.to_vec());
        }
        Vec::new()
    });
    world.transfer("k").await
}

#[test]
fn a_source_that_comes_back_while_its_copy_is_deleted_is_copied_again() {
    case(async {
        let world = World::builder(1).options(json!({"delete": true})).build().await?;
        let ended = comes_back(&world).await?;
        assert_eq!(told(&ended).0, "copied", "{ended:?}");
        assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), BYTES);
        Ok(())
    });
}

#[test]
fn without_the_turn_after_the_look_it_is_not() {
    case(async {
        let turn = "{% $removal.outcome = 'again' %}";
        let builder = World::builder(1).options(json!({"delete": true})).amend("object", |text| {
            assert_eq!(text.matches(turn).count(), 1);
            text.replace(turn, "{% false %}")
        });
        let world = builder.build().await?;
        comes_back(&world).await?;
        assert!(world.arrived("k").is_none());
        Ok(())
    });
}

#[test]
fn a_deletion_whose_answer_is_lost_or_whose_worker_dies_is_done_once() {
    for polls in 1..24 {
        case(async {
            let world = left_over().await?;
            world.workers.decide(move |call| match call.function.as_str() {
                "remove" if call.number % 2 == 0 => vec![Mishap::Killed(polls)],
                _ => Vec::new(),
            });
            world.network.decide(move |exchange| match exchange.method.as_str() {
                "DELETE" if exchange.number % 2 == 0 => vec![Fault::LOST_ANSWER],
                "DELETE" => {
                    vec![Fault::Strike(Way::Up, At::Message(0), Turn::Stall(Some(Duration::from_secs(2))))]
                }
                _ => Vec::new(),
            });
            let ended = world.transfer("k").await?;
            assert_eq!(ended.status, "SUCCEEDED", "{polls}: {ended:?}");
            assert!(world.arrived("k").is_none());
            Ok(())
        });
    }
}

#[test]
fn a_version_that_is_deleted_for_good_leaves_the_older_one_to_be_copied() {
    case(async {
        let world = World::builder(1)
            .versioning(Versioning::Enabled, Versioning::Enabled)
            .options(json!({"delete": true}))
            .build()
            .await?;
        world.put_source("k", b"older");
        world.put_source("k", b"newer");
        world.transfer("k").await?;
        let newest = world.source.direct().get(SOURCE_BUCKET, "k").unwrap();
        let object = ObjectRef::from(StoredRef {
            bucket: SOURCE_BUCKET.parse().unwrap(),
            key: "k".parse().unwrap(),
            version: Some(newest.version_id.parse().unwrap()),
            requester_pays: false,
        });
        let store = world.stores().open(&"source".parse().unwrap()).unwrap();
        store.delete_object(&object, &newest.etag.parse().unwrap()).await.unwrap();
        assert_eq!(told(&world.transfer("k").await?).0, "copied");
        assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), b"older"[..]);
        // A marker hides it at the destination too, and the versions behind it stay.
        world.delete_source("k");
        assert_eq!(told(&world.transfer("k").await?).0, "deleted");
        assert!(world.arrived("k").is_none());
        assert_eq!(world.direct().versions(simulation::DESTINATION_BUCKET, "k").len(), 2);
        Ok(())
    });
}

/// What stands at the destination when the source went from one content to another and back, and the copy of the other is
/// written last, and how that transfer ended. The content that came back has the ETag that the transfer expects to replace.
async fn overtaken(builder: Builder, size: usize) -> Outcome<(Vec<u8>, Ended)> {
    let world = builder.versioning(Versioning::Enabled, Versioning::Off).build().await?;
    let (one, other) = (vec![1; size], vec![2; size]);
    world.put_source("k", &one);
    assert_eq!(told(&world.transfer("k").await?).0, "copied");
    world.put_source("k", &other);
    let mut slow = false;
    world.network.decide(move |exchange| {
        let last = exchange.place == "destination"
            && ["PutObject", "CompleteMultipartUpload"].contains(&exchange.operation());
        if last && !std::mem::replace(&mut slow, true) {
            return vec![Fault::Slow(Duration::from_secs(4))];
        }
        Vec::new()
    });
    let late = world.start("k").await?;
    world.advance(Duration::from_secs(2)).await;
    world.put_source("k", &one);
    assert_eq!(told(&world.transfer("k").await?).0, "copied");
    let ended = world.ended(&late).await?;
    Ok((world.arrived("k").unwrap().bytes().unwrap().to_vec(), ended))
}

#[test]
fn a_late_write_of_an_older_version_is_followed_by_the_newest() {
    for size in [100, 700] {
        for overwrite in ["ifDifferent", "always"] {
            case(async {
                let builder = World::builder(1).options(json!({"overwrite": overwrite}));
                let (bytes, ended) = overtaken(builder, size).await?;
                assert_eq!(bytes, vec![1; size]);
                assert_eq!(ended.output["status"], "copied", "{ended:?}");
                Ok(())
            });
        }
    }
}

#[test]
fn without_the_look_after_it_the_older_version_stays() {
    case(async {
        let look = "{% $head.follow %}";
        let builder = World::builder(1).amend("object", |text| {
            assert_eq!(text.matches(look).count(), 1);
            text.replace(look, "{% false %}")
        });
        assert_eq!(overtaken(builder, 700).await?.0, [2; 700]);
        Ok(())
    });
}
