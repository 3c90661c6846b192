//! The object workflow's states in their order, as far as the functions are concerned: rounds, retries of transient
//! failures, release of the upload after permanent ones. Waits are left out; retries are fewer than the definition's.

use transload_store::Deadline;
use transload_wire::{
    AbortInput, CompleteInput, CompleteOutput, CopyInput, Decision, ErrorName, ExecutionInfo, Failure,
    HeadInput, HeadOutput, InitInput, InitOutput, PartInput, Upload,
};

use crate::World;

/// Retries of one state.
const RETRIES: u32 = 3;

/// How a transfer ended well.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing was to be done.
    Skipped(Box<HeadOutput>),
    /// The record.
    Copied(CompleteOutput),
}

impl Outcome {
    /// The record of what was copied.
    #[must_use]
    pub fn record(&self) -> Option<&CompleteOutput> {
        if let Self::Copied(record) = self { Some(record) } else { None }
    }
}

/// One execution.
pub struct States<'a> {
    world: &'a World,
    execution: ExecutionInfo,
}

/// Runs a state again while its failure is transient, and sees to it that the state declares each of its failures.
macro_rules! retried {
    ($call:expr, $declared:expr) => {{
        let mut tries = 0;
        loop {
            match $call(tries).await.inspect_err(|failure| declared(failure, $declared)) {
                Err(failure) if failure.is_transient() && tries < RETRIES && again(&failure) => tries += 1,
                result => break result,
            }
        }
    }};
}

fn declared(failure: &Failure, declared: &[ErrorName]) {
    assert!(declared.contains(&failure.name), "not declared: {failure}");
}

fn again(failure: &Failure) -> bool {
    !matches!(
        failure.name,
        ErrorName::RoundsExhausted
            | ErrorName::PartsMissing
            | ErrorName::UploadGone
            | ErrorName::UploadConflict
    )
}

impl<'a> States<'a> {
    /// An execution of this name.
    #[must_use]
    pub fn new(world: &'a World, name: &str) -> Self {
        let execution = ExecutionInfo {
            id: format!("arn:aws:states:us-east-1:123456789012:execution:object:{name}"),
            start_time: "2026-01-01T00:00:00Z".to_owned(),
            redrive_count: 0,
        };
        Self { world, execution }
    }

    /// Input of Head.
    #[must_use]
    pub fn head_input(&self) -> HeadInput {
        HeadInput { request: self.world.request.clone(), execution: self.execution.clone(), pinned: None }
    }

    /// Head.
    ///
    /// # Errors
    /// Its own.
    pub async fn head(&self) -> Result<HeadOutput, Failure> {
        transload_head::handle(&self.world.stores, Deadline::NONE, self.head_input()).await
    }

    /// Input of Copy.
    #[must_use]
    pub fn copy_input(&self, head: &HeadOutput) -> CopyInput {
        CopyInput {
            source: head.source.clone(),
            destination: head.destination.clone(),
            options: head.options.clone(),
            attributes: head.attributes.clone(),
            identity: head.identity.clone(),
            token: head.token.clone(),
            replaces: head.replaces.clone(),
            route: head.route.clone(),
            entered: None,
        }
    }

    /// Input of Init.
    ///
    /// # Panics
    /// If Head did not decide for parts.
    #[must_use]
    #[allow(clippy::expect_used)] // A mistake in the test itself.
    pub fn init_input(&self, head: &HeadOutput, round: u32, upload: Option<Upload>) -> InitInput {
        InitInput {
            source: head.source.clone(),
            destination: head.destination.clone(),
            options: head.options.clone(),
            attributes: head.attributes.clone(),
            identity: head.identity.clone(),
            token: head.token.clone(),
            layout: head.layout.clone().expect("a decision for parts"),
            execution: self.execution.clone(),
            round,
            upload,
            route: head.route.clone(),
        }
    }

    /// Init.
    ///
    /// # Errors
    /// Its own.
    pub async fn init(
        &self,
        head: &HeadOutput,
        round: u32,
        upload: Option<Upload>,
    ) -> Result<InitOutput, Failure> {
        let input = self.init_input(head, round, upload);
        transload_init::handle(&self.world.stores, Deadline::NONE, input).await
    }

    /// Inputs of the children, one for each batch.
    #[must_use]
    pub fn part_inputs(&self, head: &HeadOutput, init: &InitOutput) -> Vec<PartInput> {
        let Some(layout) = &head.layout else { return Vec::new() };
        let input = |parts: &transload_plan::PartSet| PartInput {
            source: head.source.clone(),
            destination: head.destination.clone(),
            upload: init.upload.clone(),
            layout: layout.clone(),
            parts: parts.clone(),
            parts_in_flight: head.options.parts_in_flight,
            verify: head.options.verify,
            bandwidth: init.bandwidth,
            window: None,
            entered: None,
            retry_count: 0,
            route: head.route.clone(),
        };
        init.batches.iter().map(input).collect()
    }

