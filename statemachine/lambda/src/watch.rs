//! Looks at all workers a few times a second: memory caps, overdue invocations, idle environments.

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{shared::Shared, states::Doom};

/// Pause between two looks.
const PERIOD: Duration = Duration::from_millis(100);

/// Pause while a worker uses more than half of its memory: at 1 GB/s of fresh pages it overshoots its cap by 10 MB.
const NEAR_CAP_PERIOD: Duration = Duration::from_millis(10);

/// Watches until the pool is gone or has ended.
pub(crate) async fn run(shared: Weak<Shared>, idle_timeout: Duration) {
    let mut period = PERIOD;
    loop {
        sleep(period).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.registry().sweep(Instant::now(), idle_timeout);
        period = if near_cap(&shared) { NEAR_CAP_PERIOD } else { PERIOD };
    }
}

/// Kills busy workers over their cap. Whether any other has passed half of it.
fn near_cap(shared: &Shared) -> bool {
    let busy: Vec<_> = shared.registry().live().into_iter().filter(|live| live.busy).collect();
    let mut near = false;
    for live in busy {
        let Some(memory) = live.worker.memory() else { continue };
        let cap = shared.memory_kib(live.function);
        if memory.resident > cap {
            shared.registry().doom(live.environment, Doom::Memory);
        }
        near |= memory.resident > cap / 2;
    }
    near
}
