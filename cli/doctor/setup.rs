//! What is looked at: locations, and ways between them. It comes from a locations file, a deployment's config, or a stack.

use std::collections::BTreeMap;

use transload_store::location::Location;
use transload_wire::LocationName;

/// Everything that is looked at.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// Locations by name.
    pub(crate) locations: BTreeMap<LocationName, Spot>,
    /// Ways between them.
    pub(crate) routes: Vec<Route>,
    /// The deployment's Region; absent for this computer's own setup.
    pub(crate) region: Option<String>,
    /// The account that it is to be deployed to, if it is written.
    pub(crate) account: Option<String>,
    /// Whether Lambda and Step Functions of an account are used.
    pub(crate) deployed: bool,
}

/// A location, and what a deployment says of it beyond what the functions are told.
#[derive(Debug)]
pub(crate) struct Spot {
    /// As the functions know it.
    pub(crate) location: Location,
    /// Whether the functions' own roles are used, which nobody else can be.
    pub(crate) own_role: bool,
    /// Listed buckets by name.
    pub(crate) buckets: BTreeMap<String, Declared>,
}

/// What a config says of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Whether it keeps versions.
    pub(crate) versions: bool,
    /// Keys that its objects are encrypted with.
    pub(crate) keys: Vec<String>,
}

/// A way that objects go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// Its name.
    pub(crate) name: String,
    /// Where from.
    pub(crate) source: End,
    /// Where to.
    pub(crate) destination: End,
    /// Whether events start it.
    pub(crate) events: bool,
    /// `bucket/key` patterns that it leaves out.
    pub(crate) ignore: Vec<String>,
    /// Whether tags are copied.
    pub(crate) tags: bool,
}

/// An end of a route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    /// The location's name.
    pub(crate) location: String,
    /// The bucket.
    pub(crate) bucket: String,
    /// Keys begin so.
    pub(crate) prefix: String,
}
