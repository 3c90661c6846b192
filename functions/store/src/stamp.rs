//! What a transfer writes into the metadata of its own object, and what it sets there beside.

use std::collections::BTreeMap;

use transload_wire::{
    Attributes, ChecksumAlgorithm, Destination, Options, SOURCE_METADATA, TOKEN_METADATA, Token,
};

use crate::Target;

/// Metadata with the two entries by which a transfer knows its own work again.
#[must_use]
pub fn stamped(
    metadata: &BTreeMap<String, String>,
    token: &Token,
    identity: &Token,
) -> BTreeMap<String, String> {
    let mut metadata = metadata.clone();
    metadata.insert(TOKEN_METADATA.to_owned(), token.to_string());
    metadata.insert(SOURCE_METADATA.to_owned(), identity.to_string());
    metadata
}

impl Target {
    /// The object that a transfer makes.
    #[must_use]
    pub fn of(
        destination: &Destination,
        attributes: &Attributes,
        options: &Options,
        (token, identity): (&Token, &Token),
        checksum_algorithm: Option<ChecksumAlgorithm>,
    ) -> Self {
        let mut attributes = attributes.clone();
        attributes.metadata = stamped(&attributes.metadata, token, identity);
        Self {
            bucket: destination.bucket.clone(),
            key: destination.key.clone(),
            attributes,
            encryption: options.encryption.clone(),
            checksum_algorithm,
        }
    }
}
