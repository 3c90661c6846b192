//! What of a request can be refused by looking at the destination's location alone.

use transload_wire::{Destination, Encryption, ErrorName, Failure, Options};

use crate::{Store, prove};

/// Refuses a destination that could not prove what is written to it, and a key of another partition.
///
/// # Errors
/// `Unsupported`, `DestinationInvalid`.
pub fn destination(destination: &Destination, options: &Options, store: &dyn Store) -> Result<(), Failure> {
    prove::provable(store, destination)?;
    if matches!(options.encryption, Some(Encryption::Kms { .. })) && store.checksums().is_empty() {
        // Under such a key an ETag is no MD5 of the bytes.
        return Err(ErrorName::Unsupported.because(format!(
            "options.encryption: expected a destination with checksums (under a KMS key an ETag is no MD5, and would \
             prove nothing), found none in the profile of location {}",
            destination.location
        )));
    }
    let Some(Encryption::Kms { key_id: Some(key), .. }) = &options.encryption else { return Ok(()) };
    let found = key.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
    match (store.partition(), found) {
        (Some(expected), Some(found)) if expected != found => {
            Err(ErrorName::DestinationInvalid.because(format!(
                "options.encryption.keyId: expected a key of partition {expected} (as location {}), found {found}",
                destination.location
            )))
        }
        _ => Ok(()),
    }
}
