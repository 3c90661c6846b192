//! Bytes that are altered on the way and in memory: none of them stands at the destination, ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use simulation::{At, DESTINATION_BUCKET, Fault, Outcome, Seed, Turn, Way, World};
use strict_s3::{Action, Rule, Versioning};
use transload_store::Deadline;
use transload_wire::{
    CompleteInput, CopyInput, Decision, Failure, HeadInput, HeadOutput, InitInput, PartInput,
};

use crate::kit::{case, object};
use crate::spoiler::{Armed, Damage, Spoiler};
use crate::uncertain::trials;

/// Trials in one world; each has a key of its own.
const BATCH: u64 = 100;

/// Where bytes are altered.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In an answer of the source.
    Answer,
    /// In the worker's memory, before a checksum is taken.
    Read,
    /// In the worker's memory, after that.
    Sent,
    /// In a request to the destination, framing and trailer included.
    Request,
}

const PLACES: [Place; 4] = [Place::Answer, Place::Read, Place::Sent, Place::Request];

fn turn(damage: Damage) -> Turn {
    match damage {
        Damage::Flip => Turn::Flip(2),
        Damage::Swap => Turn::Swap,
        Damage::Truncate => Turn::End,
        Damage::Duplicate => Turn::Repeat(5),
        Damage::Omit => Turn::Omit(5),
    }
}

/// A worker's memory in a world.
struct Memory {
    reads: Armed,
    writes: Armed,
}

async fn world(seed: u64) -> Outcome<(World, Memory)> {
    let memory = Memory { reads: Armed::default(), writes: Armed::default() };
    let (reads, writes) = (memory.reads.clone(), memory.writes.clone());
    let builder = World::builder(seed).versioning(Versioning::Off, Versioning::Enabled);
    let builder = builder.decorate(move |name, inner| {
        let none = Armed::default;
        Arc::new(match name {
            "source" => Spoiler { inner, reads: reads.clone(), writes: none() },
            _ => Spoiler { inner, reads: none(), writes: writes.clone() },
        })
    });
    Ok((builder.build().await?, memory))
}

/// The states one after the other, without the engine: it would take most of the time.
async fn send(world: &World, key: &str) -> Result<(), Failure> {
    let stores = world.stores();
    let execution = json!({"id": key, "startTime": "2026-01-01T00:00:00Z", "redriveCount": 0});
    let input: HeadInput =
        serde_json::from_value(json!({"request": world.input(key), "execution": execution})).unwrap();
    let execution = input.execution.clone();
    let head = transload_head::handle(stores, Deadline::NONE, input).await?;
    if head.decision == Decision::Copy {
        return transload_copy::handle(stores, Deadline::NONE, copy_input(&head)).await.map(drop);
    }
    let HeadOutput { source, destination, options, attributes, identity, token, replaces, .. } = head;
    let layout = head.layout.unwrap();
    let init = InitInput {
        source: source.clone(),
        destination: destination.clone(),
        options: options.clone(),
        attributes,
        identity,
        token: token.clone(),
        layout: layout.clone(),
        execution,
        round: 0,
        upload: None,
        route: None,
    };
    let init = transload_init::handle(stores, Deadline::NONE, init).await?;
    for parts in init.batches {
        let part = PartInput {
            source: source.clone(),
            destination: destination.clone(),
            upload: init.upload.clone(),
            layout: layout.clone(),
            parts,
            parts_in_flight: 1,
            verify: options.verify,
            bandwidth: None,
            window: None,
            entered: None,
            retry_count: 0,
            route: None,
        };
        transload_part::handle(stores, Deadline::NONE, part).await?;
    }
    let upload = init.upload;
    let complete = CompleteInput {
        source,
        destination,
        options,
        upload,
        layout,
        token,
        sent: None,
        replaces,
        route: None,
    };
    transload_complete::handle(stores, Deadline::NONE, complete).await.map(drop)
}

fn copy_input(head: &HeadOutput) -> CopyInput {
    CopyInput {
        source: head.source.clone(),
        destination: head.destination.clone(),
        options: head.options.clone(),
        attributes: head.attributes.clone(),
        identity: head.identity.clone(),
        token: head.token.clone(),
        replaces: head.replaces.clone(),
        route: None,
        entered: None,
    }
}

/// Puts one damage into the way of the next body.
fn arm(world: &World, memory: &Memory, place: Place, damage: Damage, at: u64) {
    let strike = |way| Fault::Strike(way, At::Body(at), turn(damage));
    let strike = match place {
        Place::Answer => ("GetObject", strike(Way::Down)),
        Place::Request => ("UploadPart", strike(Way::Up)),
        Place::Read => return memory.reads.set(damage, at as usize),
        Place::Sent => return memory.writes.set(damage, at as usize),
    };
    let mut done = false;
    world.network.decide(move |exchange| {
        let operation = exchange.operation();
        let hit = operation == strike.0 || (operation == "PutObject" && strike.0 == "UploadPart");
        if hit && !std::mem::replace(&mut done, true) { vec![strike.1] } else { vec![] }
    });
}

