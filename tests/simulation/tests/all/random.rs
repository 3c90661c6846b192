//! Twenty thousand transfers through random days, judged by the invariants.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::random::{Summary, play};

/// Transfers that are simulated each time the tests are run, unless `SIMULATED_TRANSFERS` says another number: some five
/// minutes of two processors that have nothing else to do.
const TRANSFERS: u64 = 20_000;

#[test]
fn twenty_thousand_transfers_keep_every_promise() {
    let wanted = std::env::var("SIMULATED_TRANSFERS").ok().and_then(|number| number.parse().ok());
    let wanted = wanted.unwrap_or(TRANSFERS);
    let (next, sum) = (AtomicU64::new(1_000_000), Mutex::new(Summary::default()));
    let work = || {
        while sum.lock().unwrap().transfers < wanted {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let played = play(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(
                played.violations,
                [],
                "{}\ncargo run --release -p simulation -- --seed {seed} --trace",
                played.scenario
            );
            sum.lock().unwrap().add(&played);
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let sum = sum.into_inner().unwrap();
    println!("{sum}");
    assert!(sum.transfers >= wanted && sum.faults() > wanted, "{sum}");
}

/// A seed that broke I3 when it was first played: one worker for all functions, which stood still for 900 s, so that Lambda had
/// none for the janitor all the time in which the upload had to be released.
#[test]
fn a_janitor_without_a_worker_keeps_its_15_minutes() {
    let played = play(280_005_028).unwrap();
    assert_eq!(played.violations, [], "{}", played.scenario);
}
