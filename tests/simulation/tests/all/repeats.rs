//! The same seed gives the same world, byte for byte.

use std::time::Duration;

use simulation::{At, Fault, Mishap, Outcome, Seed, Turn, Way, World};
use strict_s3::{Action, Answer, FaultPlan, Rule};

/// A rough day: everything that draws has something to draw.
async fn rough(seed: u64) -> Outcome<(String, Vec<u8>)> {
    let world = World::builder(seed).concurrency(3).build().await?;
    let mut size = Seed(seed).rng("size");
    world.put_source("k", &vec![seed as u8; size.usize(0..2_000)]);
    let plan = FaultPlan::seeded(seed);
    world
        .destination
        .set_faults(plan.rule(Rule::always(Action::Answer(Answer::slow_down())).probability(0.1)));
    let mut wire = Seed(seed).rng("wire");
    world.network.decide(move |_| match wire.u8(0..40) {
        0 => vec![Fault::LOST_REQUEST],
        1 => vec![Fault::LOST_ANSWER],
        2 => vec![Fault::Strike(Way::Down, At::Body(wire.u64(0..300)), Turn::Reset)],
        3 => vec![Fault::Strike(Way::Up, At::Body(wire.u64(0..300)), Turn::Flip(wire.u8(0..8)))],
        4 => vec![Fault::Strike(Way::Down, At::Message(wire.u64(0..300)), Turn::Stall(None))],
        5 => vec![Fault::Strike(Way::Up, At::Message(wire.u64(0..900)), Turn::Flip(3))],
        6 => vec![Fault::Slow(Duration::from_millis(wire.u64(0..9_000)))],
        7 => vec![Fault::Again(Duration::from_millis(wire.u64(0..9_000)))],
        _ => vec![],
    });
    let mut fate = Seed(seed).rng("fate");
    world.workers.decide(move |_| match fate.u8(0..20) {
        0 => vec![Mishap::Killed(fate.u32(1..12))],
        1 => vec![Mishap::LostAnswer("Lambda.Unknown")],
        2 => vec![Mishap::Frozen(fate.u32(1..12))],
        3 => vec![Mishap::Skew(1_200)],
        _ => vec![],
    });
    world.transfer("k").await?;
    world.advance(Duration::from_secs(3_600)).await;
    Ok((world.trace.text(), world.stored()?))
}

#[test]
fn the_same_seed_gives_the_same_trace_and_the_same_database() {
    for seed in 0..200 {
        let [one, two] = [(); 2].map(|()| simulation::run(seed, rough(seed)).unwrap());
        if one.0 != two.0 {
            let differ = one.0.lines().zip(two.0.lines()).find(|(a, b)| a != b);
            panic!("seed {seed}: {differ:?} ({} and {} lines)", one.0.lines().count(), two.0.lines().count());
        }
        assert!(one.1 == two.1, "seed {seed}: the databases differ");
    }
}

#[test]
fn another_seed_gives_another_trace() {
    let [one, two] = [1, 2].map(|seed| simulation::run(seed, rough(seed)).unwrap().0);
    assert_ne!(one, two);
}