#[derive(Debug, Default)]
struct Tally {
    injected: BTreeMap<String, u64>,
    ends: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

async fn batch(seed: u64, tally: &mut Tally) -> Outcome<()> {
    let mut rng = Seed(seed).rng("corruption");
    let (world, memory) = world(seed).await?;
    for number in 0..BATCH {
        let key = format!("k{number}");
        let bytes = object(if rng.u8(0..4) == 0 { 600 } else { 200 });
        world.put_source(&key, &bytes);
        let (place, damage) = (PLACES[rng.usize(0..4)], Damage::ALL[rng.usize(0..5)]);
        // The last of three parts has 88 bytes; a framed body has more, of which the trailer is a part.
        let most = if matches!(place, Place::Request) { 240 } else { 200 };
        let before = injected(&world, &memory);
        arm(&world, &memory, place, damage, rng.u64(0..most));
        let ended = send(&world, &key).await;
        world.network.heal();
        let how = ended.as_ref().map_or_else(|failure| failure.name.as_str(), |()| "copied");
        *tally.ends.entry(how.to_owned()).or_default() += 1;
        if injected(&world, &memory) > before {
            *tally.injected.entry(format!("{place:?} {damage:?}")).or_default() += 1;
        }
        let versions = world.direct().versions(DESTINATION_BUCKET, &key);
        let right = versions.iter().all(|object| object.bytes().is_ok_and(|found| found == bytes));
        if !right || (ended.is_ok() && versions.is_empty()) {
            tally.wrong.push(format!("seed {seed} {key}: {place:?} {damage:?}: {how}"));
        }
    }
    Ok(())
}

fn injected(world: &World, memory: &Memory) -> u64 {
    world.network.injected().values().sum::<u64>() + memory.reads.done() + memory.writes.done()
}

#[test]
fn corruption_on_the_way_or_in_memory_never_reaches_an_object() {
    let mut tally = Tally::default();
    let trials = trials(5_000);
    for seed in 0..trials.div_ceil(BATCH) {
        simulation::run(seed, batch(seed, &mut tally)).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let all: u64 = tally.injected.values().sum();
    println!("{all} alterations, {} undetected: {:#?} {:#?}", tally.wrong.len(), tally.injected, tally.ends);
    assert!(all * 100 >= trials * 95, "expected nearly every trial to alter something, found {all}");
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
}

/// One flip in memory before the checksum, of a source that tells no checksum; what arrives.
fn without_checksum(size: usize, verify: &'static str) -> (String, Vec<u8>, u64) {
    case((size, verify), async {
        let memory = Armed::default();
        let reads = memory.clone();
        let builder =
            World::builder(1).options(json!({"verify": verify})).decorate(move |name, inner| match name {
                "source" => Arc::new(Spoiler { inner, reads: reads.clone(), writes: Armed::default() }),
                _ => inner,
            });
        let world = builder.build().await?;
        world.put_source("k", &object(size));
        world.source.set_faults(Rule::on("HeadObject", Action::OmitHeader("x-amz-checksum-crc64nvme")));
        memory.set(Damage::Flip, 70);
        let ended = world.transfer("k").await?;
        assert_eq!((ended.output["status"].as_str(), memory.done()), (Some("copied"), 1), "{ended:?}");
        let proof = ended.output["result"]["proof"].as_str().unwrap_or_default().to_owned();
        let reads = world.source.counts()["GetObject"];
        Ok((proof, world.arrived("k").unwrap().bytes().unwrap().to_vec(), reads))
    })
}

#[test]
fn read_back_finds_what_one_read_of_a_source_without_a_checksum_can_not() {
    for size in [200, 600] {
        let (proof, arrived, once) = without_checksum(size, "once");
        assert_eq!(proof, "transitChecksum");
        assert_ne!(arrived, object(size), "nothing could tell: this is what is not promised");
        let (proof, arrived, twice) = without_checksum(size, "readBack");
        assert_eq!((proof.as_str(), arrived), ("readTwice", object(size)));
        assert_eq!(twice, 2 * once + 2, "each part twice, and the altered one twice more");
    }
}

#[test]
fn read_back_reads_a_source_with_a_checksum_once() {
    case("with a checksum", async {
        let world = World::builder(1).options(json!({"verify": "readBack"})).build().await?;
        world.put_source("k", &object(600));
        let ended = world.transfer("k").await?;
        assert_eq!(ended.output["result"]["proof"], "sourceChecksum", "{ended:?}");
        assert_eq!(world.source.counts()["GetObject"], 3);
        world.check().await
    });
}
