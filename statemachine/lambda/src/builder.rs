//! From a description to a running pool.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper::header::HeaderValue;
use tokio::sync::Notify;

use crate::{
    FunctionConfig, Pool, PoolError,
    log::Log,
    registry::Registry,
    shared::{Deployed, Shared},
    states::Function,
    watch,
    worker::Starter,
};

/// Concurrent executions of a new account (Lambda quotas).
pub const DEFAULT_ACCOUNT_CONCURRENCY: usize = 1000;

/// Lambda's limit of the init phase: 10 seconds.
pub const DEFAULT_INIT_LIMIT: Duration = Duration::from_secs(10);

/// Describes a [`Pool`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PoolBuilder {
    functions: Vec<FunctionConfig>,
    account_concurrency: usize,
    idle_timeout: Duration,
    init_limit: Duration,
    region: String,
    account: String,
}

impl Default for PoolBuilder {
    fn default() -> Self {
        Self {
            functions: Vec::new(),
            account_concurrency: DEFAULT_ACCOUNT_CONCURRENCY,
            // The service keeps environments for some minutes and does not say how many.
            idle_timeout: Duration::from_secs(300),
            init_limit: DEFAULT_INIT_LIMIT,
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
        }
    }
}

impl PoolBuilder {
    /// Adds a function.
    pub fn function(mut self, config: FunctionConfig) -> Self {
        self.functions.push(config);
        self
    }

    /// Invocations that may run at once. What functions reserve is taken from it, the others share the rest.
    /// Default 1,000.
    pub fn account_concurrency(mut self, limit: usize) -> Self {
        self.account_concurrency = limit;
        self
    }

    /// How long a worker without work is kept. Default five minutes.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How long a worker may take to its first poll before the function's own time begins. Default 10 s.
    pub fn init_limit(mut self, limit: Duration) -> Self {
        self.init_limit = limit;
        self
    }

    /// The Region in ARNs and in the workers' `AWS_REGION`, which their `env` may override. Default `us-east-1`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// The account in ARNs. Default `123456789012`.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Checks the description and starts the pool; workers start when they are needed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time and I/O enabled.
    pub async fn start(self) -> Result<Pool, PoolError> {
        let unreserved = self.check()?;
        let slots = |c: &FunctionConfig| Function::new(c.timeout, c.reserved_concurrency);
        let slots = self.functions.iter().map(slots).collect();
        let functions: Result<Vec<Deployed>, PoolError> =
            self.functions.iter().map(|config| self.deploy(config)).collect();
        let shared = Arc::new(Shared {
            registry: Mutex::new(Registry::new(slots, unreserved, self.init_limit)),
            functions: functions?,
            region: self.region,
            starter: Starter::new().map_err(|source| PoolError::Thread { source })?,
            ended: Notify::new(),
        });
        tokio::spawn(watch::run(Arc::downgrade(&shared), self.idle_timeout));
        Ok(Pool::new(shared))
    }

    /// Concurrency left for functions that reserve none.
    fn check(&self) -> Result<usize, PoolError> {
        for (index, config) in self.functions.iter().enumerate() {
            config.check()?;
            if self.functions[..index].iter().any(|other| other.name == config.name) {
                return Err(PoolError::Duplicate { name: config.name.clone() });
            }
        }
        let reserved =
            self.functions.iter().filter_map(|f| f.reserved_concurrency).fold(0, usize::saturating_add);
        let all_reserve = self.functions.iter().all(|f| f.reserved_concurrency.is_some());
        match self.account_concurrency.checked_sub(reserved) {
            Some(left) if left > 0 || all_reserve => Ok(left),
            _ => Err(PoolError::Concurrency { reserved, account: self.account_concurrency }),
        }
    }

    fn deploy(&self, config: &FunctionConfig) -> Result<Deployed, PoolError> {
        let arn = format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, config.name);
        let arn = HeaderValue::from_str(&arn).map_err(|_| PoolError::Invalid {
            function: config.name.clone(),
            field: "arn",
            expected: "printable characters in Region and account",
            found: arn,
        })?;
        Ok(Deployed { config: config.clone(), arn, log: Log::open(config)? })
    }
}
