//! Moves one object between two locations, part by part on one thread, and prints speed, CPU and peak memory: the data
//! path alone, without workflow and workers.
//!
//! `datapath LOCATIONS.toml SOURCE_BUCKET/KEY DESTINATION_BUCKET/KEY [PART_MIB] [IN_FLIGHT]`; the file names the locations
//! `source` and `destination`.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use transload_plan::{Limits, PartNumber, layout};
use transload_store::location::ConfiguredStores;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::{
    Complete, Condition, Deadline, ObjectRef, PartRef, PutBody, Store, StoredRef, Stores, Target,
};
use transload_wire::{Attributes, Failure};

type Error = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, from, to, options @ ..] = arguments.as_slice() else {
        return Err(
            "expected LOCATIONS.toml SOURCE_BUCKET/KEY DESTINATION_BUCKET/KEY [PART_MIB] [IN_FLIGHT]".into(),
        );
    };
    let part_mib: u64 = options.first().map_or(Ok(8), |text| text.parse())?;
    let in_flight: usize = options.get(1).map_or(Ok(2), |text| text.parse())?;
    let stores = ConfiguredStores::from_file(file.as_ref())?;
    let source = stores.open(&"source".parse()?)?;
    let destination = stores.open(&"destination".parse()?)?;
    let begun = Instant::now();
    let size =
        copy(source, destination, object(from)?.into(), object(to)?, part_mib << 20, in_flight).await?;
    report(size, begun.elapsed().as_secs_f64())
}

fn object(text: &str) -> Result<StoredRef, Error> {
    let (bucket, key) = text.split_once('/').ok_or("expected BUCKET/KEY")?;
    Ok(StoredRef { bucket: bucket.parse()?, key: key.parse()?, version: None, requester_pays: false })
}

async fn copy(
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    from: ObjectRef,
    to: StoredRef,
    part: u64,
    in_flight: usize,
) -> Result<u64, Error> {
    let head = source.head(&from).await?;
    let layout = layout(head.size, Some(part), &Limits::default())?;
    let checksum_algorithm = destination.checksums().first().copied();
    let attributes = Attributes::default();
    let target = Target { bucket: to.bucket, key: to.key, attributes, encryption: None, checksum_algorithm };
    let created = destination.create_upload(&target).await?;
    let upload = created.upload(&target);
    let parts: Vec<PartRef> = stream::iter(1..=layout.count())
        .map(|number| {
            let (source, destination, from, upload) = (&source, &destination, &from, &upload);
            let (etag, total, layout) = (&head.etag, head.size, &layout);
            async move {
                let range = layout.range(number).map_err(Failure::from)?;
                let pinned = PinnedRange { object: from.clone(), etag: etag.clone(), range, total };
                let (stream, _) = pinned_stream(Arc::clone(source), pinned, Deadline::NONE);
                let (number, body) =
                    (PartNumber::new(number)?, PutBody { len: range.len, stream, md5: None, seen: None });
                let stored = destination.upload_part(upload, number, body).await?;
                Ok::<_, Error>(PartRef {
                    number,
                    size: range.len,
                    etag: stored.etag,
                    checksum: stored.checksum,
                })
            }
        })
        .buffered(in_flight)
        .try_collect()
        .await?;
    let complete = Complete { parts, size: head.size, checksum: None, condition: Condition::Anything };
    destination.complete_upload(&upload, &complete).await?;
    Ok(head.size)
}

/// CPU in hundredths of a second (what Linux counts in, whatever the kernel's own tick), and the peak of resident memory.
fn report(size: u64, seconds: f64) -> Result<(), Error> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
    let (user, system) = (ticks(11), ticks(12));
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim();
    let gib = size as f64 / f64::from(1 << 30);
    println!(
        "{:.0} MB/s, {:.2} CPU-s per GiB ({user:.2} user, {system:.2} system), peak {peak}",
        size as f64 / 1e6 / seconds,
        (user + system) / gib
    );
    Ok(())
}
