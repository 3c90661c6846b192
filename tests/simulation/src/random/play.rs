//! Plays a seed's scenario and judges it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use transload_store::faulty::{BodyFault, Faulty};
use transload_store::{Store, Verb};

use super::acts::{Act, bytes};
use super::scenario::Scenario;
use super::storms;
use crate::builder::Builder;
use crate::invariants::Violation;
use crate::seed::Seed;
use crate::world::{Outcome, World};

/// Nothing may take longer: the machine's own timeout is a week, and a scenario's acts take up to two a piece.
const LONGEST: Duration = Duration::from_secs(120 * 86_400);

/// What came of a seed.
#[derive(Debug, Default)]
pub struct Played {
    /// The scenario in a line.
    pub scenario: String,
    /// Promises that were not kept.
    pub violations: Vec<Violation>,
    /// Executions of the object machine that the scenario started.
    pub transfers: u64,
    /// Those and the replays that the invariants ask for.
    pub executions: u64,
    /// How executions of the scenario ended, by name.
    pub ends: BTreeMap<String, u64>,
    /// Faults by kind.
    pub injected: BTreeMap<String, u64>,
    /// Requests sent to both stores.
    pub requests: u64,
    /// Virtual time.
    pub time: Duration,
    /// What happened, in lines.
    pub trace: String,
}

/// Plays a seed.
///
/// # Errors
/// A broken world: a defect of the simulation.
pub fn play(seed: u64) -> Outcome<Played> {
    play_with(seed, |builder| builder)
}

/// Plays a seed in a world in which something is changed: a guard that is switched off.
///
/// # Errors
/// As [`play`].
pub fn play_with(seed: u64, change: impl FnOnce(Builder) -> Builder) -> Outcome<Played> {
    let scenario = Scenario::draw(seed);
    crate::run(seed, async {
        let flips = Arc::new(AtomicU64::new(0));
        let builder = if scenario.rotten { rotten(&scenario, flips.clone()) } else { scenario.builder() };
        let world = change(builder).build().await?;
        let mut played = Played { scenario: scenario.to_string(), ..Played::default() };
        match tokio::time::timeout(LONGEST, act(&world, &scenario, &mut played)).await {
            Ok(done) => done?,
            Err(_) => played.violations.push(Violation {
                invariant: "I4",
                key: "all".to_owned(),
                what: format!("expected an end within {LONGEST:?}, found none"),
            }),
        }
        played.executions = world.ledger().executions.len() as u64;
        played.requests = world.network.exchanges();
        played.time = world.time.elapsed();
        played.injected = injected(&world);
        let flipped = flips.load(Ordering::Relaxed);
        if flipped > 0 {
            played.injected.insert("memory flip".to_owned(), flipped);
        }
        played.trace = world.trace.text();
        Ok(played)
    })
}

/// Workers whose memory flips a bit of a body now and then, behind the checksum of the source and before that of the part.
fn rotten(scenario: &Scenario, flips: Arc<AtomicU64>) -> Builder {
    let rng = std::sync::Mutex::new(Seed(scenario.seed).rng("rot"));
    scenario.builder().decorate(move |place, store: Arc<dyn Store>| {
        if place != "destination" {
            return store;
        }
        let faulty = Faulty::over(store);
        let mut rng = rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for verb in [Verb::UploadPart, Verb::PutObject] {
            if rng.u8(0..3) == 0 {
                let call = rng.u64(1..6);
                faulty.spoil(verb, call..=call, BodyFault::Flip(rng.u64(0..64)));
                flips.fetch_add(1, Ordering::Relaxed);
            }
        }
        Arc::new(faulty)
    })
}

async fn act(world: &World, scenario: &Scenario, played: &mut Played) -> Outcome<()> {
    let mut rng = Seed(scenario.seed).rng("acts");
    let keys: Vec<String> = scenario.objects.iter().map(|(key, _)| key.clone()).collect();
    for ((key, size), standing) in scenario.objects.iter().zip(&scenario.standing) {
        let mut content = bytes(&mut rng, *size);
        content.resize_with(*size, || rng.u8(..));
        world.put_source(key, &content);
        if *standing {
            world.put_rival(key, &bytes(&mut rng, 60));
        }
    }
    storms::begin(world, scenario);
    let mut arns = Vec::new();
    for key in &keys {
        arns.push(world.start(key).await?);
    }
    let mut acts: Vec<(Duration, Act)> = scenario.acts.clone();
    for (at, act) in acts.drain(..) {
        world.advance(at.saturating_sub(world.time.elapsed())).await;
        act.happen(world, &keys, &arns, &mut rng).await?;
    }
    let started = world.ledger().executions.clone();
    for (arn, _) in &started {
        let ended = world.ended(arn).await?;
        let what = ended.output["status"].as_str().map_or(ended.error.clone(), str::to_owned);
        *played.ends.entry(format!("{} {what}", ended.status)).or_default() += 1;
    }
    played.transfers = started.len() as u64;
    played.violations = world.violations().await?;
    Ok(())
}

fn injected(world: &World) -> BTreeMap<String, u64> {
    let mut all = world.injected();
    for (place, server) in [("source", &world.source), ("destination", &world.destination)] {
        for fault in server.requests().into_iter().filter_map(|request| request.fault) {
            *all.entry(format!("{place} {fault}")).or_default() += 1;
        }
    }
    all
}
