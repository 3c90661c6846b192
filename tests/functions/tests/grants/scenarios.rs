//! Everything that a transfer asks of its two ends, state by state. What goes otherwise than it should is told, not asserted:
//! without a right something has to.

use strict_s3::{Action, FaultPlan, Rule};
use transload_function_tests::{States, World};
use transload_store::Deadline;
use transload_wire::{
    AbortInput, AbortOutput, CompleteOutput, CopyInput, Decision, ErrorName, Failure, HeadInput, HeadOutput,
    InitOutput, PartInput, TransferRequest, Upload,
};

use crate::setup::{Keyed, Setup, Tags};

/// What went wrong.
pub(crate) type Ran = Result<(), String>;

/// Functions at work between two buckets.
struct Scene<'a> {
    setup: &'a Setup,
    world: World,
    from: &'static str,
    to: &'static str,
}

/// All of them, between all buckets.
pub(crate) async fn all(setup: &Setup) -> Ran {
    for (from, to) in setup.buckets() {
        let mut scene = Scene { setup, world: World::new(1), from, to };
        scene.whole_objects().await?;
        scene.replaced_by_nothing().await?;
        scene.answers_that_are_lost().await?;
        scene.parts().await?;
        scene.released_uploads().await?;
        scene.parked_uploads().await?;
        scene.nothing_there().await?;
    }
    Ok(())
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Ran {
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}

pub(crate) fn told<T>(what: &str, result: Result<T, Failure>) -> Result<T, String> {
    result.map_err(|failure| format!("{what}: {failure}"))
}

/// Bytes of an object of this name.
fn content(key: &str, length: usize) -> Vec<u8> {
    key.bytes().cycle().take(length).collect()
}

impl<'a> Scene<'a> {
    /// An object at the source, and a request for it.
    fn put(&mut self, key: &str, length: usize) -> Vec<u8> {
        let bytes = content(key, length);
        let tags = vec![("team".to_owned(), "maps".to_owned())];
        let put =
            self.setup.source.direct().put_with(self.from, key, bytes.clone(), Default::default(), tags);
        put.expect("a bucket");
        self.ask(key);
        bytes
    }

    fn ask(&mut self, key: &str) {
        let circumstances = self.setup.circumstances;
        let tags = match circumstances.tags {
            Tags::Copied => "",
            Tags::Given => r#", "tags": {"given": "yes"}"#,
            Tags::None => r#", "copyTags": false"#,
        };
        let request = format!(
            r#"{{"source": {{"location": "global", "bucket": "{}", "key": "{key}"}},
                 "destination": {{"location": "china", "bucket": "{}", "key": "{key}"}},
                 "options": {{"partSize": 1000, "wholeObjectLimit": 1000, "preserveEtag": {}{tags}}}}}"#,
            self.from, self.to, circumstances.etag
        );
        self.world.request = transload_wire::parse::<TransferRequest>(request.as_bytes()).expect("a request");
    }

    /// An object for a transfer in parts. One whose ETag is kept was sent in parts itself: by whoever may do everything.
    async fn put_for_parts(&mut self, key: &str, length: usize) -> Vec<u8> {
        if !self.setup.circumstances.etag {
            return self.put(key, length);
        }
        let bytes = self.put("seed", length);
        self.make_in_parts("seed", key).await;
        self.ask(key);
        bytes
    }

    fn states(&self) -> States<'_> {
        States::new(&self.world, "run")
    }

    fn of(&self, function: &str) -> Keyed {
        self.setup.of(function)
    }

    async fn head(&self) -> Result<HeadOutput, Failure> {
        transload_head::handle(&self.of("head"), Deadline::NONE, self.states().head_input()).await
    }

    async fn copy(&self, head: &HeadOutput) -> Result<CompleteOutput, Failure> {
        let input: CopyInput = self.states().copy_input(head);
        transload_copy::handle(&self.of("copy"), Deadline::NONE, input).await
    }

    async fn init(
        &self,
        head: &HeadOutput,
        round: u32,
        upload: Option<Upload>,
    ) -> Result<InitOutput, Failure> {
        let input = self.states().init_input(head, round, upload);
        transload_init::handle(&self.of("init"), Deadline::NONE, input).await
    }

    /// Each batch, as a first try or as a later one.
    async fn send(&self, head: &HeadOutput, init: &InitOutput, retry_count: u32) -> Result<(), Failure> {
        for input in self.states().part_inputs(head, init) {
            let input = PartInput { retry_count, ..input };
            transload_part::handle(&self.of("part"), Deadline::NONE, input).await?;
        }
        Ok(())
    }

    async fn complete(&self, head: &HeadOutput, upload: &Upload) -> Result<CompleteOutput, Failure> {
        let input = self.states().complete_input(head, upload);
        transload_complete::handle(&self.of("complete"), Deadline::NONE, input).await
    }

    async fn abort(&self, head: &HeadOutput, upload: Option<Upload>) -> Result<AbortOutput, Failure> {
        let (destination, token) = (head.destination.clone(), Some(head.token.clone()));
        let input = AbortInput { destination, upload, token, route: None };
        transload_abort::handle(&self.of("abort"), Deadline::NONE, input).await
    }

    /// The object has arrived, with the tags that were asked for.
    fn arrived(&self, key: &str, bytes: &[u8]) -> Ran {
        let there = self.setup.destination.direct().get(self.to, key);
        let found = there.as_ref().and_then(|object| object.bytes().ok());
        same(key, found.as_deref() == Some(bytes), true)?;
        let expected: &[(&str, &str)] = match self.setup.circumstances.tags {
            Tags::Copied => &[("team", "maps")],
            Tags::Given => &[("given", "yes")],
            Tags::None => &[],
        };
        let tags = there.map(|object| object.tags).unwrap_or_default();
        let tags: Vec<(&str, &str)> =
            tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        same("tags", tags.as_slice(), expected)
    }

    /// New, there already, replaced.
    async fn whole_objects(&mut self) -> Ran {
        let bytes = self.put("whole", 500);
        let head = told("head", self.head().await)?;
        same("decision", head.decision, Decision::Copy)?;
        told("copy", self.copy(&head).await)?;
        self.arrived("whole", &bytes)?;
        same("decision", told("head", self.head().await)?.decision, Decision::Skip)?;
        let bytes = self.put("whole", 600);
        let head = told("head", self.head().await)?;
        same("replaces", head.replaces.is_some(), true)?;
        told("copy", self.copy(&head).await)?;
        self.arrived("whole", &bytes)
    }

    /// An object that was to be replaced and is gone: another writer was there, which is no want of a right.
    async fn replaced_by_nothing(&mut self) -> Ran {
        self.put("gone", 500);
        told("copy", self.copy(&told("head", self.head().await)?).await)?;
        self.put("gone", 600);
        let head = told("head", self.head().await)?;
        same("deleted", self.setup.destination.direct().delete(self.to, "gone"), true)?;
        let name = self.copy(&head).await.map(|_| ()).map_err(|failure| failure.name);
        same("copy", name, Err(ErrorName::DestinationExists))
    }

    /// A PUT that took effect, and one that did not: what stands there tells them apart.
    async fn answers_that_are_lost(&mut self) -> Ran {
        for (key, action) in [("never", Action::ResetBeforeHeaders), ("done", Action::CommitThenReset)] {
            let bytes = self.put(key, 500);
            let head = told("head", self.head().await)?;
            let fault = Rule::on("PutObject", action).first(1);
            self.setup.destination.set_faults(FaultPlan::none().rule(fault));
            let copied = self.copy(&head).await;
            self.setup.destination.set_faults(FaultPlan::none());
            told(key, copied)?;
            self.arrived(key, &bytes)?;
        }
        Ok(())
    }

    /// Two rounds with a worker that is tried again; then the same object anew.
    async fn parts(&mut self) -> Ran {
        for length in [3_500, 4_500] {
            let bytes = self.put_for_parts("parts", length).await;
            let head = told("head", self.head().await)?;
            same("decision", head.decision, Decision::Parts)?;
            let first = told("init", self.init(&head, 0, None).await)?;
            told("part", self.send(&head, &first, 0).await)?;
            told("part, again", self.send(&head, &first, 1).await)?;
            let recheck = HeadInput { pinned: Some(head.source.clone()), ..self.states().head_input() };
            let still = transload_head::handle(&self.of("head"), Deadline::NONE, recheck).await;
            same("recheck", told("recheck", still)?.source, head.source.clone())?;
            let second = told("init", self.init(&head, 1, Some(first.upload.clone())).await)?;
            same("missing", second.parts_missing, 0)?;
            let done = told("complete", self.complete(&head, &second.upload).await)?;
            same("kept ETag", done.etag == head.source.etag, self.setup.circumstances.etag)?;
            self.arrived("parts", &bytes)?;
            let finished = told("abort", self.abort(&head, Some(second.upload)).await)?.finished;
            same("finished", finished, true)?;
        }
        Ok(())
    }

    /// An upload that is given up, and one that is gone when it is to be completed.
    async fn released_uploads(&mut self) -> Ran {
        self.put_for_parts("released", 2_500).await;
        let head = told("head", self.head().await)?;
        let init = told("init", self.init(&head, 0, None).await)?;
        told("part", self.send(&head, &init, 0).await)?;
        same("aborted", told("abort", self.abort(&head, Some(init.upload.clone())).await)?.aborted, true)?;
        same("uploads", self.setup.destination.direct().uploads(self.to).len(), 0)?;
        let gone = self.complete(&head, &init.upload).await.map(|_| ()).map_err(|failure| failure.name);
        same("complete", gone, Err(ErrorName::UploadGone))
    }

    /// An upload that waits for a redrive, and another execution with the same input.
    async fn parked_uploads(&mut self) -> Ran {
        self.put_for_parts("parked", 3_500).await;
        let head = told("head", self.head().await)?;
        let init = told("init", self.init(&head, 0, None).await)?;
        let first = self.states().part_inputs(&head, &init).remove(0);
        let sent = transload_part::handle(&self.of("part"), Deadline::NONE, first).await;
        let sent = told("part", sent)?.parts.len();
        let last = self.init(&head, head.options.rounds, Some(init.upload.clone())).await;
        let last = last.map(|_| ()).map_err(|failure| failure.name);
        same("rounds", last, Err(ErrorName::RoundsExhausted))?;
        let next = told("init", self.init(&head, 0, None).await)?;
        same("taken up", (next.upload == init.upload, next.parts_present as usize), (true, sent))?;
        same("uploads", self.setup.destination.direct().uploads(self.to).len(), 1)?;
        told("abort", self.abort(&head, Some(next.upload)).await).map(|_| ())
    }

    async fn make_in_parts(&mut self, seed: &str, key: &str) {
        let request = format!(
            r#"{{"source": {{"location": "global", "bucket": "{0}", "key": "{seed}"}},
                 "destination": {{"location": "global", "bucket": "{0}", "key": "{key}"}},
                 "options": {{"partSize": 1500, "wholeObjectLimit": 1000, "overwrite": "always"}}}}"#,
            self.from
        );
        self.world.request = transload_wire::parse(request.as_bytes()).expect("a request");
        let (admin, states) = (self.setup.admin(), self.states());
        let head = transload_head::handle(&admin, Deadline::NONE, states.head_input()).await.unwrap();
        let init = states.init_input(&head, 0, None);
        let init = transload_init::handle(&admin, Deadline::NONE, init).await.unwrap();
        for input in states.part_inputs(&head, &init) {
            transload_part::handle(&admin, Deadline::NONE, input).await.unwrap();
        }
        let complete = states.complete_input(&head, &init.upload);
        transload_complete::handle(&admin, Deadline::NONE, complete).await.unwrap();
    }

    /// No source: told as such, and not as one that may not be read.
    async fn nothing_there(&mut self) -> Ran {
        self.ask("nothing");
        let name = self.head().await.map(|_| ()).map_err(|failure| failure.name);
        same("head", name, Err(ErrorName::SourceNotFound))
    }
}
