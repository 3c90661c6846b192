//! Workers that do not start.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use lambda_local::{FunctionConfig, InvokeError};
use serde_json::json;

use crate::support::{call, message, pool, stats};

fn shell(script: &str) -> FunctionConfig {
    let mut config = FunctionConfig::new("f", "/bin/sh");
    config.args = vec!["-c".into(), script.into()];
    config
}

#[tokio::test]
async fn a_program_that_cannot_be_executed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode: u32| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let rows = [
        (folder.path().join("missing"), "no such file or directory"),
        (file("plain", "#!/bin/sh\n", 0o600), "permission denied"),
        (folder.path().to_owned(), "permission denied"),
        (file("no-interpreter", "#!/nowhere/sh\n", 0o700), "no such file or directory"),
    ];
    for (program, reason) in rows {
        let pool = pool(FunctionConfig::new("f", &program)).await;
        let error = call(&pool, json!({})).await.unwrap_err();
        assert!(matches!(error, InvokeError::Crashed { .. }), "{error:?}");
        assert_eq!(error.error_name(), "Runtime.InvalidEntrypoint");
        assert_eq!(message(&error), format!("Error: fork/exec {}: {reason}", program.display()));
        let stats = stats(&pool);
        assert_eq!((stats.start_failures, stats.environments_started, stats.running), (1, 0, 0));
    }
}

#[tokio::test]
async fn a_program_that_ends_before_it_polls() {
    let rows = [
        ("exit 3", "Error: Runtime exited with error: exit status 3"),
        ("exit 0", "Error: Runtime exited without providing a reason"),
        ("kill -9 $$", "Error: Runtime exited with error: signal: killed"),
        ("kill -11 $$", "Error: Runtime exited with error: signal: segmentation fault"),
    ];
    for (script, expected) in rows {
        let pool = pool(shell(script)).await;
        let error = call(&pool, json!({})).await.unwrap_err();
        assert_eq!(error.error_name(), "Runtime.ExitError");
        assert_eq!(message(&error), expected);
        assert_eq!((stats(&pool).crashes, stats(&pool).cold_starts), (1, 0));
    }
}

#[tokio::test]
async fn a_program_that_never_polls() {
    let mut config = shell("sleep 600");
    config.timeout = Duration::from_millis(100);
    let builder = lambda_local::Pool::builder().function(config).init_limit(Duration::from_millis(100));
    let pool = builder.start().await.unwrap();
    let error = call(&pool, json!({})).await.unwrap_err();
    assert_eq!(error.error_name(), "Sandbox.Timedout");
    assert_eq!(message(&error), "Error: Task timed out after 0.10 seconds");
    assert!(pool.workers().is_empty());
}
