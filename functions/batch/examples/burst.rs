//! Makes equal objects at one location and sends them to another in batches, on one thread as a deployed worker does; prints
//! speed, CPU, requests and peak memory.
//!
//! `burst LOCATIONS.toml SOURCE_BUCKET DESTINATION_BUCKET OBJECTS BYTES IN_FLIGHT`; the file names the locations `source` and
//! `destination`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use transload_store::location::ConfiguredStores;
use transload_store::{Condition, Deadline, PutBody, Store, Stores, Target};
use transload_wire::{
    Attributes, BatchInput, BucketName, ExecutionInfo, Failure, Item, Options, Outcome, Tree,
};

type Error = Box<dyn std::error::Error>;

/// Objects of a batch, as List makes them.
const BATCH: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, from, to, objects, bytes, in_flight] = arguments.as_slice() else {
        return Err("expected LOCATIONS.toml SOURCE_BUCKET DESTINATION_BUCKET OBJECTS BYTES IN_FLIGHT".into());
    };
    let stores = ConfiguredStores::from_file(file.as_ref())?;
    let (objects, bytes): (usize, usize) = (objects.parse()?, bytes.parse()?);
    let source = stores.open(&"source".parse()?)?;
    let items: Vec<Item> = stream::iter(0..objects)
        .map(|number| make(source.as_ref(), from, number, bytes))
        .buffered(16)
        .try_collect()
        .await?;
    // The peak of what follows, not of the making; where that can not be had, it is that of both.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = used()?;
    let begun = Instant::now();
    let mut requests: BTreeMap<String, u64> = BTreeMap::new();
    for batch in items.chunks(BATCH) {
        let input = input(from, to, batch.to_vec(), in_flight.parse()?)?;
        let output =
            transload_batch::handle(&stores, Deadline::after(Duration::from_secs(900)), input).await?;
        let copied = output.records.iter().filter(|record| record.outcome == Outcome::Copied).count();
        if copied < batch.len() {
            return Err(format!("expected {} copied, found {copied}: {output:?}", batch.len()).into());
        }
        output.requests.iter().for_each(|(name, n)| *requests.entry(name.clone()).or_default() += n);
    }
    report((objects, bytes), begun.elapsed().as_secs_f64(), used()? - before, &requests)
}

async fn make(store: &dyn Store, bucket: &str, number: usize, bytes: usize) -> Result<Item, Error> {
    let body = Bytes::from(vec![u8::try_from(number % 251)?; bytes]);
    let target = Target {
        bucket: bucket.parse()?,
        key: format!("burst/{number:06}").parse()?,
        attributes: Attributes::default(),
        encryption: None,
        checksum_algorithm: store.checksums().first().copied(),
    };
    let whole = stream::once(async { Ok::<_, Failure>(body) }).boxed();
    let body = PutBody { len: bytes as u64, stream: whole, md5: None, seen: None };
    let written = store.put(&target, body, &Condition::Anything).await?;
    Ok(Item { key: target.key, size: bytes as u64, etag: written.etag, version_id: None, replaces: None })
}

fn input(from: &str, to: &str, objects: Vec<Item>, in_flight: u32) -> Result<BatchInput, Error> {
    let tree = |location: &str, bucket: &str| -> Result<Tree, Error> {
        let bucket: BucketName = bucket.parse()?;
        Ok(Tree { location: location.parse()?, bucket, prefix: String::new() })
    };
    let id = "arn:aws:states:us-east-1:123456789012:execution:bucket:burst".to_owned();
    Ok(BatchInput {
        source: tree("source", from)?,
        destination: tree("destination", to)?,
        options: Options::default(),
        in_flight,
        objects,
        execution: ExecutionInfo { id, start_time: "2026-01-01T00:00:00Z".to_owned(), redrive_count: 0 },
        entered: None,
        tries: 0,
        exact: false,
        route: None,
    })
}

/// Seconds of CPU so far; Linux counts in hundredths.
fn used() -> Result<f64, Error> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
    Ok(ticks(11) + ticks(12))
}

fn report(
    (objects, bytes): (usize, usize),
    seconds: f64,
    cpu: f64,
    requests: &BTreeMap<String, u64>,
) -> Result<(), Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim();
    println!(
        "{objects} objects of {bytes} bytes: {seconds:.2} s, {:.0} objects/s, {:.1} MB/s, {cpu:.2} CPU-s, peak {peak}, {requests:?}",
        objects as f64 / seconds,
        (objects * bytes) as f64 / 1e6 / seconds,
    );
    Ok(())
}