    /// Input of Complete.
    ///
    /// # Panics
    /// If Head did not decide for parts.
    #[must_use]
    #[allow(clippy::expect_used)] // A mistake in the test itself.
    pub fn complete_input(&self, head: &HeadOutput, upload: &Upload) -> CompleteInput {
        CompleteInput {
            source: head.source.clone(),
            destination: head.destination.clone(),
            options: head.options.clone(),
            upload: upload.clone(),
            layout: head.layout.clone().expect("a decision for parts"),
            token: head.token.clone(),
            sent: None,
            replaces: head.replaces.clone(),
            route: head.route.clone(),
        }
    }

    /// Complete.
    ///
    /// # Errors
    /// Its own.
    pub async fn complete(&self, head: &HeadOutput, upload: &Upload) -> Result<CompleteOutput, Failure> {
        let input = self.complete_input(head, upload);
        transload_complete::handle(&self.world.stores, Deadline::NONE, input).await
    }

    /// Abort.
    ///
    /// # Errors
    /// Its own, after retries.
    pub async fn abort(&self, head: &HeadOutput, upload: Option<Upload>) -> Result<bool, Failure> {
        let input = AbortInput {
            destination: head.destination.clone(),
            upload,
            token: Some(head.token.clone()),
            route: None,
        };
        let stores = &self.world.stores;
        let call = |_| transload_abort::handle(stores, Deadline::NONE, input.clone());
        retried!(call, transload_abort::FAILURES).map(|output| output.aborted)
    }

    /// Everything up to an upload with all of its parts.
    ///
    /// # Errors
    /// Those of the states.
    pub async fn filled(&self) -> Result<(HeadOutput, Upload), Failure> {
        let head = self.head().await?;
        let init = self.init(&head, 0, None).await?;
        for input in self.part_inputs(&head, &init) {
            transload_part::handle(&self.world.stores, Deadline::NONE, input).await?;
        }
        Ok((head, init.upload))
    }

    /// The whole execution.
    ///
    /// # Errors
    /// What it ends with; the upload was released if that is permanent.
    pub async fn run(&self) -> Result<Outcome, Failure> {
        let head = retried!(|_| self.head(), transload_head::FAILURES)?;
        match head.decision {
            Decision::Skip | Decision::Renew | Decision::Thaw => Ok(Outcome::Skipped(Box::new(head))),
            Decision::Copy => {
                let input = self.copy_input(&head);
                let stores = &self.world.stores;
                retried!(
                    |_| transload_copy::handle(stores, Deadline::NONE, input.clone()),
                    transload_copy::FAILURES
                )
                .map(Outcome::Copied)
            }
            Decision::Parts => self.rounds(&head).await.map(Outcome::Copied),
        }
    }

    async fn rounds(&self, head: &HeadOutput) -> Result<CompleteOutput, Failure> {
        let (mut round, mut upload) = (0, None);
        loop {
            match self.round(head, round, &mut upload).await {
                Err(failure) if matches!(failure.name, ErrorName::PartsMissing | ErrorName::UploadGone) => {}
                Err(failure) if failure.name == ErrorName::UploadConflict => {
                    self.abort(head, upload.take()).await?;
                }
                Err(failure) if !failure.is_transient() => {
                    self.abort(head, upload).await?;
                    return Err(failure);
                }
                result => return result,
            }
            round += 1;
            let recheck = HeadInput { pinned: Some(head.source.clone()), ..self.head_input() };
            let stores = &self.world.stores;
            let still = retried!(
                |_| transload_head::handle(stores, Deadline::NONE, recheck.clone()),
                transload_head::FAILURES
            );
            if let Err(failure) = still {
                self.abort(head, upload).await?;
                return Err(failure);
            }
        }
    }

    async fn round(
        &self,
        head: &HeadOutput,
        round: u32,
        upload: &mut Option<Upload>,
    ) -> Result<CompleteOutput, Failure> {
        let init = retried!(|_| self.init(head, round, upload.clone()), transload_init::FAILURES)?;
        *upload = Some(init.upload.clone());
        for input in self.part_inputs(head, &init) {
            // A child's failure is only seen as parts that are missing.
            let stores = &self.world.stores;
            let child = |retry_count| {
                let input = PartInput { retry_count, ..input.clone() };
                transload_part::handle(stores, Deadline::NONE, input)
            };
            let _ = retried!(child, transload_part::FAILURES);
        }
        retried!(|_| self.complete(head, &init.upload), transload_complete::FAILURES)
    }
}
