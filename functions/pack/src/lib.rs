//! State `Pack`: writes a tree of files or objects as one tar into one object, compressed, in as many calls as it takes.
//!
//! The first call begins an upload and packs nothing, so that whoever has to clean up finds the upload in the execution's history.
//! Each of the others packs what is left for some minutes, and tells how far the parts reach that it sent. Every part but the
//! last has one size and is compressed by itself, so a call goes on behind any of them; a call that is repeated writes the same
//! numbers again, and what it tells of is what stands there. Complete then holds the parts against size and checksum of what was
//! packed, before the object appears.
//!
//! Memory is three parts and the small objects that are read ahead, whatever the tree holds.

mod begin;
mod entries;
mod failures;
mod header;
mod packer;
mod squeeze;
mod wire;

use std::process::ExitCode;
use std::sync::Arc;

use transload_store::{Deadline, Ends, Shelf, Stores};
use transload_wire::{Checksum, ChecksumKind, ErrorName, Failure};

use crate::packer::{Came, Packer};

pub use failures::FAILURES;
pub use wire::{Begun, Left, Midway, PackInput, PackOptions, PackOutput, PackRequest, Packed, Whole};

/// Packs some of a tree.
///
/// # Errors
/// `InputInvalid` and `PlanInvalid` before anything is written; `SourceChanged` if an object changed of which some is packed;
/// `SourceArchived`; the source's and the destination's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: PackInput,
) -> Result<PackOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: PackInput) -> Result<PackOutput, Failure> {
    deadline.check()?;
    let filter = begin::filter(&input.request)?;
    let mut ends = Ends::new(stores);
    let source = ends.open("source", &input.request.source.location)?;
    let destination = ends.open("destination", &input.request.destination.location)?;
    let Some(begun) = input.begun.clone() else {
        let begun = begin::begin(destination.as_ref(), deadline, &input).await?;
        let left = Some(Left::default());
        return Ok(PackOutput { begun, left, whole: None, requests: ends.requests() });
    };
    let tree = entries::Tree {
        store: source,
        shelf: Shelf {
            bucket: input.request.source.bucket.clone(),
            prefix: input.request.source.prefix.clone(),
            requester_pays: input.request.options.requester_pays,
        },
        filter: Arc::new(filter),
        deadline,
    };
    let left = input.left.clone().ok_or_else(|| {
        ErrorName::InputInvalid
            .because("left: expected where the call before came to, beside begun, found none")
    })?;
    let came = Packer::new(tree, Arc::clone(&destination), &begun, left)?.run().await?;
    let (left, whole) = match came {
        Came::To(left) => (Some(left), None),
        Came::ToTheEnd(done, size) => {
            let mut source = begin::pinned(&input.request, &begun.token, size)?;
            source.checksum = begun
                .upload
                .checksum_algorithm
                .zip(done.checksum)
                .map(|(algorithm, value)| Checksum { algorithm, value, kind: ChecksumKind::FullObject });
            let layout = begin::layout(destination.as_ref(), &begun, size)?;
            (None, Some(Whole { source, layout, packed: done.packed }))
        }
    };
    Ok(PackOutput { begun, left, whole, requests: ends.requests() })
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
