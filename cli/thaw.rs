//! The flags that say how an archived source is asked back.

use clap::{Args, ValueEnum};
use transload_wire::{Thaw, Tier, WhenArchived};

/// Flags of `copy` and `sync`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ThawFlags {
    /// Ask an archived source back and wait for it, instead of failing or leaving it out; S3 charges for that
    #[arg(long)]
    pub(crate) thaw: bool,
    /// How fast it comes back [default: standard]
    #[arg(long, requires = "thaw", value_enum, value_name = "TIER")]
    thaw_tier: Option<TierFlag>,
    /// Days that the restored copy is kept [default: 3]
    #[arg(long, requires = "thaw", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=365))]
    thaw_days: Option<u32>,
    /// Hours after which the wait fails [default: 72]
    #[arg(long, requires = "thaw", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=144))]
    thaw_hours: Option<u32>,
}

/// How fast an archived source comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TierFlag {
    /// Hours
    Standard,
    /// Cheapest, up to two days
    Bulk,
    /// Minutes; not of a deep archive
    Expedited,
}

impl ThawFlags {
    /// As the execution's input has them.
    pub(crate) fn resolve(&self) -> (WhenArchived, Option<Thaw>) {
        if !self.thaw {
            return (WhenArchived::Fail, None);
        }
        let default = Thaw::default();
        let tier = match self.thaw_tier {
            None | Some(TierFlag::Standard) => Tier::Standard,
            Some(TierFlag::Bulk) => Tier::Bulk,
            Some(TierFlag::Expedited) => Tier::Expedited,
        };
        let (days, hours) = (self.thaw_days, self.thaw_hours);
        let thaw = Thaw {
            tier,
            days: days.unwrap_or(default.days),
            deadline_hours: hours.unwrap_or(default.deadline_hours),
        };
        (WhenArchived::Thaw, Some(thaw))
    }
}
