//! Looks at both ends before anything is written: pins a version of the source, and tells what is to be done about what
//! stands at the destination. Whatever is wrong with a request is refused here.

pub mod attributes;
mod expect;
pub mod identity;
mod order;
pub mod pin;
pub mod refuse;
mod standing;

use transload_wire::{Attributes, Decision, ExecutionInfo, Failure, Pinned, Token, TransferRequest};

pub use standing::token;

use crate::{Head, ObjectRef, Stamp, Store};

/// What both ends are, and what follows.
#[derive(Debug)]
pub struct Looked {
    /// The version to read.
    pub pinned: Pinned,
    /// Its facts.
    pub head: Head,
    /// What the destination will carry.
    pub attributes: Attributes,
    /// Identity of the version.
    pub identity: Token,
    /// Token of the transfer.
    pub token: Token,
    /// What stands at the destination.
    pub standing: Option<Head>,
    /// Why it is not sent, if so: skipped, or begun anew with a newer version.
    pub instead: Option<(Decision, String)>,
    /// Whether that is because it is none of those that are asked for.
    pub filtered: bool,
}

/// Looks at both ends. With `before` the source is only compared with what was pinned then.
///
/// # Errors
/// The request's, the source's and the destination's own; `SourceChanged` if the source is not what was pinned before.
pub async fn look(
    source: &dyn Store,
    destination: &dyn Store,
    request: &TransferRequest,
    execution: &ExecutionInfo,
    before: Option<&Pinned>,
) -> Result<Looked, Failure> {
    // The destination first: what another transfer wrote there was pinned before this one pins its own, so it is never
    // newer; and what comes after this look makes the write fail, which is conditional on it.
    let standing = standing::standing(destination, &request.destination).await?;
    let (pinned, head) =
        pin::pin(source, request, before).await.map_err(|failure| expect::gone(request, failure))?;
    expect::source(request, &pinned)?;
    if let Some(before) = before {
        // A restored copy does not last: it may have gone back while it was read.
        pin::readable(request, &head)?;
        pin::compare(before, &pinned)?;
        pin::probe(source, &pinned).await?;
    }
    let attributes = attributes::wanted(source, request, &ObjectRef::of_pinned(&pinned), &head).await?;
    let (identity, token) = names(request, execution, &pinned, &attributes)?;
    let filtered = !request.options.takes_metadata(&head.attributes.metadata);
    let instead = match standing::skip(standing.as_ref(), request, &pinned, (&token, &identity))? {
        _ if filtered => Some((Decision::Skip, FILTERED.to_owned())),
        Some(why) => Some((Decision::Skip, why)),
        // Later the write itself is conditional on what this look found.
        None if before.is_none() && expect::differs(request, standing.as_ref()) => {
            return Err(expect::refusal(request, standing.as_ref()));
        }
        None => order::judge(source, standing.as_ref(), request, before.is_some(), &pinned).await?,
    };
    Ok(Looked { pinned, head, attributes, identity, token, standing, instead, filtered })
}

/// Why an object that is not asked for is not sent.
const FILTERED: &str = "its metadata does not match options.metadataFilter";

/// Identity of a version and token of its transfer; refuses attributes that do not fit together with them.
///
/// # Errors
/// `DestinationInvalid` for too much metadata.
pub fn names(
    request: &TransferRequest,
    execution: &ExecutionInfo,
    pinned: &Pinned,
    attributes: &Attributes,
) -> Result<(Token, Token), Failure> {
    let identity = identity::of_version(pinned)?;
    let identity = identity::of_url(pinned, execution, identity)?;
    let token = identity::of_transfer(request, execution, &identity, attributes)?;
    attributes::fit(attributes, &Stamp::new(&token, &identity, pinned))?;
    Ok((identity, token))
}
