//! Stops a run that would delete more than was allowed, before anybody reads a list.

use transload_wire::{ErrorName, Failure, Found, Mode, SyncRequest};

/// A plan shows what would be deleted, whatever it is; a run stops.
pub(crate) fn check(request: &SyncRequest, found: &Found) -> Result<(), Failure> {
    let Some(delete) = request.sync.delete.as_ref().filter(|_| request.sync.mode == Mode::Sync) else {
        return Ok(());
    };
    let (doomed, standing) = (found.deletes.objects, found.destination.objects);
    let refuse = |field: &str, expected: String| {
        Err(ErrorName::DeletesRefused.because(format!(
            "sync.delete.{field}: expected {expected}, found {doomed} of {standing} objects of {} to be deleted",
            request.destination
        )))
    };
    if found.listed.objects == 0 && doomed > 0 && !delete.allow_empty_source {
        return refuse("allowEmptySource", format!("objects in {}", request.source));
    }
    if doomed > delete.max_count {
        return refuse("maxCount", format!("at most {}", delete.max_count));
    }
    if u128::from(doomed) * 100 > u128::from(standing) * u128::from(delete.max_percent) {
        return refuse("maxPercent", format!("at most {} percent", delete.max_percent));
    }
    Ok(())
}
