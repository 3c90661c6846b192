//! Histories under seeds: an object is made, overwritten, deleted and made again, sometimes with the bytes that it had
//! before; each event comes once or twice, late and in any order; requests are slow, answers get lost, workers die.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::{Builder, Fault, Mishap, Outcome, SOURCE_BUCKET, World};
use strict_s3::{Capabilities, Versioning};

/// Histories of each test. More with `TRIALS=10000`.
fn trials() -> u64 {
    std::env::var("TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// Draws; one for each thing that chance decides, so that one does not shift the other.
struct Chance(fastrand::Rng);

impl Chance {
    fn of(seed: u64, what: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(what)))
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0.u64(..most.max(1))
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// What came of a history.
struct Ended {
    same: bool,
    /// Every execution succeeded, and left nothing.
    clean: bool,
    deleted: u64,
    copied: u64,
    what: String,
}

/// One of few contents, so that the same bytes come back. Half of them go in parts.
fn content(chance: &mut Chance) -> Vec<u8> {
    let which = chance.below(4);
    let size = if which < 2 { 200 } else { 700 };
    (0..size).map(|at| (at as u8).wrapping_mul(7).wrapping_add(which as u8)).collect()
}

/// What a history is about.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// Objects are made and deleted, and the destination follows.
    Deletions,
    /// Objects are overwritten, and nothing is deleted.
    Versions,
}

fn options(of: Of) -> Value {
    json!({"delete": of == Of::Deletions, "copyTags": false, "partSize": 256, "wholeObjectLimit": 256,
           "maxConcurrency": 8, "backoffSeconds": 1, "rounds": 20})
}

fn builder(seed: u64) -> Builder {
    let mut chance = Chance::of(seed, 1);
    let versioning = |on: bool| if on { Versioning::Enabled } else { Versioning::Off };
    let builder = World::builder(seed).versioning(versioning(chance.one_in(2)), versioning(chance.one_in(3)));
    if chance.one_in(4) {
        let capabilities = Capabilities {
            crc64nvme: false,
            checksums: false,
            trailers: false,
            conditional_writes: false,
            ..Capabilities::default()
        };
        return builder.destination(json!({"profile": "generic", "etag_md5": true}), capabilities);
    }
    builder
}

/// What goes wrong: slowness most of all, for it is what lets executions overtake each other.
fn trouble(world: &World, seed: u64) {
    let mut chance = Chance::of(seed, 2);
    world.network.decide(move |exchange| match chance.below(40) {
        // The source's owner has a network of his own.
        _ if exchange.worker == 0 => Vec::new(),
        0 => vec![Fault::LOST_ANSWER],
        1..=12 => vec![Fault::Slow(Duration::from_millis(1 + chance.below(2_500)))],
        _ => Vec::new(),
    });
    let mut chance = Chance::of(seed, 3);
    world.workers.decide(move |_| match chance.below(25) {
        0 => vec![Mishap::Killed(1 + chance.below(40) as u32)],
        1..=10 => vec![Mishap::SlowStart(Duration::from_millis(chance.below(15_000)))],
        _ => Vec::new(),
    });
}

/// Changes the source, and lets the events of each change go out when they please.
async fn live(world: &World, seed: u64, of: Of) -> Outcome<Vec<String>> {
    let mut chance = Chance::of(seed, 4);
    let mut late: Vec<(Duration, serde_json::Value)> = Vec::new();
    let mut started = Vec::new();
    let mut changes = 2 + chance.below(4);
    loop {
        let now = world.time.elapsed();
        if changes > 0 {
            changes -= 1;
            if of == Of::Deletions && chance.one_in(2) {
                world.remove_source("k").await?;
            } else {
                world.upload_source("k", &content(&mut chance)).await?;
            }
            for event in world.bus.take() {
                for _ in 0..1 + chance.below(2) {
                    late.push((now + Duration::from_millis(chance.below(6_000)), event.clone()));
                }
            }
        }
        let (due, rest) = late.into_iter().partition::<Vec<_>, _>(|(at, _)| *at <= now);
        late = rest;
        for (_, event) in due {
            for input in world.bus.route(&event, &options(of))? {
                started.push(world.start_with(&input).await?);
            }
        }
        if changes == 0 && late.is_empty() {
            return Ok(started);
        }
        world.advance(Duration::from_millis(1 + chance.below(3_000))).await;
    }
}

fn play(seed: u64, of: Of, change: impl FnOnce(Builder) -> Builder) -> Ended {
    let played = simulation::run(seed, async {
        let world = change(builder(seed)).build().await?;
        trouble(&world, seed);
        let started = live(&world, seed, of).await?;
        let (mut deleted, mut copied, mut failed) = (0, 0, Vec::new());
        for arn in &started {
            let ended = world.ended(arn).await?;
            match ended.output["status"].as_str() {
                Some("deleted") => deleted += 1,
                Some("copied") => copied += 1,
                Some("skipped") => {}
                // Where no deletion is followed, the execution of the next event goes on.
                _ if of == Of::Versions && ended.error == "SourceChanged" => {}
                _ => failed.push(format!("{ended:?}")),
            }
        }
        let bytes = |found: Option<strict_s3::StoredObject>| found.map(|object| object.bytes().unwrap());
        let source = bytes(world.source.direct().get(SOURCE_BUCKET, "k"));
        let arrived = bytes(world.arrived("k"));
        let same = source == arrived;
        // One whose answer was lost on its way to the worker holds no part, and is a lifecycle rule's to remove.
        let clean = failed.is_empty() && world.uploads().iter().all(|upload| upload.parts.is_empty());
        let lengths = [source, arrived].map(|bytes| bytes.map(|bytes| (bytes.len(), bytes[0])));
        let what = if same && clean {
            String::new()
        } else {
            format!("{lengths:?} {failed:?} {:?}\n{}", world.uploads(), world.trace.text())
        };
        Ok(Ended { same, clean, deleted, copied, what })
    });
    played.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn every_history_ends_with_the_destination_as_the_source() {
    let (mut deleted, mut copied) = (0, 0);
    for seed in 0..trials() {
        let ended = play(seed, Of::Deletions, |builder| builder);
        assert!(ended.same && ended.clean, "seed {seed}: {}", ended.what);
        deleted += ended.deleted;
        copied += ended.copied;
    }
    println!("{} histories: {copied} copied, {deleted} deleted", trials());
    assert!(deleted > trials() / 50 && copied > trials() / 2, "{copied} copied, {deleted} deleted");
}

#[test]
fn every_history_of_versions_ends_with_the_newest() {
    let mut copied = 0;
    for seed in 0..trials() {
        let ended = play(seed, Of::Versions, |builder| builder);
        assert!(ended.same && ended.clean && ended.deleted == 0, "seed {seed}: {}", ended.what);
        copied += ended.copied;
    }
    println!("{} histories: {copied} copied", trials());
    assert!(copied > trials(), "{copied} copied");
}

/// Some history ends otherwise when the definition is changed.
fn is_missed(from: &str, to: &str) {
    let found = (0..10 * trials()).find(|seed| {
        let ended = play(*seed, Of::Deletions, |builder| {
            builder.amend("object", |text| {
                assert_eq!(text.matches(from).count(), 1, "{from}");
                text.replace(from, to)
            })
        });
        !ended.same
    });
    assert!(found.is_some(), "without {from}: all is well");
}

#[test]
fn without_the_look_after_a_write_some_history_ends_otherwise() {
    is_missed("{% $head.follow %}", "{% false %}");
}
