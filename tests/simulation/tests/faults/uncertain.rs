//! Complete whose answers are lost, truncated, doubled, while others write the same key: nothing false is ever told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use simulation::{At, DESTINATION_BUCKET, Fault, Outcome, Seed, Turn, Way, World};
use strict_s3::{Action, Answer, Capabilities, Rule, Versioning};

use crate::kit::{object, plan};

/// Trials in one world; each has a key of its own.
const BATCH: u64 = 50;

/// `TRIALS=10000 cargo test --release ...` runs as many as the documentation tells of.
pub(crate) fn trials(default: u64) -> u64 {
    std::env::var("TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }
}

/// What the network does to the next few Completes.
fn fault(rng: &mut fastrand::Rng) -> Option<Fault> {
    let down = |at, turn| Some(Fault::Strike(Way::Down, at, turn));
    match rng.u8(0..8) {
        0 => Some(Fault::LOST_REQUEST),
        1 | 2 => Some(Fault::LOST_ANSWER),
        3 => down(At::Message(rng.u64(0..700)), Turn::End),
        4 => down(At::Body(rng.u64(0..400)), Turn::Reset),
        5 => Some(Fault::Again(Duration::from_millis(rng.u64(0..40)))),
        6 => down(At::Message(rng.u64(0..200)), Turn::Stall(None)),
        _ => None,
    }
}

/// What the store answers to some Completes of a key: it did what was asked, and says nothing of use.
fn babble(rng: &mut fastrand::Rng, key: &str) -> Vec<Rule> {
    let answers =
        [Answer::ok_empty(), Answer::ok_html(), Answer::internal_error(), Answer::gateway_timeout()];
    let answer = answers[rng.usize(0..4)].clone();
    let action = match rng.u8(0..6) {
        0 => Action::CommitThenAnswer(answer),
        1 => Action::TruncateAnswer(rng.u64(0..400)),
        2 => Action::Answer(answer),
        _ => return Vec::new(),
    };
    vec![Rule::on("CompleteMultipartUpload", action).key(key).first(rng.u64(1..3))]
}

async fn batch(seed: u64, tally: &mut Tally) -> Outcome<()> {
    let mut rng = Seed(seed).rng("uncertain");
    let capabilities = Capabilities { no_such_upload_after_complete: rng.bool(), ..Capabilities::default() };
    let world = World::builder(seed)
        .versioning(Versioning::Off, Versioning::Enabled)
        .destination(json!({}), capabilities)
        .build()
        .await?;
    let keys: Vec<String> = (0..BATCH).map(|number| format!("k{number}")).collect();
    world.destination.set_faults(plan(keys.iter().flat_map(|key| babble(&mut rng, key)).collect::<Vec<_>>()));
    for key in &keys {
        trial(&world, key, &mut rng, tally).await?;
    }
    Ok(())
}

async fn trial(world: &World, key: &str, rng: &mut fastrand::Rng, tally: &mut Tally) -> Outcome<()> {
    world.put_source(key, &object(600));
    let mut wire = rng.fork();
    let mut struck = 0;
    world.network.decide(move |exchange| {
        if exchange.operation() != "CompleteMultipartUpload" || struck == 3 {
            return vec![];
        }
        struck += 1;
        fault(&mut wire).into_iter().collect()
    });
    // Head looks at the destination within the first 10 ms: what stands there then may be replaced.
    let rival = rng.bool().then(|| Duration::from_millis(rng.u64(12..110)));
    let arn = world.start(key).await?;
    let second = if rng.u8(0..4) == 0 { Some(world.start(key).await?) } else { None };
    if let Some(pause) = rival {
        world.advance(pause).await;
        world.put_rival(key, b"a rival's");
    }
    for arn in [Some(arn), second].into_iter().flatten() {
        judge(world, key, &arn, rival.is_some(), tally).await?;
    }
    Ok(())
}

fn is_ours(object: &strict_s3::StoredObject) -> bool {
    object.header("x-amz-meta-transload-token").is_some()
}

/// Holds what was told against what stands, and stood: the destination keeps all versions.
async fn judge(world: &World, key: &str, arn: &str, rival: bool, tally: &mut Tally) -> Outcome<()> {
    let mut ended = world.ended(arn).await?;
    if ended.parked {
        tally.count("parked, and redriven");
        world.redrive(arn).await?;
        ended = world.ended(arn).await?;
    }
    let versions = world.direct().versions(DESTINATION_BUCKET, key);
    let whole = versions
        .iter()
        .any(|object| is_ours(object) && object.bytes().is_ok_and(|b| b == crate::kit::object(600)));
    let stands = versions.last().is_some_and(is_ours);
    tally.count(format!("{} {}", ended.output["status"].as_str().unwrap_or(&ended.status), ended.error));
    let mut wrong = |what: &str| {
        tally.count(what);
        tally.wrong.push(format!("{what}: {key} {ended:?}"));
    };
    match ended.status.as_str() {
        "SUCCEEDED" if !whole && ended.output["status"] == "copied" => wrong("false success"),
        "SUCCEEDED" => {}
        _ if stands => wrong("false failure"),
        _ if !rival => wrong("failure without a rival"),
        _ => {}
    }
    let theirs = versions.iter().position(|object| !is_ours(object));
    if theirs.is_some_and(|at| versions[at..].iter().any(is_ours)) {
        // Only a transfer that began after the rival may replace it; here all began before.
        wrong("a rival's object was replaced");
    }
    Ok(())
}

#[test]
fn uncertain_answers_of_complete_are_never_told_wrongly() {
    let mut tally = Tally::default();
    let trials = trials(1_000);
    for seed in 0..trials.div_ceil(BATCH) {
        simulation::run(seed, batch(seed, &mut tally)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    println!("{} trials of an uncertain Complete: {:#?}", trials.next_multiple_of(BATCH), tally.counts);
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
}
