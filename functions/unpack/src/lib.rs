//! State `Unpack`: writes what is in a tar, compressed or not, as files or objects, in as many calls as it takes.
//!
//! The first call pins the archive: every later read is of that version. Each of the others goes on where the one before came to:
//! behind an entry, or behind a part of a large file. To get there again it begins at the last member (gzip) or frame (Zstandard) in
//! front of it; an archive of a single one is read again from its start, which costs time but changes nothing.
//!
//! An entry's object bears a token that follows from archive, entry and destination: what a call wrote that was not heard of is found
//! again and not written twice. A large file is in its place only when all of it is proven.

mod failures;
mod inflate;
mod pin;
mod place;
mod unpacker;
mod untar;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;

use transload_plan::{Filter, FilterRules};
use transload_store::{Deadline, Ends, Stores};
use transload_wire::{ErrorName, Failure};

use crate::unpacker::{Came, Unpacker};

pub use failures::FAILURES;
pub use wire::{
    Archive, Left, Midway, Open, UnpackInput, UnpackOptions, UnpackOutput, UnpackRequest, Unpacked,
};

/// Unpacks some of an archive.
///
/// # Errors
/// `InputInvalid` before anything is written; `SourceBroken` for what is no archive; the source's and the destination's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: UnpackInput,
) -> Result<UnpackOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: UnpackInput) -> Result<UnpackOutput, Failure> {
    deadline.check()?;
    let filter = filter(&input)?;
    let mut ends = Ends::new(stores);
    let source = ends.open_source(&input.request.source)?;
    let destination = ends.open("destination", &input.request.destination.location)?;
    let Some(pinned) = input.pinned.clone() else {
        let pinned = pin::pin(&source, deadline, &input.request).await?;
        let left = Some(Left::default());
        return Ok(UnpackOutput { pinned, left, open: None, unpacked: None, requests: ends.requests() });
    };
    let left = input.left.clone().ok_or_else(|| {
        ErrorName::InputInvalid
            .because("left: expected where the call before came to, beside pinned, found none")
    })?;
    let both = (source, Arc::clone(&destination));
    let unpacker = Unpacker::new(&input.request, &pinned, both, filter, deadline, left)?;
    let (left, unpacked) = match unpacker.run().await? {
        Came::To(left) => (Some(left), None),
        Came::ToTheEnd(left) => (None, Some(left.unpacked)),
    };
    let open = left.as_ref().and_then(|left| left.midway.as_ref()).map(Open::from);
    Ok(UnpackOutput { pinned, left, open, unpacked, requests: ends.requests() })
}

fn filter(input: &UnpackInput) -> Result<Filter, Failure> {
    let options = &input.request.unpack;
    let rules =
        FilterRules { include: &options.include, exclude: &options.exclude, ..FilterRules::default() };
    Filter::new(&rules).map_err(|error| ErrorName::InputInvalid.because(format!("unpack.{error}")))
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
