//! What this function may fail with: the definition has to retry, catch or park each of these.

use transload_wire::ErrorName as E;

/// Every failure of [`handle`](crate::handle), and of the runtime around it.
pub const FAILURES: &[E] = &[
    E::InputInvalid,
    E::ObjectsFailed,
    E::AccountingDiffers,
    E::WorkDenied,
    E::Internal,
    E::Throttled,
    E::Unavailable,
    E::ConnectionLost,
    E::Stalled,
    E::CredentialsExpired,
    E::OutOfTime,
];
