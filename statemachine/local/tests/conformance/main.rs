//! Every recorded case: run by the same runner as the example `conformance`, compared with what the real service
//! answered, counted by group. What differs is known and listed, or the test fails.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod archive;
mod damages;
mod differences;
mod document;
mod equal;
mod history;
mod oddities;
mod recorder;
#[path = "../../examples/conformance/runner/mod.rs"]
mod runner;
mod table;
mod tokens;
mod verdict;

use differences::Differences;
use serde_json::Value;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use table::{Outcome, Table};

/// What came of a case: nothing, or why it is not what was recorded.
fn run(case: &Value) -> Result<(), String> {
    // An engine to itself, and one thread: all that is ready is then done before its time goes on.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done = runtime.block_on(runner::run(case.clone(), false));
    match done.trouble {
        Some(trouble) => Err(trouble),
        None => verdict::judge(case, &done.lines),
    }
}

/// The verdicts on all cases, in their order. They share nothing, so there is one thread for each processor.
fn run_all(cases: &[Value]) -> Vec<Result<(), String>> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((place, case)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|p| Some((p, cases.get(p)?)))
        {
            done.push((place, run(case)));
        }
        done
    };
    let mut verdicts = vec![Err("not run".to_owned()); cases.len()];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for (place, verdict) in workers.into_iter().flat_map(|w| w.join().unwrap()) {
            verdicts[place] = verdict;
        }
    });
    verdicts
}

#[test]
fn every_case_is_as_recorded_or_listed() {
    let (cases, differences) = (archive::cases(), Differences::listed());
    let mut table = Table::default();
    let mut wrong = differences.wrong(&cases);
    for (case, verdict) in cases.iter().zip(run_all(&cases)) {
        let id = case["id"].as_str().unwrap_or_default();
        let outcome = Outcome::of(differences.of(id), &verdict);
        match (outcome, verdict) {
            (Outcome::Passed, _) if differences.of(id).is_some() => {
                wrong.push(format!("{id} is listed and passes: take it off the list"));
            }
            (Outcome::Failed, Err(why)) => wrong.push(format!("{id}: {why}")),
            // Whatever the recorded words are, an error is one here, too, and the same.
            (Outcome::LeftOut, _) => wrong.extend(run(&verdict::but_for_words(case)).err()),
            _ => {}
        }
        table.count(case, outcome);
    }
    wrong.extend(table.missed_goals());
    // Past the test's capture: the table is what the test is for.
    write!(std::io::stdout(), "{table}").unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
