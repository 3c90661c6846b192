//! Dollars and hours of an estimate, against sums made by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

use transload_plan::MIB;
use transload_plan::cost::{
    ClassWork, Concurrency, Estimate, LIST_PRICES, Manner, Place, Prices, Run, SizeClass, estimate,
};

const HERE: Place<'static> = Place { location: "a", partition: Some("aws"), region: Some("us-east-1") };
const CHINA: Place<'static> = Place { location: "b", partition: Some("aws-cn"), region: Some("cn-north-1") };

fn prices() -> Prices {
    serde_json::from_str(LIST_PRICES).unwrap()
}

/// Objects of 1 MiB in batches of 256.
fn run(objects: u64) -> Run {
    let mut one = ClassWork::default();
    one.batched(MIB, &Manner::default());
    let mut run = Run { batches: objects / 256, calls: 1, ..Run::default() };
    run.classes.insert(SizeClass::of(MIB), one.times(objects));
    run
}

fn priced(run: &Run, (from, to): (&Place<'_>, &Place<'_>), batches: u32) -> Estimate {
    estimate(run, &prices(), (from, to), Concurrency { batches, large: 2, parts: 64 }).unwrap()
}

#[track_caller]
fn about(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6 * expected.max(1e-3), "expected {expected}, found {found}");
}

#[test]
fn a_million_objects_cost_what_their_requests_bytes_and_seconds_cost() {
    let (objects, gib) = (1_024_000_u64, 1_000.0);
    let estimate = priced(&run(objects), (&HERE, &CHINA), 100);
    let money = &estimate.money;
    // GETs in dollars, PUTs in yuan.
    about(money.requests, 1_024.0 * 0.0004 + 1_024.0 * 0.0405 * 0.14);
    about(money.egress, gib * 0.09);
    // 200 objects and 20 MB a second, at half a GB; Report at a quarter for a second.
    let seconds = 1_024_000.0 / 200.0 + 1_024_000.0 * 1.048_576 / 20.0;
    about(estimate.gb_seconds, seconds / 2.0 + 0.25);
    about(money.lambda, estimate.gb_seconds * 0.000_013_333_4 + 4_002.0 / 1e6 * 0.2);
    // Ten states, and the start of each child.
    assert_eq!(estimate.transitions, 7 + 2 + 1 + 4_000);
    about(money.step_functions, 4_010.0 / 1e3 * 0.025 + 4_000.0 / 1e6 + seconds / 16.0 * 0.000_016_67);
    about(estimate.total.dollars, money.sum());
    about(estimate.total.hours, (seconds / 100.0 + 1.0) / 3_600.0);
}

#[test]
fn under_a_bandwidth_fewer_workers_wait_longer_for_their_bytes() {
    let asked = Concurrency { batches: 100, large: 2, parts: 64 };
    let mut slow = prices();
    assert_eq!(asked.within(None, &mut slow), asked);
    assert_eq!(slow, prices());
    // One worker at a time, of 4 MiB a second.
    let within = asked.within(Some(4 * MIB), &mut slow);
    assert_eq!(within, Concurrency { batches: 1, large: 1, parts: 1 });
    let at =
        |prices: &Prices, concurrency| estimate(&run(1_024), prices, (&HERE, &CHINA), concurrency).unwrap();
    let (capped, free) = (at(&slow, within), at(&prices(), asked));
    let seconds = 1_024.0 / 200.0 + 1_024.0 / 4.0;
    about(capped.gb_seconds, seconds / 2.0 + 0.25);
    about(capped.total.hours, (seconds + 1.0) / 3_600.0);
    assert!(capped.money.lambda > 3.0 * free.money.lambda, "{} {}", capped.money.lambda, free.money.lambda);
}

#[test]
fn more_workers_than_batches_are_no_faster() {
    let hours = |batches| priced(&run(512), (&HERE, &CHINA), batches).total.hours;
    assert!(hours(1) > hours(2));
    about(hours(2), hours(100));
}

#[test]
fn bytes_that_stay_in_a_region_cost_nothing_and_between_regions_less() {
    let elsewhere = Place { region: Some("eu-west-1"), ..HERE };
    let egress = |to: &Place<'_>| priced(&run(1_024), (&HERE, to), 1).money.egress;
    about(egress(&HERE), 0.0);
    about(egress(&elsewhere), 0.02);
    about(egress(&CHINA), 0.09);
}

#[test]
fn what_charges_for_being_read_is_counted() {
    let mut run = run(1_024);
    run.retrieved.insert("STANDARD_IA".to_owned(), 1 << 30);
    run.retrieved.insert("INTELLIGENT_TIERING".to_owned(), 1 << 30);
    about(priced(&run, (&HERE, &HERE), 1).money.retrieval, 0.01);
}
