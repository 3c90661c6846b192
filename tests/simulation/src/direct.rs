//! A world's inner parts, for cases that do without its workers or end its engine at a certain moment.

use transload_store::Stores;

use crate::world::World;

impl World {
    /// The stores of one more worker, for handlers that are called without the engine.
    #[must_use]
    pub fn stores(&self) -> &impl Stores {
        &self.writer
    }

    /// Commits of the engine so far.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.database.commits()
    }

    /// The engine's process dies right after so many more commits. [`crash_engine`](Self::crash_engine) starts it again.
    pub fn sever_after(&self, commits: u64) {
        self.database.sever_after(commits);
    }
}
