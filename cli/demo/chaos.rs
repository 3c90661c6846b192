//! What goes wrong in `demo --chaos`: faults that the servers inject by the seed, and workers that are killed.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_local::Pool;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use strict_s3::{Action, Answer, FaultPlan, RequestRecord, Rule};

use crate::places::Places;

/// Shares of the parts after which a worker is killed.
const KILLS: [f64; 3] = [0.1, 0.4, 0.7];
/// Between two looks at how far the transfer is.
const LOOK: Duration = Duration::from_millis(10);

/// Sets both servers' faults. Which requests they meet follows from the seed alone.
pub(crate) fn inject(places: &Places, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut offset = move || random.random_range(1..4 << 20);
    let source = FaultPlan::seeded(seed)
        .rule(Rule::on("GetObject", Action::ResetBeforeHeaders).probability(0.03))
        .rule(Rule::on("GetObject", Action::ResetResponseAfter(offset())).probability(0.05))
        .rule(Rule::on("GetObject", Action::Answer(Answer::slow_down())).probability(0.05));
    let destination = FaultPlan::seeded(seed ^ 1)
        .rule(Rule::on("UploadPart", Action::ResetRequestAfter(offset())).probability(0.04))
        .rule(Rule::on("UploadPart", Action::FlipRequest(offset())).probability(0.04))
        .rule(Rule::on("UploadPart", Action::CommitThenReset).probability(0.03))
        .rule(Rule::on("UploadPart", Action::Answer(Answer::slow_down())).probability(0.05))
        .rule(Rule::on("CompleteMultipartUpload", Action::CommitThenReset).nth(1));
    places.global.server.set_faults(source);
    places.china.server.set_faults(destination);
}

/// Ends all faults.
pub(crate) fn heal(places: &Places) {
    places.global.server.set_faults(FaultPlan::none());
    places.china.server.set_faults(FaultPlan::none());
}

/// Kills (SIGKILL) a busy Part worker at each of a few points of the transfer; ends after the last one. Dropped with the
/// transfer.
pub(crate) async fn kill_workers(pool: Pool, places: &Places, parts: u64, seed: u64, killed: &mut u64) {
    let mut random = StdRng::seed_from_u64(seed);
    for share in KILLS {
        let after = (parts as f64 * share) as u64;
        while sent(&places.china.server.requests()) < after
            || pool.kill_one("Part", random.random()).is_none()
        {
            tokio::time::sleep(LOOK).await;
        }
        *killed += 1;
    }
}

/// Parts that the destination has acknowledged.
fn sent(records: &[RequestRecord]) -> u64 {
    records.iter().filter(|r| r.operation == "UploadPart" && r.status == Some(200)).count() as u64
}

/// What was injected, from the servers' own records: `GetObject: Answer 503 x 3`.
pub(crate) fn injected(places: &Places) -> Vec<String> {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for record in [&places.global, &places.china].into_iter().flat_map(|place| place.server.requests()) {
        if let Some(fault) = record.fault {
            *counts.entry((record.operation, fault)).or_default() += 1;
        }
    }
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((operation, fault), count) in counts {
        lines.entry(operation).or_default().push(format!("{} {count}", words(&fault)));
    }
    lines.into_iter().map(|(operation, faults)| format!("{operation}: {}", faults.join(", "))).collect()
}

/// The server's name of a fault, for people.
fn words(fault: &str) -> &str {
    match fault {
        "ResetBeforeHeaders" => "reset before an answer",
        "ResetResponseAfter" => "reset amid the body",
        "ResetRequestAfter" => "reset amid the body",
        "FlipRequest" | "FlipResponse" => "bit flipped",
        "CommitThenReset" => "done but answer lost",
        "Answer 503" => "503 SlowDown",
        other => other,
    }
}
