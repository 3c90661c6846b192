//! F01 to F33 as values. Each leaves room for another one: it meets a few requests, and then no more.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use simulation::{At, Fault, Mishap, SOURCE_BUCKET, Turn, Way};
use strict_s3::{Action, Answer, Rule};
use transload_store::faulty::{BodyFault, Faulty};
use transload_store::{Store, Verb};

use crate::injector::{Fate, Injector, Memory, Wire};
use crate::kit::{PART, newer, overwrite};
use crate::reads::first;

const COMPLETE: &str = "CompleteMultipartUpload";

fn wire(operation: &'static str, times: u32, fault: Fault) -> Option<Wire> {
    Some(Box::new(first(operation, times, fault)))
}

fn answer(operation: &str, times: u64, answer: Answer) -> Rule {
    Rule::on(operation, Action::Answer(answer)).first(times)
}

/// The first so many calls of a function meet a mishap.
fn fate(function: &'static str, times: u32, mishap: Mishap) -> Option<Fate> {
    let mut left = times;
    Some(Box::new(move |call| {
        let hit = call.function == function && left > 0;
        left -= u32::from(hit);
        if hit { vec![mishap] } else { vec![] }
    }))
}

fn flip_read(name: &str, store: Arc<dyn Store>) -> Arc<dyn Store> {
    flip(name == "source", Verb::GetObject, store)
}

fn flip(here: bool, verb: Verb, store: Arc<dyn Store>) -> Arc<dyn Store> {
    let faulty = Faulty::over(store);
    if here {
        faulty.spoil(verb, ..=1, BodyFault::Flip(33));
    }
    Arc::new(faulty)
}

/// The rows that can be put beside each other, in their order.
pub(crate) const ROWS: std::ops::RangeInclusive<u32> = 1..=33;

/// The row of this number.
pub(crate) fn row(number: u32) -> Injector {
    match number {
        1..=8 => reading_or_sending(number),
        9..=15 => source_or_credentials(number),
        16..=23 => parts_or_workers(number),
        24..=29 => completing(number),
        _ => ending(number),
    }
}

fn reading_or_sending(number: u32) -> Injector {
    let stall = Fault::Strike(Way::Down, At::Body(50), Turn::Stall(None));
    let none = Injector::default();
    match number {
        1 => Injector { wire: wire("GetObject", 2, Fault::LOST_ANSWER), ..none },
        2 => {
            Injector { source: vec![Rule::on("GetObject", Action::CloseResponseAfter(77)).first(3)], ..none }
        }
        3 => Injector { wire: wire("GetObject", 1, stall), ..none },
        4 => Injector {
            source: vec![Rule::on("GetObject", Action::IgnoreRange).first(3)],
            permanent: &["RangeIgnored"],
            ..none
        },
        5 => Injector {
            source: vec![Rule::on("GetObject", Action::ShiftTotal(1)).first(3)],
            permanent: &["SourceBroken"],
            ..none
        },
        6 => Injector {
            source: vec![Rule::on("GetObject", Action::FlipResponse(3)).range_start(PART).first(1)],
            permanent: &["ChecksumMismatch"],
            ..none
        },
        7 => Injector {
            destination: vec![Rule::on("UploadPart", Action::FlipRequest(3)).part(2).first(2)],
            ..none
        },
        _ => Injector { memory: Some(flip_read as Memory), permanent: &["ChecksumMismatch"], ..none },
    }
}

