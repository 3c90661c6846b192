//! No worker outlives its pool, however that ends.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;

use crate::support::{alive, busy, call, function, listed, pid, pool, until};

#[tokio::test]
async fn shutdown_leaves_no_process() {
    let pool = pool(function()).await;
    let child = call(&pool, json!({"do": "child"})).await.unwrap().as_u64().unwrap();
    let busy = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
    let idle = tokio::join!(pid(&pool), pid(&pool));
    let pids: Vec<u64> = pool.workers().iter().map(|worker| u64::from(worker.pid)).collect();
    assert!(pids.len() >= 2 && pids.contains(&idle.0) && alive(child));
    pool.shutdown().await;
    for pid in pids {
        assert!(!listed(pid), "{pid} is reaped");
    }
    until("what the worker had started ends too", || !alive(child)).await;
    assert!(busy.await.unwrap().is_err());
}

#[tokio::test]
async fn dropping_the_last_clone_ends_the_workers() {
    let pool = pool(function()).await;
    let clone = pool.clone();
    let worker = pid(&pool).await;
    drop(pool);
    assert_eq!(pid(&clone).await, worker);
    drop(clone);
    until("the worker is reaped", || !listed(worker)).await;
}

#[test]
fn the_end_of_the_runtime_ends_the_workers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (pool, worker) = runtime.block_on(async {
        let pool = pool(function()).await;
        let _busy = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
        let worker = u64::from(pool.workers()[0].pid);
        (pool, worker)
    });
    drop(runtime);
    drop(pool);
    let start = std::time::Instant::now();
    while alive(worker) {
        assert!(start.elapsed() < Duration::from_secs(60), "the worker lives on");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[tokio::test]
async fn an_idle_worker_is_ended_after_a_while() {
    let builder = lambda_local::Pool::builder().function(function()).idle_timeout(Duration::from_millis(50));
    let pool = builder.start().await.unwrap();
    let worker = pid(&pool).await;
    until("the worker is reaped", || !listed(worker)).await;
    assert_ne!(pid(&pool).await, worker);
}

/// Killed as hard as can be, the parent has no chance to clean up.
#[tokio::test]
async fn no_worker_outlives_a_parent_killed_with_sigkill() {
    let mut parent = Command::new(std::env::current_exe().unwrap());
    parent.args(["--ignored", "--exact", "lifetime::host", "--nocapture"]).stdout(Stdio::piped());
    let mut parent = parent.spawn().unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("PIDS ")).unwrap();
    let pids: Vec<u64> = line.split(' ').skip(1).map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| alive(*pid)));
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("both workers have ended", || !pids.iter().any(|pid| alive(*pid))).await;
}

#[test]
#[ignore = "the parent that another test starts and kills"]
fn host() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = pool(function()).await;
        let _busy = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
        let idle = pid(&pool).await;
        let workers: Vec<String> = pool.workers().iter().map(|worker| worker.pid.to_string()).collect();
        assert!(workers.contains(&idle.to_string()));
        println!("\nPIDS {}", workers.join(" "));
        std::future::pending::<()>().await;
    });
}
