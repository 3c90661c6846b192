//! What a run over many objects takes, before it is begun: requests, seconds of workers, transitions; and at which price.
//!
//! Requests are counted object by object as the lists are written, so that they are exact where nothing fails; dollars and
//! hours follow from a table of prices and rates that anybody may replace.
//!
//! ```
//! use transload_plan::cost::{ClassWork, Manner};
//!
//! // A small object is one GET and one PUT.
//! let mut work = ClassWork::default();
//! work.batched(10_000, &Manner::default());
//! assert_eq!((work.source["GetObject"], work.destination["PutObject"]), (1, 1));
//! ```

mod class;
mod estimate;
mod money;
mod prices;
mod work;

pub use class::SizeClass;
pub use estimate::{Concurrency, Estimate, Money, Run, Takes, estimate};
pub use prices::{Lambda, Place, Price, PriceError, Prices, Rates, RegionPrices, Source, StepFunctions};
pub use work::{ClassWork, Manner, Requests, Sides};

/// List prices and rates as they come with this release, as JSON.
pub const LIST_PRICES: &str = include_str!("prices.json");
