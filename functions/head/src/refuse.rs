//! What of a request can be refused by looking at the destination's location alone.

use transload_store::{Store, prove};
use transload_wire::{Encryption, ErrorName, Failure, TransferRequest};

/// Refuses a destination that could not prove what is written to it, and a key of another partition.
pub(crate) fn destination(request: &TransferRequest, store: &dyn Store) -> Result<(), Failure> {
    prove::provable(store, &request.destination)?;
    if matches!(request.options.encryption, Some(Encryption::Kms { .. })) && store.checksums().is_empty() {
        // Under such a key an ETag is no MD5 of the bytes.
        return Err(ErrorName::Unsupported.because(format!(
            "options.encryption: expected a destination with checksums (under a KMS key an ETag is no MD5, and would \
             prove nothing), found none in the profile of location {}",
            request.destination.location
        )));
    }
    let Some(Encryption::Kms { key_id: Some(key), .. }) = &request.options.encryption else { return Ok(()) };
    let found = key.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
    match (store.partition(), found) {
        (Some(expected), Some(found)) if expected != found => {
            Err(ErrorName::DestinationInvalid.because(format!(
                "options.encryption.keyId: expected a key of partition {expected} (as location {}), found {found}",
                request.destination.location
            )))
        }
        _ => Ok(()),
    }
}
