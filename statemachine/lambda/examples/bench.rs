//! Prints how fast invocations of an empty function are and how fast its workers start.
//!
//! `cargo run --release -p lambda-local --example bench -- [workers] [invocations]`. It starts itself again as worker.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use bytes::Bytes;
use lambda_local::{FunctionConfig, FunctionStats, Pool};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return lambda_runtime::run(service_fn(echo)).await;
    }
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let workers = numbers.next().transpose()?.unwrap_or(4).max(1);
    let invocations = numbers.next().transpose()?.unwrap_or(40_000);
    bench(workers, invocations).await
}

async fn echo(event: LambdaEvent<Value>) -> Result<Value, Failure> {
    Ok(event.payload)
}

async fn bench(workers: usize, invocations: usize) -> Result<(), Failure> {
    let mut config = FunctionConfig::new("echo", std::env::current_exe()?);
    config.reserved_concurrency = Some(workers);
    let pool = Pool::builder().function(config).start().await?;

    // One at a time into the dark: each start has the machine for itself.
    for kept in 1..=workers {
        round(&pool, kept, kept).await?;
    }
    let start = Instant::now();
    round(&pool, workers, invocations).await?;
    report(&pool.stats(), workers, invocations, start.elapsed());
    pool.shutdown().await;
    Ok(())
}

/// `callers` tasks invoke until `invocations` have been made.
async fn round(pool: &Pool, callers: usize, invocations: usize) -> Result<(), Failure> {
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let pool = pool.clone();
        let share = invocations / callers + usize::from(caller < invocations % callers);
        tasks.spawn(async move {
            for _ in 0..share {
                pool.invoke("echo", Bytes::from_static(br#"{"part":1}"#)).await?;
            }
            Ok::<_, lambda_local::InvokeError>(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    Ok(())
}

fn report(stats: &[FunctionStats], workers: usize, invocations: usize, elapsed: Duration) {
    let Some(stats) = stats.first() else { return };
    let rate = invocations as f64 / elapsed.as_secs_f64();
    println!("{invocations} invocations, {workers} workers: {rate:.0}/s");
    println!("workers started {}, their processor time {:?}", stats.environments_started, stats.cpu);
    println!("largest worker {:.1} MiB", stats.peak_rss_bytes as f64 / f64::from(1 << 20));
    println!("start to first poll: {:?}", stats.start_to_first_poll);
}
