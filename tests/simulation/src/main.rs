//! `cargo run --release -p simulation -- --seed N [--transfers N] [--jobs N] [--trace]`: plays seeds from N on until so many
//! transfers were made (one world without `--transfers`), and says what was found.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulation::random::{Played, Summary, play};

struct Arguments {
    seed: u64,
    transfers: u64,
    jobs: u64,
    trace: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut all = Arguments { seed: 1, transfers: 1, jobs: 1, trace: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let field = match word.as_str() {
            "--seed" => &mut all.seed,
            "--transfers" => &mut all.transfers,
            "--jobs" => &mut all.jobs,
            "--trace" => {
                all.trace = true;
                continue;
            }
            _ => return Err(format!("expected --seed, --transfers, --jobs or --trace, found {word}")),
        };
        let value = words.next().unwrap_or_default();
        *field = value.parse().map_err(|_| format!("{word}: expected a number, found {value:?}"))?;
    }
    Ok(all)
}

/// Prints what a seed broke.
fn tell(seed: u64, played: &Played, trace: bool) {
    if trace {
        println!("{}", played.trace);
    }
    if trace || !played.violations.is_empty() {
        println!("{}", played.scenario);
    }
    for violation in &played.violations {
        println!("VIOLATION {violation}");
        println!("  again: cargo run --release -p simulation -- --seed {seed} --trace");
    }
}

fn work(arguments: &Arguments, next: &AtomicU64, sum: &Mutex<Summary>) -> Result<(), String> {
    loop {
        if lock(sum).transfers >= arguments.transfers {
            return Ok(());
        }
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let played = play(seed).map_err(|error| format!("seed {seed}: {error}"))?;
        let mut sum = lock(sum);
        tell(seed, &played, arguments.trace);
        let before = sum.transfers / 10_000;
        sum.add(&played);
        if sum.transfers / 10_000 > before {
            println!("{} transfers, {} violations", sum.transfers, sum.violations);
        }
    }
}

fn lock(sum: &Mutex<Summary>) -> std::sync::MutexGuard<'_, Summary> {
    sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn run(arguments: &Arguments) -> Result<Summary, String> {
    let (next, sum) = (AtomicU64::new(arguments.seed), Mutex::new(Summary::default()));
    std::thread::scope(|scope| {
        let work = || work(arguments, &next, &sum);
        let threads: Vec<_> = (0..arguments.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a world panicked".to_owned())?)
    })?;
    Ok(sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| run(&arguments)) {
        Ok(sum) => {
            println!("{sum}");
            if sum.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
