//! F09, F10: the source changes or vanishes while it is read.

use simulation::{Builder, DESTINATION_BUCKET, Outcome, SOURCE_BUCKET, World};
use strict_s3::{Action, Answer, Rule, Versioning};

use crate::kit::{PART, case, copied, fails, five, newer, overwrite, plan};

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
