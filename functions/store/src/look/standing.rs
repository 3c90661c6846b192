//! What stands at the destination, and whether it is what would be written.

use transload_wire::{
    ChecksumKind, Destination, ErrorName, Failure, Overwrite, Pinned, SOURCE_METADATA, TOKEN_METADATA, Token,
    TransferRequest,
};

use crate::{Head, ObjectRef, Side, Store, failure_of, prove};

/// What stands at the destination.
pub(super) async fn standing(store: &dyn Store, destination: &Destination) -> Result<Option<Head>, Failure> {
    match store.head(&ObjectRef::of_destination(destination)).await {
        Ok(head) => Ok(Some(head)),
        Err(error) if prove::is_nothing(&error) => Ok(None),
        Err(error) => Err(failure_of(error, Side::Destination).at("destination")),
    }
}

/// Why nothing is to be done, if so.
pub(super) fn skip(
    standing: Option<&Head>,
    request: &TransferRequest,
    pinned: &Pinned,
    (token, identity): (&Token, &Token),
) -> Result<Option<String>, Failure> {
    let Some(head) = standing else { return Ok(None) };
    let says = |name: &str, token: &Token| {
        head.attributes.metadata.get(name).is_some_and(|found| found == token.as_str())
    };
    let same = says(SOURCE_METADATA, identity) && head.size == pinned.size && !checksums_differ(head, pinned);
    if same && says(TOKEN_METADATA, token) {
        return Ok(Some("this very transfer was done already".to_owned()));
    }
    match request.options.overwrite {
        Overwrite::IfDifferent if same => Ok(Some(
            "the destination holds this version of the source already, as its metadata says".to_owned(),
        )),
        Overwrite::Never => Err(ErrorName::DestinationExists.because(format!(
            "{}: expected nothing (options.overwrite is never), found ETag {}",
            request.destination,
            head.etag.to_header()
        ))),
        Overwrite::IfDifferent | Overwrite::Always => Ok(None),
    }
}

/// Token of the transfer that wrote an object, if one did.
#[must_use]
pub fn token(head: &Head) -> Option<Token> {
    head.attributes.metadata.get(TOKEN_METADATA)?.parse().ok()
}

/// Whether both sides tell a comparable checksum and it differs. Checksums of parts say nothing about another layout.
fn checksums_differ(head: &Head, pinned: &Pinned) -> bool {
    let (Some(here), Some(there)) = (&head.checksum, &pinned.checksum) else { return false };
    let comparable = here.algorithm == there.algorithm
        && [here, there].iter().all(|checksum| checksum.kind == ChecksumKind::FullObject);
    comparable && here.value != there.value
}