fn source_or_credentials(number: u32) -> Injector {
    let none = Injector::default();
    let third = |action| Rule::on("GetObject", action).range_start(2 * PART).first(1);
    let storm =
        || Rule::always(Action::Answer(Answer::slow_down())).probability(0.3).until(Duration::from_secs(60));
    match number {
        9 => Injector {
            source: vec![third(Action::hook(|direct| overwrite(direct, newer())))],
            permanent: &["SourceChanged"],
            ..none
        },
        10 => Injector {
            source: vec![third(Action::hook(|direct| {
                direct.delete(SOURCE_BUCKET, "k");
            }))],
            permanent: &["SourceNotFound"],
            ..none
        },
        11 => Injector { source: vec![storm()], destination: vec![storm()], ..none },
        12 => Injector {
            source: vec![answer("GetObject", 4, Answer::bad_gateway())],
            destination: ["CreateMultipartUpload", "UploadPart", COMPLETE]
                .map(|operation| answer(operation, 2, Answer::gateway_timeout()))
                .to_vec(),
            ..none
        },
        13 => Injector {
            destination: vec![
                Rule::on("UploadPart", Action::Answer(Answer::access_denied())).from_nth(3),
                Rule::on(COMPLETE, Action::Answer(Answer::access_denied())),
            ],
            redrive: Some(Duration::from_secs(3_600)),
            ..none
        },
        14 => Injector {
            source: vec![answer("GetObject", 1, Answer::expired_token())],
            destination: vec![answer("UploadPart", 2, Answer::expired_token())],
            ..none
        },
        _ => {
            let mut calls = 0_i64;
            let skew: Fate = Box::new(move |_| {
                calls += 1;
                vec![Mishap::Skew([-86_400, -960, -300, 300, 960, 86_400][calls as usize % 6])]
            });
            Injector { fate: Some(skew), ..none }
        }
    }
}

fn parts_or_workers(number: u32) -> Injector {
    let none = Injector::default();
    let minute = Duration::from_secs(60);
    match number {
        16 => {
            Injector { destination: vec![Rule::on("UploadPart", Action::CommitThenReset).first(2)], ..none }
        }
        17 => Injector {
            destination: vec![Rule::on("UploadPart", Action::OmitHeader("etag")).part(3).first(2)],
            ..none
        },
        18 => Injector { wire: wire("UploadPart", 3, Fault::Again(minute)), ..none },
        19 => Injector { wire: wire("UploadPart", 5, Fault::Again(Duration::ZERO)), ..none },
        20 => {
            let mut calls = 0;
            let kill: Fate = Box::new(move |_| {
                calls += 1;
                if calls % 3 == 0 && calls < 40 { vec![Mishap::Killed(calls % 17)] } else { vec![] }
            });
            Injector { fate: Some(kill), ..none }
        }
        21 => Injector { fate: fate("part", 6, Mishap::OutOfMemory(3)), ..none },
        22 => Injector { fate: fate("part", 9, Mishap::Throttled), concurrency: Some(2), ..none },
        _ => Injector { fate: fate("part", 4, Mishap::Time(Duration::from_millis(10_015))), ..none },
    }
}

fn completing(number: u32) -> Injector {
    let none = Injector::default();
    match number {
        24 => Injector {
            destination: vec![answer(COMPLETE, 3, Answer::ok_with_error("InternalError"))],
            ..none
        },
        25 => Injector {
            destination: vec![Rule::on(COMPLETE, Action::CommitThenAnswer(Answer::ok_html())).first(1)],
            ..none
        },
        26 => Injector { wire: wire(COMPLETE, 2, Fault::LOST_ANSWER), ..none },
        27 => Injector {
            wire: wire(COMPLETE, 2, Fault::LOST_ANSWER),
            rival: true,
            permanent: &["DestinationExists"],
            ..none
        },
        28 => Injector { destination: vec![answer(COMPLETE, 1, Answer::invalid_part())], ..none },
        _ => Injector { destination: vec![answer(COMPLETE, 2, Answer::conditional_conflict())], ..none },
    }
}

fn ending(number: u32) -> Injector {
    let none = Injector::default();
    let long = Duration::from_secs((13 * 24 + 23) * 3_600);
    let dies = || -> Option<Fate> {
        Some(Box::new(|call| match (call.function.as_str(), call.number > 5) {
            ("part", true) => vec![Mishap::Killed(6)],
            _ => vec![],
        }))
    };
    let one_round = Some(json!({"rounds": 1}));
    match number {
        30 => Injector {
            source: vec![Rule::on("GetObject", Action::IgnoreRange)],
            destination: vec![answer("AbortMultipartUpload", 3, Answer::internal_error())],
            permanent: &["RangeIgnored"],
            ..none
        },
        31 => Injector { stop: Some(Duration::from_millis(45)), ..none },
        32 => Injector { fate: dies(), options: one_round, redrive: Some(long), ..none },
        _ => Injector { fate: dies(), options: one_round, redrive: Some(long), lifecycle: true, ..none },
    }
}
