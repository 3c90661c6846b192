//! Runs Lambda functions as worker processes behind the Lambda Runtime API.
//!
//! Each function is a command line. A worker is started for an invocation when none is idle, is told by
//! `AWS_LAMBDA_RUNTIME_API` where to ask for work, and answers one invocation at a time. Timeouts, memory, concurrency
//! and error names are those of the service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use lambda_local::{FunctionConfig, Pool};
//!
//! let mut part = FunctionConfig::new("Part", "target/release/part");
//! part.timeout = Duration::from_secs(300);
//! part.inherit_env.push("AWS_PROFILE".into());
//! let pool = Pool::builder().function(part).account_concurrency(32).start().await?;
//! let answer = pool.invoke("Part", r#"{"part": 1}"#.into()).await?;
//! println!("{}", String::from_utf8_lossy(&answer));
//! pool.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Linux 5.3 or later: processes are held by pidfd, and die with their parent by `PR_SET_PDEATHSIG`.

mod answers;
mod api;
mod body;
mod builder;
mod config;
mod environment;
mod error;
mod log;
mod pool;
mod procfs;
mod registry;
mod shared;
mod states;
mod stats;
mod watch;
mod worker;

pub use builder::{DEFAULT_ACCOUNT_CONCURRENCY, DEFAULT_INIT_LIMIT, PoolBuilder};
pub use config::{DEFAULT_MEMORY_MB, DEFAULT_TIMEOUT, FunctionConfig, LogLine, LogSink, Logs};
pub use error::{
    EXIT_ERROR, INVALID_ENTRYPOINT, InvokeError, PoolError, REQUEST_LIMIT, RESPONSE_LIMIT,
    RESPONSE_TOO_LARGE, TIMED_OUT,
};
pub use pool::{Pool, WorkerInfo};
pub use stats::{FunctionStats, StartTimes};
