//! How a rough day is rough: faults drawn for exchanges, requests and invocations.

use std::time::Duration;

use fastrand::Rng;
use strict_s3::{Action, Answer, FaultPlan, Rule};

use super::scenario::Scenario;
use crate::seed::Seed;
use crate::wire::{At, Exchange, Fault, Turn, Way};
use crate::workers::{Call, Mishap};
use crate::world::World;

/// Lets the storm loose on a world.
pub(super) fn begin(world: &World, scenario: &Scenario) {
    let [network, stores, workers] = scenario.rough;
    let seed = Seed(scenario.seed);
    if network > 0.0 {
        let (mut rng, time, calm) = (seed.rng("network"), world.time, scenario.calm);
        let proven = scenario.knows_checksum();
        world.network.decide(move |exchange| {
            let hit = rng.f64() < network && time.elapsed() < calm && exchange.worker > 0;
            if hit { vec![wire(&mut rng, exchange, proven)] } else { Vec::new() }
        });
    }
    if stores > 0.0 {
        let mut rng = seed.rng("stores");
        let source = if scenario.knows_checksum() { SOURCE } else { UNDAMAGED };
        world.source.set_faults(plan(&mut rng, source, stores, scenario.calm));
        world.destination.set_faults(plan(&mut rng, DESTINATION, stores, scenario.calm));
    }
    if workers > 0.0 {
        let (mut rng, time, calm) = (seed.rng("workers"), world.time, scenario.calm);
        world.workers.decide(move |call| {
            let hit = rng.f64() < workers && time.elapsed() < calm;
            if hit { vec![mishap(&mut rng, call)] } else { Vec::new() }
        });
    }
}

/// Bodies with bytes of objects may be damaged; everything else only lost, cut and delayed: what headers and small answers
/// say is protected by TLS alone.
fn wire(rng: &mut Rng, exchange: &Exchange, proven: bool) -> Fault {
    let way = if rng.bool() { Way::Up } else { Way::Down };
    let at = if rng.bool() { At::Message(rng.u64(0..900)) } else { At::Body(rng.u64(0..600)) };
    match rng.u8(0..12) {
        0 => Fault::LOST_REQUEST,
        1 | 2 => Fault::LOST_ANSWER,
        3 => Fault::Strike(way, at, Turn::Reset),
        4 => Fault::Strike(way, at, Turn::End),
        5 => Fault::Strike(way, at, Turn::Stall(None)),
        6 => Fault::Strike(way, at, Turn::Stall(Some(Duration::from_millis(rng.u64(1..90_000))))),
        7 => Fault::Slow(Duration::from_millis(rng.u64(1..40_000))),
        8 => Fault::Narrow(rng.u64(100..100_000)),
        9 => Fault::Again(Duration::from_millis(rng.u64(1..30_000))),
        _ => damage(rng, exchange, proven),
    }
}

fn damage(rng: &mut Rng, exchange: &Exchange, proven: bool) -> Fault {
    let turn = match rng.u8(0..5) {
        0 | 1 => Turn::Flip(rng.u8(0..8)),
        2 => Turn::Omit(rng.u32(1..40)),
        3 => Turn::Repeat(rng.u32(1..40)),
        _ => Turn::Swap,
    };
    let at = At::Body(rng.u64(0..500));
    match exchange.operation() {
        "GetObject" if proven => Fault::Strike(Way::Down, at, turn),
        "UploadPart" | "PutObject" => Fault::Strike(Way::Up, at, turn),
        _ => Fault::LOST_ANSWER,
    }
}

