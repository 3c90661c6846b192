//! Each kind of fault happens, and the transfer gets over it.

use std::time::Duration;

use simulation::{At, Ended, Exchange, Fault, Mishap, Outcome, Turn, Way, World};

const OBJECT: [u8; 1_200] = [7; 1_200];

fn once(operation: &'static str, fault: Fault) -> impl FnMut(&Exchange) -> Vec<Fault> {
    let mut done = false;
    move |exchange| match exchange.operation() == operation && !std::mem::replace(&mut done, true) {
        true => vec![fault],
        false => vec![],
    }
}

async fn with_fault(operation: &'static str, fault: Fault) -> Outcome<(Ended, World)> {
    let world = World::builder(1).build().await?;
    world.put_source("k", &OBJECT);
    world.network.decide(once(operation, fault));
    let ended = world.transfer("k").await?;
    assert_eq!(world.network.injected().values().sum::<u64>(), 1, "{operation} {fault:?}");
    Ok((ended, world))
}

#[test]
fn a_quiet_world_copies_in_parts_and_whole() {
    simulation::run(1, async {
        let world = World::builder(1).build().await?;
        for (key, size) in [("empty", 0), ("one", 1), ("whole", 256), ("parts", 257), ("more", 5_000)] {
            world.put_source(key, &vec![9; size]);
            let ended = world.transfer(key).await?;
            assert_eq!(ended.output["status"], "copied", "{key} {ended:?}");
            assert_eq!(world.arrived(key).unwrap().size, size as u64);
        }
        world.check().await
    })
    .unwrap();
}

#[test]
fn the_network_loses_delays_and_damages_and_nothing_comes_of_it() {
    let body = |way, turn| Fault::Strike(way, At::Body(100), turn);
    let cases = [
        ("GetObject", Fault::LOST_REQUEST),
        ("GetObject", Fault::LOST_ANSWER),
        ("GetObject", body(Way::Down, Turn::Reset)),
        ("GetObject", body(Way::Down, Turn::End)),
        ("GetObject", body(Way::Down, Turn::Stall(Some(Duration::from_secs(60))))),
        ("GetObject", body(Way::Down, Turn::Stall(None))),
        ("GetObject", Fault::Slow(Duration::from_secs(20))),
        ("UploadPart", Fault::LOST_REQUEST),
        ("UploadPart", Fault::LOST_ANSWER),
        ("UploadPart", body(Way::Up, Turn::Flip(0))),
        ("UploadPart", body(Way::Up, Turn::Swap)),
        ("UploadPart", body(Way::Up, Turn::Omit(5))),
        ("UploadPart", body(Way::Up, Turn::Repeat(5))),
        ("UploadPart", body(Way::Up, Turn::Stall(None))),
        ("UploadPart", Fault::Again(Duration::from_secs(5))),
        ("CreateMultipartUpload", Fault::LOST_REQUEST),
        ("CompleteMultipartUpload", Fault::LOST_REQUEST),
        ("CompleteMultipartUpload", Fault::LOST_ANSWER),
        ("CompleteMultipartUpload", Fault::Again(Duration::from_secs(1))),
        ("HeadObject", Fault::LOST_ANSWER),
    ];
    for (operation, fault) in cases {
        simulation::run(1, async {
            let (ended, world) = with_fault(operation, fault).await?;
            assert_eq!(
                ended.output["status"],
                "copied",
                "{operation} {fault:?} {ended:?}\n{}",
                world.trace.text()
            );
            world.check().await
        })
        .unwrap_or_else(|error| panic!("{operation} {fault:?}: {error}"));
    }
}

#[test]
fn workers_end_as_lambda_ends_them_and_others_go_on() {
    let mishaps = [
        Mishap::Throttled,
        Mishap::Refused("Lambda.ServiceException"),
        Mishap::LostAnswer("Lambda.Unknown"),
        Mishap::Killed(3),
        Mishap::OutOfMemory(4),
        Mishap::Frozen(2),
        Mishap::SlowStart(Duration::from_secs(9)),
        Mishap::Skew(3_600),
        Mishap::Skew(-86_400),
        Mishap::Time(Duration::from_secs(11)),
    ];
    for function in ["head", "init", "part", "complete"] {
        for mishap in mishaps {
            simulation::run(1, async {
                let world = World::builder(1).build().await?;
                world.put_source("k", &OBJECT);
                let mut done = false;
                world.workers.decide(move |call| {
                    match call.function == function && !std::mem::replace(&mut done, true) {
                        true => vec![mishap],
                        false => vec![],
                    }
                });
                let ended = world.transfer("k").await?;
                let text = world.trace.text();
                assert_eq!(ended.output["status"], "copied", "{function} {mishap:?} {ended:?}\n{text}");
                world.check().await
            })
            .unwrap_or_else(|error| panic!("{function} {mishap:?}: {error}"));
        }
    }
}

#[test]
fn an_engine_that_is_killed_goes_on_where_it_was() {
    for millis in [3, 17, 31, 50, 77, 110, 150] {
        simulation::run(millis, async {
            let world = World::builder(millis).build().await?;
            world.put_source("k", &OBJECT);
            let arn = world.start("k").await?;
            world.advance(Duration::from_millis(millis)).await;
            world.crash_engine().await?;
            let ended = world.ended(&arn).await?;
            assert_eq!(ended.output["status"], "copied", "{ended:?}\n{}", world.trace.text());
            world.check().await
        })
        .unwrap_or_else(|error| panic!("after {millis} ms: {error}"));
    }
}

#[test]
fn what_is_stopped_is_cleaned_up_by_the_janitor_and_only_by_it() {
    for janitor in [true, false] {
        simulation::run(1, async {
            let world = World::builder(1).janitor(janitor).build().await?;
            world.put_source("k", &OBJECT);
            world.network.decide(|exchange| match exchange.operation() {
                "UploadPart" => vec![Fault::Slow(Duration::from_secs(20))],
                _ => vec![],
            });
            let arn = world.start("k").await?;
            world.advance(Duration::from_secs(3)).await;
            assert_eq!(world.uploads().len(), 1, "{}", world.trace.text());
            world.stop(&arn).await?;
            let found = world.check().await;
            assert_eq!(found.is_ok(), janitor, "{found:?}");
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn a_parked_transfer_is_redriven_13_days_later() {
    simulation::run(1, async {
        let world = World::builder(1).options(serde_json::json!({"rounds": 1})).build().await?;
        world.put_source("k", &OBJECT);
        world.network.decide(|exchange| match exchange.operation() {
            "UploadPart" if exchange.target.contains("partNumber=3") => vec![Fault::LOST_REQUEST],
            _ => vec![],
        });
        let ended = world.transfer("k").await?;
        assert!(ended.parked && ended.error == "RoundsExhausted", "{ended:?}");
        world.advance(Duration::from_secs(13 * 86_400 + 23 * 3_600)).await;
        world.network.heal();
        let before = world.trace.count("partNumber=");
        world.redrive(&ended.arn).await?;
        assert_eq!(world.ended(&ended.arn).await?.output["status"], "copied");
        assert_eq!(world.trace.count("partNumber=") - before, 1, "only what is missing");
        world.check().await
    })
    .unwrap();
}
