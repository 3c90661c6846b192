//! A fault as a value: two of them can be put into one world.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use simulation::{Builder, Call, DESTINATION_BUCKET, Exchange, Fault, Mishap, Outcome, World};
use strict_s3::{Rule, Versioning};
use transload_store::Store;

use crate::kit::{five, newer, plan};

/// What happens to an exchange.
pub(crate) type Wire = Box<dyn FnMut(&Exchange) -> Vec<Fault> + Send>;
/// What happens to an invocation.
pub(crate) type Fate = Box<dyn FnMut(&Call) -> Vec<Mishap> + Send>;
/// What lies between the handlers and a store.
pub(crate) type Memory = fn(&str, Arc<dyn Store>) -> Arc<dyn Store>;

/// One row of the matrix, as far as it can be put beside another one.
#[derive(Default)]
pub(crate) struct Injector {
    /// Rules of the source's server.
    pub(crate) source: Vec<Rule>,
    /// Rules of the destination's server.
    pub(crate) destination: Vec<Rule>,
    pub(crate) wire: Option<Wire>,
    pub(crate) fate: Option<Fate>,
    pub(crate) memory: Option<Memory>,
    /// Writes of the Map's results that fail.
    pub(crate) results: u32,
    /// Workers at a time.
    pub(crate) concurrency: Option<usize>,
    pub(crate) options: Option<Value>,
    pub(crate) versioned: bool,
    /// The execution is stopped after so long.
    pub(crate) stop: Option<Duration>,
    /// Another writer comes as soon as an object stands.
    pub(crate) rival: bool,
    /// A parked transfer is redriven after so long, with nothing in the way any more.
    pub(crate) redrive: Option<Duration>,
    /// Before that its upload is removed.
    pub(crate) lifecycle: bool,
    /// Names by which a transfer may fail for good under it.
    pub(crate) permanent: &'static [&'static str],
}

/// Puts faults into one world.
pub(crate) async fn world_with(faults: Vec<Injector>) -> Outcome<(World, Course)> {
    let mut course = Course::default();
    let (mut source, mut destination) = (Vec::new(), Vec::new());
    let (mut wires, mut fates, mut memories) = (Vec::new(), Vec::new(), Vec::new());
    let (mut results, mut options) = (0, json!({}));
    let mut builder = World::builder(1);
    for fault in faults {
        source.extend(fault.source);
        destination.extend(fault.destination);
        wires.extend(fault.wire);
        fates.extend(fault.fate);
        memories.extend(fault.memory);
        results += fault.results;
        for (name, value) in fault.options.iter().flat_map(|options| options.as_object()).flatten() {
            options[name] = value.clone();
        }
        if fault.versioned {
            builder = builder.versioning(Versioning::Enabled, Versioning::Off);
        }
        if let Some(workers) = fault.concurrency {
            builder = builder.concurrency(workers);
        }
        course.add(fault.stop, fault.rival, fault.redrive, fault.lifecycle, fault.permanent);
    }
    let world = decorated(builder.options(options), memories).build().await?;
    // Known beforehand: a rule may put it in the place of the first.
    world.put_source("k", &newer());
    world.put_source("k", &five());
    world.results.fail(results);
    world.source.set_faults(plan(source));
    world.destination.set_faults(plan(destination));
    world.network.decide(move |exchange| wires.iter_mut().flat_map(|wire| wire(exchange)).collect());
    world.workers.decide(move |call| fates.iter_mut().flat_map(|fate| fate(call)).collect());
    Ok((world, course))
}

fn decorated(builder: Builder, memories: Vec<Memory>) -> Builder {
    if memories.is_empty() {
        return builder;
    }
    // Memory fails in the first worker of each place only: what is mended has to stay mended.
    let left = Mutex::new(std::collections::BTreeMap::from([("source", 2), ("destination", 2)]));
    builder.decorate(move |name, store| {
        let mut left = left.lock().unwrap();
        let Some(count) = left.get_mut(name).filter(|count| **count > 0) else { return store };
        *count -= 1;
        memories.iter().fold(store, |store, memory| memory(name, store))
    })
}

/// What is done from outside while a transfer runs, and how it may end.
#[derive(Default)]
pub(crate) struct Course {
    stop: Option<Duration>,
    rival: bool,
    redrive: Option<Duration>,
    lifecycle: bool,
    permanent: Vec<&'static str>,
}

impl Course {
    fn add(
        &mut self,
        stop: Option<Duration>,
        rival: bool,
        redrive: Option<Duration>,
        lifecycle: bool,
        permanent: &'static [&'static str],
    ) {
        self.stop = self.stop.or(stop);
        self.rival |= rival;
        self.redrive = self.redrive.or(redrive);
        self.lifecycle |= lifecycle;
        self.permanent.extend(permanent);
    }

    /// Runs the transfer to its end and judges it.
    pub(crate) async fn run(&self, world: &World) -> Outcome<()> {
        let arn = world.start("k").await?;
        if let Some(stop) = self.stop {
            world.advance(stop).await;
            if world.within(&arn, Duration::ZERO).await?.status == "RUNNING" {
                world.stop(&arn).await?;
            }
        }
        let mut ended = self.watched(world, &arn).await?;
        if let (Some(pause), true) = (self.redrive, ended.parked) {
            world.advance(pause).await;
            if self.lifecycle {
                for upload in world.uploads() {
                    world.direct().abort(DESTINATION_BUCKET, &upload.key, &upload.upload_id);
                }
            }
            world.heal();
            world.redrive(&arn).await?;
            ended = world.ended(&arn).await?;
        }
        let well = match ended.status.as_str() {
            "SUCCEEDED" => true,
            "ABORTED" => self.stop.is_some(),
            _ => ended.parked || self.permanent.contains(&ended.error.as_str()),
        };
        assert!(well, "ended by {} {}: {ended:?}\n{}", ended.status, ended.error, world.trace.text());
        world.check().await
    }

    /// Waits for the end; if a rival is to come, it comes as soon as an object stands.
    async fn watched(&self, world: &World, arn: &str) -> Outcome<simulation::Ended> {
        let mut waits = self.rival;
        while waits {
            let ended = world.within(arn, Duration::from_millis(1)).await?;
            waits = ended.status == "RUNNING";
            if waits && world.arrived("k").is_some() {
                world.put_rival("k", b"another writer's");
                waits = false;
            }
        }
        world.ended(arn).await
    }
}