type Menu = fn(u64) -> Vec<(&'static str, Action)>;

const SOURCE: Menu = |at| {
    let mut menu = UNDAMAGED(at);
    menu.push(("GetObject", Action::FlipResponse(at)));
    menu
};

const UNDAMAGED: Menu = |at| {
    vec![
        ("", Action::Answer(Answer::slow_down())),
        ("", Action::Answer(Answer::internal_error())),
        ("", Action::Answer(Answer::bad_gateway())),
        ("", Action::Answer(Answer::gateway_timeout())),
        ("", Action::Answer(Answer::expired_token())),
        ("", Action::Answer(Answer::service_unavailable())),
        ("", Action::ResetBeforeHeaders),
        ("", Action::Delay(Duration::from_millis(at * 97))),
        ("GetObject", Action::ResetResponseAfter(at)),
        ("GetObject", Action::CloseResponseAfter(at)),
        ("GetObject", Action::StallResponse { after: at, pause: None }),
        ("GetObject", Action::StallResponse { after: at, pause: Some(Duration::from_millis(at * 150)) }),
        ("GetObject", Action::ShiftContentRange(1)),
        ("GetObject", Action::ShiftTotal(-1)),
        ("GetObject", Action::Shorten(1)),
        ("GetObject", Action::IgnoreRange),
        ("GetObject", Action::Answer(Answer::kms_throttling())),
    ]
};

const DESTINATION: Menu = |at| {
    vec![
        ("", Action::Answer(Answer::slow_down())),
        ("", Action::Answer(Answer::internal_error())),
        ("", Action::Answer(Answer::bad_gateway())),
        ("", Action::Answer(Answer::request_time_too_skewed())),
        ("", Action::CommitThenReset),
        ("", Action::ResetBeforeHeaders),
        ("UploadPart", Action::FlipRequest(at)),
        ("UploadPart", Action::ResetRequestAfter(at)),
        ("UploadPart", Action::StallRequest { after: at, pause: None }),
        ("UploadPart", Action::OmitHeader("etag")),
        ("UploadPart", Action::Answer(Answer::request_timeout())),
        ("PutObject", Action::FlipRequest(at)),
        ("PutObject", Action::CommitThenAnswer(Answer::internal_error())),
        ("CompleteMultipartUpload", Action::Answer(Answer::ok_with_error("InternalError"))),
        ("CompleteMultipartUpload", Action::CommitThenAnswer(Answer::ok_with_error("InternalError"))),
        ("CompleteMultipartUpload", Action::CommitThenAnswer(Answer::no_such_upload())),
        ("CompleteMultipartUpload", Action::CommitThenAnswer(Answer::ok_empty())),
        ("CompleteMultipartUpload", Action::Answer(Answer::ok_html())),
        ("CompleteMultipartUpload", Action::TruncateAnswer(at)),
        ("CompleteMultipartUpload", Action::Whitespace(9_000)),
        ("CompleteMultipartUpload", Action::Answer(Answer::conditional_conflict())),
        ("CompleteMultipartUpload", Action::Answer(Answer::invalid_part())),
        ("AbortMultipartUpload", Action::Answer(Answer::internal_error())),
        ("AbortMultipartUpload", Action::CommitThenAnswer(Answer::internal_error())),
        ("ListParts", Action::Answer(Answer::service_unavailable())),
    ]
};

/// Some of what is on the menu, each with a share of the requests.
fn plan(rng: &mut Rng, menu: Menu, share: f64, calm: Duration) -> FaultPlan {
    let mut plan = FaultPlan::seeded(rng.u64(..));
    for _ in 0..rng.usize(1..=4) {
        let mut dishes = menu(rng.u64(0..600));
        let (operation, action) = dishes.swap_remove(rng.usize(0..dishes.len()));
        let rule = if operation.is_empty() { Rule::always(action) } else { Rule::on(operation, action) };
        // What concerns one operation only is to happen now and then all the same.
        let share = if operation.is_empty() { share } else { (share * 5.0).min(0.7) };
        plan = plan.rule(rule.probability(share).until(calm));
    }
    plan
}

fn mishap(rng: &mut Rng, call: &Call) -> Mishap {
    // A part polls oftener than the others.
    let polls = rng.u32(1..if call.function == "part" { 60 } else { 20 });
    match rng.u8(0..12) {
        0 => Mishap::Throttled,
        1 => Mishap::Refused(["Lambda.ServiceException", "Lambda.SdkClientException"][rng.usize(0..2)]),
        2 => {
            Mishap::LostAnswer(["Lambda.Unknown", "Lambda.ClientExecutionTimeoutException"][rng.usize(0..2)])
        }
        3..=6 => Mishap::Killed(polls),
        7 => Mishap::OutOfMemory(polls),
        8 => Mishap::Frozen(polls),
        9 => Mishap::SlowStart(Duration::from_millis(rng.u64(1..60_000))),
        10 => Mishap::Skew([-86_400, -960, -300, 300, 960, 86_400][rng.usize(0..6)]),
        _ => Mishap::Time(Duration::from_secs(rng.u64(3..40))),
    }
}
