//! Dollars and hours of a run, from what it takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::money::Bill;
use super::{ClassWork, Place, PriceError, Prices, RegionPrices, Requests, Sides, SizeClass};
use crate::Share;

/// States that an execution over many objects enters whatever there is to do: Begin, three questions whether there is
/// anything, Report, Reported, Done.
const STATES: u64 = 7;
/// List and the question whether all is listed.
const STATES_OF_A_CALL: u64 = 2;
/// States of an execution that sends one object whole: Head, Route, Copy, Done.
const STATES_WHOLE: u64 = 4;
/// And in parts: Head, Route, Init, Workers, Parts or OneWorker, Complete, Proven, Done; a child of Parts has one.
const STATES_PARTS: u64 = 8;
/// Children that a Map starts in a second: EXPRESS and STANDARD.
const STARTS: (f64, f64) = (1_000.0, 100.0);

/// What a run is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// Objects that are sent, by class of size.
    pub classes: BTreeMap<SizeClass, ClassWork>,
    /// Bytes that are sent of each storage class but the standard one.
    pub retrieved: BTreeMap<String, u64>,
    /// Requests of listings and comparisons; none where a frozen plan is executed.
    pub listing: Sides,
    /// Calls of List.
    pub calls: u64,
    /// Objects that List goes through, of the larger side.
    pub listed: u64,
    /// Batches.
    pub batches: u64,
    /// Calls of Delete.
    pub deletions: u64,
    /// Requests that belong to no class: of batches as a whole, and of deletions.
    pub beside: Sides,
    /// Files of lists.
    pub files: u64,
}

/// What may happen at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Batches.
    pub batches: u32,
    /// Large objects.
    pub large: u32,
    /// Children of each of these.
    pub parts: u32,
}

impl Concurrency {
    /// The same under a bandwidth: fewer workers share it, and none is faster than its share, which `prices` is made to know.
    #[must_use]
    pub fn within(self, bandwidth: Option<u64>, prices: &mut Prices) -> Self {
        let Some(bandwidth) = bandwidth else { return self };
        let (batches, large) = (Share::of(bandwidth, self.batches), Share::of(bandwidth, self.large));
        let parts = Share::of(large.each, self.parts);
        let rate = &mut prices.rates.megabytes_per_second.value;
        *rate = rate.min(batches.each.min(parts.each) as f64 / 1e6);
        Self { batches: batches.workers, large: large.workers, parts: parts.workers }
    }
}

/// What a run, or a share of it, takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Takes {
    /// Objects that are sent.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Requests to both stores.
    pub requests: u64,
    /// Dollars.
    pub dollars: f64,
    /// Hours.
    pub hours: f64,
}

/// Dollars by what they are for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Money {
    /// Requests to both stores.
    pub requests: f64,
    /// Reading of storage classes that charge for it.
    pub retrieval: f64,
    /// Bytes that leave the source.
    pub egress: f64,
    /// Functions.
    pub lambda: f64,
    /// Executions.
    pub step_functions: f64,
    /// Requests to the workflow's own bucket.
    pub own_bucket: f64,
}

impl Money {
    /// All of it.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.requests + self.retrieval + self.egress + self.lambda + self.step_functions + self.own_bucket
    }
}

/// What a run will take if nothing fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Estimate {
    /// By class of size.
    pub classes: BTreeMap<SizeClass, Takes>,
    /// Listing, deletions, the report, and what batches ask as a whole.
    pub beside: Takes,
    /// Everything.
    pub total: Takes,
    /// The dollars of everything by what they are for.
    pub money: Money,
    /// All requests to both stores.
    pub sides: Sides,
    /// Transitions of STANDARD executions. A child's start is counted as one, which the price list does not say clearly: so
    /// this is rather too much than too little.
    pub transitions: u64,
    /// EXPRESS executions.
    pub express: u64,
    /// Calls of functions.
    pub calls: u64,
    /// GB-seconds of functions.
    pub gb_seconds: f64,
    /// Name of the table of prices.
    pub prices: String,
    /// Regions whose prices were taken: of the source, of the destination.
    pub regions: (String, String),
    /// What is not known for certain about these prices.
    pub notes: Vec<String>,
}

