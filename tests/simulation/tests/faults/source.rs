//! F09, F10: the source changes or vanishes while it is read.

use simulation::{Builder, DESTINATION_BUCKET, Mishap, Outcome, SOURCE_BUCKET, World};
use strict_s3::{Action, Answer, Rule, Versioning};

use crate::kit::{PART, case, copied, fails, five, generic, newer, object, overwrite, plan};

/// When the source changes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    BeforeFirstPart,
    During,
    AfterLastPart,
}

const WHENS: [When; 3] = [When::BeforeFirstPart, When::During, When::AfterLastPart];

/// A world whose source does something at that moment.
async fn changing(
    builder: Builder,
    when: When,
    act: impl Fn(&strict_s3::Direct) + Send + Sync + 'static,
) -> Outcome<World> {
    let world = builder.build().await?;
    // Known beforehand, so that the world knows what a later transfer may bring.
    world.put_source("k", &newer());
    world.put_source("k", &five());
    let source = world.source.direct();
    match when {
        When::During => {
            let hook = Action::hook(act);
            world.source.set_faults(Rule::on("GetObject", hook).range_start(2 * PART).first(1));
        }
        _ => {
            let operation = match when {
                When::BeforeFirstPart => "CreateMultipartUpload",
                _ => "CompleteMultipartUpload",
            };
            let hook = Action::hook(move |_| act(&source));
            world.destination.set_faults(Rule::on(operation, hook).first(1));
        }
    }
    Ok(world)
}

fn versioned() -> Builder {
    World::builder(1).versioning(Versioning::Enabled, Versioning::Enabled)
}

#[test]
fn f09_the_source_is_overwritten_and_no_mix_appears() {
    for when in [When::BeforeFirstPart, When::During] {
        case(when, async {
            let change = |direct: &strict_s3::Direct| overwrite(direct, newer());
            let world = changing(World::builder(1), when, change).await?;
            let ended = fails(&world, "SourceChanged").await?;
            assert!(ended.states.contains(&"Abort".to_owned()), "{ended:?}");
            Ok(())
        });
    }
}

#[test]
fn f09_the_source_is_overwritten_after_its_last_byte_was_read_and_the_pinned_version_arrives() {
    case(When::AfterLastPart, async {
        let change = |direct: &strict_s3::Direct| overwrite(direct, newer());
        let world = changing(World::builder(1), When::AfterLastPart, change).await?;
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &five());
        world.check().await
    });
}

#[test]
fn f09_a_pinned_version_of_a_source_that_is_overwritten_arrives() {
    for when in WHENS {
        case(when, async {
            let change = |direct: &strict_s3::Direct| overwrite(direct, newer());
            let world = changing(versioned(), when, change).await?;
            let ended = world.transfer("k").await?;
            copied(&world, &ended, &five());
            world.check().await
        });
    }
}

#[test]
fn f10_the_source_is_deleted_midway() {
    for when in [When::BeforeFirstPart, When::During] {
        case(when, async {
            let delete = |direct: &strict_s3::Direct| {
                direct.delete(SOURCE_BUCKET, "k");
            };
            let world = changing(World::builder(1), when, delete).await?;
            let ended = fails(&world, "SourceNotFound").await?;
            assert!(ended.states.contains(&"Abort".to_owned()), "{ended:?}");
            Ok(())
        });
    }
    case("after the last part", async {
        let delete = |direct: &strict_s3::Direct| {
            direct.delete(SOURCE_BUCKET, "k");
        };
        let world = changing(World::builder(1), When::AfterLastPart, delete).await?;
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &five());
        world.check().await
    });
}

#[test]
fn f10_a_delete_marker_leaves_the_pinned_version_readable() {
    for when in WHENS {
        case(when, async {
            let delete = |direct: &strict_s3::Direct| {
                direct.delete(SOURCE_BUCKET, "k");
            };
            let world = changing(versioned(), when, delete).await?;
            let ended = world.transfer("k").await?;
            copied(&world, &ended, &five());
            world.check().await
        });
    }
}

