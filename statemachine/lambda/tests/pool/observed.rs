//! What can be seen of the workers: counts, memory, processor time, logs.

use std::{
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
    time::Duration,
};

use lambda_local::{LogSink, Logs};
use serde_json::json;

use crate::support::{call, function, pid, pool, stats, until};

#[tokio::test]
async fn memory_and_processor_time_are_counted_for_the_living_and_the_dead() {
    let mut config = function();
    config.memory_mb = 512;
    let pool = pool(config).await;
    call(&pool, json!({"do": "spin", "n": 100})).await.unwrap();
    call(&pool, json!({"do": "allocate", "n": 60})).await.unwrap();
    let living = stats(&pool);
    assert!(living.cpu >= Duration::from_millis(50), "{:?}", living.cpu);
    assert!(living.peak_rss_bytes >= 60 << 20, "{}", living.peak_rss_bytes);
    assert!(living.peak_rss_bytes < 512 << 20, "{}", living.peak_rss_bytes);
    let times = living.start_to_first_poll;
    assert_eq!(times.count, 1);
    assert!(times.min > Duration::ZERO && times.min == times.max && times.min == times.median);

    call(&pool, json!({"do": "exit", "n": 1})).await.unwrap_err();
    let dead = stats(&pool);
    assert_eq!(dead.workers, 0);
    assert!(dead.cpu >= living.cpu && dead.peak_rss_bytes >= living.peak_rss_bytes);
}

/// A look at the memory right before the kill; the samples before may all have been too early.
#[tokio::test]
async fn the_peak_of_a_worker_that_is_killed_is_kept() {
    let pool = pool(function()).await;
    for _ in 0..3 {
        pid(&pool).await;
    }
    call(&pool, json!({"do": "allocate", "n": 40})).await.unwrap();
    pool.shutdown().await;
    let peak = stats(&pool).peak_rss_bytes;
    assert!(peak >= 40 << 20, "{peak}");
}

#[tokio::test]
async fn a_log_file_holds_what_lambda_would_print() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.log");
    let mut config = function();
    config.logs = Logs::File(path.clone());
    config.timeout = Duration::from_secs(2);
    let pool = pool(config).await;
    call(&pool, json!({"do": "print", "text": "hello"})).await.unwrap();
    call(&pool, json!({})).await.unwrap();
    call(&pool, json!({"do": "exit", "n": 1})).await.unwrap_err();
    call(&pool, json!({"do": "sleep", "n": 600_000})).await.unwrap_err();

    let log = std::fs::read_to_string(&path).unwrap();
    let of = |start: &str| log.lines().filter(|line| line.starts_with(start)).collect::<Vec<_>>();
    let (starts, ends, reports) = (of("START RequestId: "), of("END RequestId: "), of("REPORT RequestId: "));
    assert_eq!((starts.len(), ends.len(), reports.len()), (4, 4, 4), "{log}");
    for (start, (end, report)) in starts.iter().zip(ends.iter().zip(&reports)) {
        let id = start.strip_prefix("START RequestId: ").unwrap().strip_suffix(" Version: $LATEST").unwrap();
        assert_eq!(id.len(), 36);
        assert!(end.ends_with(id) && report.contains(id), "{log}");
        assert!(report.contains("\tMemory Size: 128 MB\tMax Memory Used: "), "{report}");
        assert!(!report.contains("Max Memory Used: 0 MB"), "{report}");
    }
    let with_init: Vec<bool> = reports.iter().map(|report| report.contains("\tInit Duration: ")).collect();
    assert_eq!(with_init, [true, false, false, true], "{log}");
    assert!(reports[2].ends_with("\tStatus: error\tError Type: Runtime.ExitError"), "{log}");
    assert!(reports[3].ends_with("\tStatus: timeout"), "{log}");
    let position = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text:?} is not in {log}"));
    assert!(position("START") < position("to stdout: \"hello\""));
    assert!(position("to stderr") < position("END"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_sink_receives_every_line() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut config = function();
    config.logs = Logs::Sink(LogSink::new({
        let lines = lines.clone();
        move |line| {
            lines.lock().unwrap().push((line.function.to_owned(), u64::from(line.pid), line.text.to_owned()))
        }
    }));
    let pool = pool(config).await;
    let worker = pid(&pool).await;
    call(&pool, json!({"do": "print", "text": "hello"})).await.unwrap();
    let has =
        |start: &str| lines.lock().unwrap().iter().filter(|(_, _, text)| text.starts_with(start)).count();
    until("what it printed", || has("to stdout: \"hello\"") == 1 && has("to stderr") == 1).await;
    assert_eq!((has("START "), has("END "), has("REPORT ")), (2, 2, 2));
    assert!(lines.lock().unwrap().iter().all(|(function, pid, _)| function == "f" && *pid == worker));
}
