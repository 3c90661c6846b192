//! Pure decisions: part layout, ranges, batches and routing of a transfer; patterns, filters, comparison and the joining of
//! listings of many. No async, no SDK, no clock.
//!
//! ```
//! use transload_plan::{Limits, layout, missing};
//!
//! // 100 MiB in parts of 8 MiB: 13 parts, the last one shorter.
//! let layout = layout(100 << 20, None, &Limits::default())?;
//! assert_eq!((layout.count(), layout.part_size()), (13, 8 << 20));
//!
//! // Nothing is at the destination yet, so every part is missing.
//! assert_eq!(missing(&layout, &[])?.to_string(), "1-13");
//! # Ok::<(), transload_plan::PlanError>(())
//! ```

mod bandwidth;
mod batch;
mod compare;
pub mod cost;
mod csv;
mod error;
mod filter;
mod glob;
mod ignore;
pub mod inventory;
mod layout;
mod limits;
pub mod manifest;
mod merge;
mod missing;
mod parts;
mod range;
mod route;
mod split;
mod time;
mod window;

pub use bandwidth::{LEAST_BANDWIDTH, Share, most_at_once};
pub use batch::{BatchBounds, batches};
pub use compare::{Likeness, Listed, Verdict, compare};
pub use error::PlanError;
pub use filter::{Facts, Filter, FilterError, FilterRules, Reason};
pub use glob::{Glob, GlobError, LONGEST_PATTERN, Slashes};
pub use ignore::{IgnoreError, IgnoreList};
pub use layout::{Layout, Run, layout, layout_from_parts};
pub use limits::{GIB, KIB, Limits, MIB, TIB};
pub use merge::{Joined, Keyed, Merge, OutOfOrder, Step};
pub use missing::{ListedPart, disowned_len, missing};
pub use parts::{PartNumber, PartSet};
pub use range::ByteRange;
pub use route::{Route, route};
pub use split::{Alphabet, middle};
pub use time::utc;
pub use window::{ClockTime, Day, UtcOffset, Window, WindowError};
