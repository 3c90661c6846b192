//! What following deletions and thawing ask of the two ends. Copies are made by whoever may do everything; what goes otherwise
//! than it should is told, not asserted: without a right something has to.

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use transload_function_tests::{States, World};
use transload_store::Deadline;
use transload_wire::{Decision, HeadOutput, Pinned, Removal, Source, StoredSource, ThawOutput};

use crate::many::read;
use crate::scenarios::{Ran, same, told};
use crate::setup::Setup;

/// One object, which comes and goes.
struct Scene<'a> {
    setup: &'a Setup,
    from: &'static str,
    to: &'static str,
    key: &'static str,
}

/// All of them, between all buckets.
pub(crate) async fn all(setup: &Setup) -> Ran {
    for (from, to) in setup.buckets() {
        let scene = |key| Scene { setup, from, to, key };
        scene("deleted").deleted().await?;
        scene("changed").changed().await?;
        scene("thawed").thawed().await?;
    }
    Ok(())
}

impl Scene<'_> {
    fn put(&self, class: &'static str, text: &str) {
        let headers = HeaderMap::from_iter([(
            "x-amz-storage-class".parse().expect("a name"),
            HeaderValue::from_static(class),
        )]);
        let direct = self.setup.source.direct();
        direct.put_with(self.from, self.key, text.to_owned(), headers, Vec::new()).expect("a bucket");
    }

    fn request(&self) -> Value {
        json!({"source": {"location": "global", "bucket": self.from, "key": self.key},
            "destination": {"location": "china", "bucket": self.to, "key": self.key},
            "options": {"delete": self.setup.circumstances.deletes, "archived": "thaw"}})
    }

    /// What Head says to whoever may do everything.
    async fn head(&self, world: &World) -> HeadOutput {
        let input = States::new(world, "run").head_input();
        transload_head::handle(&self.setup.admin(), Deadline::NONE, input).await.expect("a decision")
    }

    fn world(&self) -> World {
        let mut world = World::new(1);
        world.request = read(&self.request());
        world
    }

    async fn copy(&self) {
        let world = self.world();
        let input = States::new(&world, "run").copy_input(&self.head(&world).await);
        transload_copy::handle(&self.setup.admin(), Deadline::NONE, input).await.expect("a copy");
    }

    async fn remove(&self, expected: Removal) -> Ran {
        let removed =
            transload_remove::handle(&self.setup.of("remove"), Deadline::NONE, read(&self.request())).await;
        let removed = told("remove", removed)?;
        same(&removed.reason, removed.outcome, expected)
    }

    fn is_copied(&self) -> bool {
        self.setup.destination.direct().get(self.to, self.key).is_some()
    }

    /// A copy of what is there stays, one of what is gone goes where deletions are followed, and where both are gone nothing is
    /// to be done.
    async fn deleted(&self) -> Ran {
        self.put("STANDARD", "bytes");
        self.copy().await;
        self.remove(Removal::Kept).await?;
        same("copied", self.is_copied(), true)?;
        self.setup.source.direct().delete(self.from, self.key);
        let deletes = self.setup.circumstances.deletes;
        self.remove(if deletes { Removal::Deleted } else { Removal::Kept }).await?;
        same("copied", self.is_copied(), !deletes)?;
        self.remove(Removal::Kept).await
    }

    /// A source without a copy, and one with a copy of another version of it.
    async fn changed(&self) -> Ran {
        self.put("STANDARD", "bytes");
        let without = if self.setup.circumstances.deletes { Removal::Again } else { Removal::Kept };
        self.remove(without).await?;
        self.copy().await;
        self.put("STANDARD", "other bytes");
        self.remove(Removal::Again).await?;
        same("copied", self.is_copied(), true)
    }

    async fn thaw(&self, source: &Pinned) -> Result<ThawOutput, String> {
        let input = read(&json!({"source": source, "waitedSeconds": 0}));
        told("thaw", transload_thaw::handle(&self.setup.of("thaw"), Deadline::NONE, input).await)
    }

    /// It is asked back, can be read a moment later, and goes away.
    async fn thawed(&self) -> Ran {
        self.put("GLACIER", "bytes");
        let head = self.head(&self.world()).await;
        same("decision", head.decision, Decision::Thaw)?;
        same("asked", self.thaw(&head.source).await?.ready, false)?;
        same("back", self.thaw(&head.source).await?.ready, true)?;
        let object = head.source.object.stored().expect("an object of a bucket").clone();
        let gone = StoredSource { key: "gone".parse().expect("a key"), ..object };
        let gone = Pinned { object: Source::Stored(gone), ..head.source };
        same("gone, as Head is to say", self.thaw(&gone).await?.ready, true)
    }
}
