//! When a call stops listing.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use transload_store::Deadline;
use transload_wire::Failure;

/// Time beside the deadline's own margin that is kept for writing what was found: twenty seconds before the end in all.
const KEPT: Duration = Duration::from_secs(10);

/// The instant after which no page is waited for, once there is something to show for the call.
pub(crate) struct Stop {
    deadline: Deadline,
    near: Option<Instant>,
}

impl Stop {
    pub(crate) fn new(deadline: Deadline) -> Self {
        let near = deadline.stop_at().map(|stop| stop.checked_sub(KEPT).unwrap_or(stop));
        Self { deadline, near }
    }

    pub(crate) fn is_near(&self) -> bool {
        self.near.is_some_and(|near| Instant::now() >= near)
    }

    /// Waits for a call; `None` if the time to stop came first. Without anything to leave behind (`must`), the call is waited
    /// for until the deadline: a call that never gets further would be repeated for ever.
    pub(crate) async fn bound<T>(
        &self,
        must: bool,
        call: impl Future<Output = T>,
    ) -> Result<Option<T>, Failure> {
        match self.near {
            Some(near) if !must => Ok(timeout_at(near, call).await.ok()),
            _ => self.deadline.bound(call).await.map(Some),
        }
    }
}