#[test]
fn f10_the_pinned_version_is_deleted_midway() {
    case("NoSuchVersion", async {
        let world = versioned().build().await?;
        world.put_source("k", &five());
        let gone = || Action::Answer(Answer::error(404, "NoSuchVersion", "The version does not exist."));
        world.source.set_faults(plan([
            Rule::on("GetObject", gone()).from_nth(3),
            Rule::on("HeadObject", gone()).from_nth(2),
        ]));
        let ended = fails(&world, "SourceNotFound").await?;
        assert!(ended.states.contains(&"Abort".to_owned()), "{ended:?}");
        assert_eq!(world.direct().versions(DESTINATION_BUCKET, "k").len(), 1, "the replay's");
        Ok(())
    });
}

/// The first try to copy ends so, and before the second the source changes.
fn between_two_tries(world: &World, first: Mishap, change: impl Fn(&strict_s3::Direct) + Send + 'static) {
    let (source, mut tries) = (world.source.direct(), 0);
    world.workers.decide(move |call| {
        tries += u32::from(call.function == "copy");
        match (call.function.as_str(), tries) {
            ("copy", 1) => vec![first],
            ("copy", 2) => {
                change(&source);
                vec![]
            }
            _ => vec![],
        }
    });
}

/// A world with a small object.
async fn world_of_one(builder: Builder) -> Outcome<World> {
    let world = builder.build().await?;
    // Known beforehand, so that the world knows what a later transfer may bring.
    world.put_source("k", &object(99));
    world.put_source("k", &small());
    Ok(world)
}

fn small() -> Vec<u8> {
    object(200)
}

#[test]
fn f09_a_worker_sent_the_object_and_died_and_the_source_is_another_when_the_next_one_looks() {
    let lost = Mishap::LostAnswer("Lambda.Unknown");
    // Where nothing but a look keeps writers apart, the source is looked at once more, and what is newer is copied too.
    for (name, builder, arrives) in [
        ("with checksums", World::builder(1), small()),
        ("with MD5s alone", generic(World::builder(1)), object(99)),
    ] {
        case(name, async {
            let world = world_of_one(builder).await?;
            between_two_tries(&world, lost, |direct| overwrite(direct, object(99)));
            let ended = world.transfer("k").await?;
            copied(&world, &ended, &arrives);
            assert!(!ended.states.contains(&"Gone".to_owned()), "{ended:?}");
            assert_eq!(ended.output["result"]["reconciled"], arrives == small(), "{ended:?}");
            world.check().await
        });
    }
    case("F10: deleted", async {
        let delete = |direct: &strict_s3::Direct| {
            direct.delete(SOURCE_BUCKET, "k");
        };
        let world = world_of_one(World::builder(1)).await?;
        between_two_tries(&world, lost, delete);
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &small());
        Ok(())
    });
    // F04, F05: what reads the source gives no second copy of what was read.
    for broken in [
        Action::IgnoreRange,
        Action::ShiftContentRange(1),
        Action::Answer(Answer::error(403, "AccessDenied", "no")),
    ] {
        case(format!("{broken:?}"), async {
            let world = world_of_one(World::builder(1)).await?;
            between_two_tries(&world, lost, |_| {});
            world.source.set_faults(Rule::on("GetObject", broken).from_nth(2));
            let ended = world.transfer("k").await?;
            copied(&world, &ended, &small());
            assert_eq!(ended.output["result"]["reconciled"], true, "{ended:?}");
            Ok(())
        });
    }
}

#[test]
fn f09_an_older_version_of_the_same_size_is_not_taken_for_the_pinned_one() {
    case("a token for each version", async {
        let older: Vec<u8> = small().iter().map(|byte| !byte).collect();
        let world = World::builder(1).build().await?;
        world.put_source("k", &older);
        // Without it nothing but the size tells the two apart.
        world.source.set_faults(Rule::on("HeadObject", Action::OmitHeader("x-amz-checksum-crc64nvme")));
        let first = world.transfer("k").await?;
        copied(&world, &first, &older);
        world.put_source("k", &small());
        let refused = Mishap::Refused("Lambda.ServiceException");
        between_two_tries(&world, refused, |direct| overwrite(direct, object(99)));
        let ended = world.transfer("k").await?;
        assert_eq!((ended.status.as_str(), ended.error.as_str()), ("FAILED", "SourceChanged"), "{ended:?}");
        assert!(world.arrived("k").unwrap().bytes().unwrap() == older);
        Ok(())
    });
}
