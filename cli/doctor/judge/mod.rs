//! From facts to findings. Pure: each is tested without a store.

pub(crate) mod account;
pub(crate) mod bucket;
pub(crate) mod location;
pub(crate) mod rights;
