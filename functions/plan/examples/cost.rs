//! Prints what 1 TB costs in objects of several sizes, beside the bare floor: one GET and one PUT an object, and egress. It is the
//! table of docs/cost.md.
//!
//! `cargo run -p transload-plan --example cost [PRICES.json] [OBJECTS_PER_SECOND MEGABYTES_PER_SECOND]`; the last two replace the
//! rates of one worker by measured ones.

use std::collections::BTreeMap;
use std::error::Error;

use transload_plan::cost::{
    ClassWork, Concurrency, Estimate, LIST_PRICES, Manner, Place, Prices, Run, SizeClass, estimate,
};
use transload_plan::{BatchBounds, Limits, MIB, layout};

const TB: u64 = 1_000_000_000_000;
/// Objects, and bytes, of a batch; and the largest object in one.
const BATCH: (u64, u64) = (500, 256 * MIB);
const SMALL: u64 = 64 * MIB;
/// Name, bytes, and a part size that is not the default.
const ROWS: [(&str, u64, Option<u64>); 5] = [
    ("10 KB", 10_000, None),
    ("1 MB", 1_000_000, None),
    ("50 MB", 50_000_000, None),
    ("5 GB", 5_000_000_000, None),
    ("5 GB, parts of 64 MiB", 5_000_000_000, Some(64 * MIB)),
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, rates) = match arguments.as_slice() {
        [] => (None, None),
        [file] => (Some(file), None),
        [objects, megabytes] => (None, Some((objects, megabytes))),
        [file, objects, megabytes] => (Some(file), Some((objects, megabytes))),
        _ => return Err("expected [PRICES.json] [OBJECTS_PER_SECOND MEGABYTES_PER_SECOND]".into()),
    };
    let text = file.map_or(Ok(LIST_PRICES.to_owned()), std::fs::read_to_string)?;
    let mut prices: Prices = serde_json::from_str(&text)?;
    if let Some((objects, megabytes)) = rates {
        prices.rates.objects_per_second.value = objects.parse()?;
        prices.rates.megabytes_per_second.value = megabytes.parse()?;
    }
    prices.check()?;
    println!(
        "{}; {} objects/s and {} MB/s a worker\n",
        prices.name, prices.rates.objects_per_second.value, prices.rates.megabytes_per_second.value
    );
    println!(
        "| objects of | egress | bare requests | all requests | lambda | workflow | own bucket | sum | of the floor | without egress | GB-seconds |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, size, part) in ROWS {
        let ours = priced(&run(size, part)?, &prices)?;
        let floor = priced(&floor(size), &prices)?;
        let bare = floor.money.requests;
        let sum = ours.total.dollars;
        println!(
            "| {name} | {:.2} | {bare:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {sum:.2} | {:.3} | {:.2} | {:.0} |",
            ours.money.egress,
            ours.money.requests,
            ours.money.lambda,
            ours.money.step_functions,
            ours.money.own_bucket,
            sum / (bare + floor.money.egress),
            (sum - ours.money.egress) / bare,
            ours.gb_seconds,
        );
    }
    Ok(())
}

/// From the global partition to China: bytes leave by the internet.
fn priced(run: &Run, prices: &Prices) -> Result<Estimate, Box<dyn Error>> {
    let from = Place { location: "global", partition: Some("aws"), region: Some("us-east-1") };
    // The same prices of requests at both ends, so that the table says nothing about currencies.
    let to = Place { location: "elsewhere", partition: None, region: Some("us-east-1") };
    let concurrency = Concurrency { batches: 100, large: 200, parts: 64 };
    Ok(estimate(run, prices, (&from, &to), concurrency)?)
}

fn run(size: u64, part: Option<u64>) -> Result<Run, Box<dyn Error>> {
    let (objects, manner) = (TB / size, Manner::default());
    let mut one = ClassWork::default();
    let mut run = Run { calls: 1 + objects / 10_000_000, listed: objects, ..Run::default() };
    if size <= SMALL {
        one.batched(size, &manner);
        run.batches = objects.div_ceil(BATCH.0.min(BATCH.1 / size));
        run.beside.at_source("GetObjectTagging", run.batches);
        // About 250 bytes of JSON an object, in files of 16 MiB.
        run.files = (objects * 250).div_ceil(16 * MIB);
    } else {
        let layout = layout(size, part, &Limits::default())?;
        one.in_parts(&layout, &BatchBounds::default(), &manner)?;
        run.files = 1;
    }
    run.classes.insert(SizeClass::of(size), one.times(objects));
    run.listing.at_source("ListObjectsV2", objects.div_ceil(1_000));
    run.listing.at_destination("ListObjectsV2", 1);
    Ok(run)
}

/// One GET and one PUT, and nobody to send them.
fn floor(size: u64) -> Run {
    let objects = TB / size;
    let requests = |operation: &str| BTreeMap::from([(operation.to_owned(), objects)]);
    let (source, destination) = (requests("GetObject"), requests("PutObject"));
    let work = ClassWork { objects, bytes: objects * size, source, destination, ..ClassWork::default() };
    Run { classes: [(SizeClass::of(size), work)].into(), ..Run::default() }
}
