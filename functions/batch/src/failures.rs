//! What this function may fail with: the definition has to retry, catch or park each of these.

use transload_wire::ErrorName as E;

/// Every failure of [`handle`](crate::handle), and of the runtime around it. What happens to single objects is no failure
/// of the batch: it stands in their records.
pub const FAILURES: &[E] = &[
    E::InputInvalid,
    E::DestinationInvalid,
    E::Unsupported,
    E::Internal,
    E::Unavailable,
    E::OutOfTime,
    E::WindowClosed,
];
