//! Takes up an upload that an earlier execution with the same input has parked, or releases it.
//!
//! The token that was left in it says that it is the same transfer: the same version of the source, the same destination
//! and the same attributes. Beyond that the result has to be provable, for nobody knows what became of the upload since.

use transload_plan::Layout;
use transload_store::parked::{self, Parked};
use transload_store::{PartRef, Store, UploadRef, prove};
use transload_wire::{ChecksumAlgorithm, ChecksumKind, InitInput, Overwrite, Upload};

/// An upload to go on with, and its parts.
pub(crate) struct Adopted {
    pub(crate) upload: Upload,
    pub(crate) parts: Vec<PartRef>,
}

/// Looks for what an earlier execution left. Whatever keeps from looking is no reason to fail: a new upload is made.
pub(crate) async fn adopt(store: &dyn Store, input: &InitInput) -> Option<Adopted> {
    // Where each execution has a token of its own there is nothing to find.
    if input.options.overwrite != Overwrite::IfDifferent {
        return None;
    }
    let place = (&input.destination.bucket, &input.destination.key);
    let found = parked::find(store, place, &input.layout, &input.token).await.ok()?;
    // The common case: no more than one request.
    if found.is_empty() {
        return None;
    }
    let own = own_initiator(store, input).await;
    let mut adopted = None;
    for parked in found {
        match refuse(store, input, &parked, own.as_deref()) {
            // Another execution is at work in it.
            Err(Refusal::Resumed) => {}
            Err(_) => release(store, input, &parked).await,
            Ok(_) if adopted.is_some() => release(store, input, &parked).await,
            Ok(algorithm) => {
                let upload = Upload { upload_id: parked.id, checksum_algorithm: Some(algorithm) };
                adopted = Some(Adopted { upload, parts: parked.parts });
            }
        }
    }
    adopted
}

/// Why an upload is not taken up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Parts were sent since it was parked.
    Resumed,
    /// It was made by somebody else, or the store does not tell by whom.
    Initiator,
    /// It is older than the version of the source.
    Older,
    /// Its parts are not those of the layout.
    Layout,
    /// The source has no checksum over the whole that the destination computes too.
    Unprovable,
    /// Its parts have other checksums, or none.
    Algorithm,
}

/// The algorithm that will prove it.
pub(crate) fn refuse(
    store: &dyn Store,
    input: &InitInput,
    parked: &Parked,
    own: Option<&str>,
) -> Result<ChecksumAlgorithm, Refusal> {
    if parked.resumed {
        return Err(Refusal::Resumed);
    }
    if own.is_none() || parked.initiator.as_deref() != own {
        return Err(Refusal::Initiator);
    }
    if parked.initiated < input.source.last_modified {
        return Err(Refusal::Older);
    }
    if !fits(&input.layout, parked) {
        return Err(Refusal::Layout);
    }
    let whole = input.source.checksum.as_ref().filter(|own| own.kind == ChecksumKind::FullObject);
    let algorithm = prove::algorithm(input.source.checksum.as_ref(), store);
    let algorithm = algorithm.filter(|algorithm| whole.is_some_and(|own| own.algorithm == *algorithm));
    let algorithm = algorithm.ok_or(Refusal::Unprovable)?;
    let same = |part: &PartRef| part.checksum.as_ref().is_some_and(|told| told.algorithm == algorithm);
    if parked.parts.iter().all(same) { Ok(algorithm) } else { Err(Refusal::Algorithm) }
}

fn fits(layout: &Layout, parked: &Parked) -> bool {
    transload_plan::missing(layout, &parked.listed()).is_ok()
}

/// Who this worker is to the store: told by an upload of its own, made for the question and released.
async fn own_initiator(store: &dyn Store, input: &InitInput) -> Option<String> {
    let created = store.create_upload(&crate::target(store, input)).await.ok()?;
    let upload = Upload { upload_id: created.id, checksum_algorithm: created.checksum_algorithm };
    let upload = UploadRef::of(&input.destination, &upload);
    let told = store.list_parts(&upload, 0).await.ok().and_then(|page| page.initiator);
    // What is left of it holds no part; the lifecycle rule for incomplete uploads takes it.
    let _ = store.abort_upload(&upload).await;
    told
}

/// Nobody can use it any more; its execution, if it is redriven, makes a new one. If this fails it is left to the sweep:
/// this transfer does not depend on it.
async fn release(store: &dyn Store, input: &InitInput, parked: &Parked) {
    let upload = Upload { upload_id: parked.id.clone(), checksum_algorithm: None };
    let _ = store.abort_upload(&UploadRef::of(&input.destination, &upload)).await;
}