/// Estimates a run.
///
/// # Errors
/// If the table has no prices for a place.
pub fn estimate(
    run: &Run,
    prices: &Prices,
    (from, to): (&Place<'_>, &Place<'_>),
    concurrency: Concurrency,
) -> Result<Estimate, PriceError> {
    let (source, destination) = (prices.region(from)?, prices.region(to)?);
    let egress = egress(from, to, source.1);
    let bill = |at| Bill { prices, source: source.1, destination: destination.1, egress, at };
    let mut estimate = Estimate {
        prices: prices.name.clone(),
        regions: (source.0.to_owned(), destination.0.to_owned()),
        notes: notes(prices, [(from, source.0, source.2), (to, destination.0, destination.2)]),
        ..Estimate::default()
    };
    for (class, work) in &run.classes {
        let takes = estimate.share(&bill(concurrency), run, work);
        estimate.classes.insert(*class, takes);
    }
    estimate.rest(&bill(concurrency), run);
    Ok(estimate)
}

/// What a GiB costs that leaves the source.
fn egress(from: &Place<'_>, to: &Place<'_>, source: &RegionPrices) -> f64 {
    match (from.partition, to.partition) {
        (Some(a), Some(b)) if a == b && from.region == to.region => 0.0,
        (Some(a), Some(b)) if a == b => source.between_regions_per_gib.value,
        _ => source.egress_per_gib.value,
    }
}

fn notes(prices: &Prices, places: [(&Place<'_>, &str, bool); 2]) -> Vec<String> {
    let mut notes = Vec::new();
    for (place, region, own) in places {
        let of = match (own, place.partition, place.region) {
            (true, ..) => continue,
            (false, None, _) => "no place of AWS",
            (false, Some(_), of) => of.unwrap_or("of no Region that is told"),
        };
        notes.push(format!("{} ({of}) is priced as {region}", place.location));
    }
    let unchecked = prices.unchecked();
    if !unchecked.is_empty() {
        notes.push(format!("not checked in this table: {}", unchecked.join(", ")));
    }
    notes
}

impl Estimate {
    /// Adds a class of size.
    fn share(&mut self, bill: &Bill<'_>, run: &Run, work: &ClassWork) -> Takes {
        let mut money = Money::default();
        let sides = Sides { source: work.source.clone(), destination: work.destination.clone() };
        money.requests = bill.requests(&sides);
        money.egress = bill.egress(work.bytes);
        // Batches are shared by classes; what each does in them is what they take.
        let batched = Batched::of(work, bill.prices);
        let express =
            if work.batched > 0 { share_of(run, work, bill.prices) * run.batches as f64 } else { 0.0 };
        let starts = (work.whole + work.split(), work.children);
        let transitions =
            work.whole * STATES_WHOLE + work.split() * STATES_PARTS + 2 * starts.0 + 2 * starts.1;
        let quick = work.whole + 3 * work.split();
        let moving = work.whole + work.single + work.children;
        let alone = bill.seconds(work.bytes - batched.bytes, work.objects - work.batched);
        let gb_seconds = bill.moving(batched.seconds + alone) + bill.quick(quick);
        money.lambda = bill.lambda(express + (quick + moving) as f64, gb_seconds);
        money.step_functions = bill.transitions(transitions as f64) + bill.express(express, batched.seconds);
        let takes = Takes {
            objects: work.objects,
            bytes: work.bytes,
            requests: count(&sides),
            dollars: money.sum(),
            hours: hours(bill, work, (batched.seconds, express), alone),
        };
        self.transitions += transitions;
        self.calls += quick + moving;
        self.gb_seconds += gb_seconds;
        self.sides.add(&sides);
        self.sum(&takes, &money);
        takes
    }

    /// Adds what belongs to no class.
    fn rest(&mut self, bill: &Bill<'_>, run: &Run) {
        let mut sides = run.beside.clone();
        sides.add(&run.listing);
        let large = run.classes.values().any(|work| work.objects > work.batched);
        let maps = u64::from(run.batches > 0) + u64::from(large) + u64::from(run.deletions > 0);
        // Each EXPRESS child's start too.
        let transitions = STATES + STATES_OF_A_CALL * run.calls + maps + run.batches + run.deletions;
        let calls = run.calls + run.deletions + 1;
        let listing = run.listed as f64 / bill.prices.rates.listed_per_second.value;
        let gb_seconds = bill.quick(run.deletions + 1) + bill.small(listing);
        let money = Money {
            requests: bill.requests(&sides),
            retrieval: bill.retrieval(&run.retrieved),
            egress: 0.0,
            lambda: bill.lambda(calls as f64, gb_seconds),
            step_functions: bill.transitions(transitions as f64)
                + bill.express(
                    run.deletions as f64,
                    run.deletions as f64 * bill.prices.rates.call_seconds.value,
                ),
            own_bucket: bill.own_bucket(run.files, maps),
        };
        let hours = (listing + bill.prices.rates.call_seconds.value) / 3_600.0;
        let takes = Takes { objects: 0, bytes: 0, requests: count(&sides), dollars: money.sum(), hours };
        self.transitions += transitions;
        self.express = run.batches + run.deletions;
        self.calls += calls + run.batches;
        self.gb_seconds += gb_seconds;
        self.sides.add(&sides);
        self.sum(&takes, &money);
        self.beside = takes;
    }

    fn sum(&mut self, takes: &Takes, money: &Money) {
        let total = &mut self.total;
        total.objects += takes.objects;
        total.bytes += takes.bytes;
        total.requests += takes.requests;
        total.dollars += takes.dollars;
        total.hours += takes.hours;
        let sum = &mut self.money;
        sum.requests += money.requests;
        sum.retrieval += money.retrieval;
        sum.egress += money.egress;
        sum.lambda += money.lambda;
        sum.step_functions += money.step_functions;
        sum.own_bucket += money.own_bucket;
    }
}

/// What of a class goes in batches.
struct Batched {
    bytes: u64,
    seconds: f64,
}

impl Batched {
    /// A class is of one way but where the limit of batches lies within it: then its bytes are divided by objects.
    fn of(work: &ClassWork, prices: &Prices) -> Self {
        let share = if work.objects == 0 { 0.0 } else { work.batched as f64 / work.objects as f64 };
        let bytes =
            if work.batched == work.objects { work.bytes } else { (work.bytes as f64 * share) as u64 };
        Self { bytes, seconds: super::money::seconds(prices, bytes, work.batched) }
    }
}

/// Which share of all batches a class fills: by the time that its objects take.
fn share_of(run: &Run, work: &ClassWork, prices: &Prices) -> f64 {
    let all: f64 = run.classes.values().map(|work| Batched::of(work, prices).seconds).sum();
    if all > 0.0 { Batched::of(work, prices).seconds / all } else { 0.0 }
}

fn count(sides: &Sides) -> u64 {
    let sum = |requests: &Requests| requests.values().sum::<u64>();
    sum(&sides.source) + sum(&sides.destination)
}

/// Workers share what is to be done, as far as there is something for each of them; and children start one after the other.
fn hours(bill: &Bill<'_>, work: &ClassWork, (batched, batches): (f64, f64), alone: f64) -> f64 {
    let at = bill.at;
    let workers = f64::from(at.batches).min(batches.ceil()).max(1.0);
    let batched = (batched / workers).max(batches / STARTS.0);
    let objects = work.objects - work.batched;
    if objects == 0 {
        return batched / 3_600.0;
    }
    let running = u64::from(at.large).min(objects);
    let children = ((work.single + work.children).div_ceil(objects)).clamp(1, u64::from(at.parts));
    let workers = (running * children) as f64;
    // Head, Init and Complete come one after the other.
    let calls = 3.0 * bill.prices.rates.call_seconds.value * (objects as f64 / running as f64).ceil();
    let alone = (alone / workers).max(work.children as f64 / STARTS.1) + calls;
    (batched + alone) / 3_600.0
}
