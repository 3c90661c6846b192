//! What the service did differently in earlier years, so that a recording of then can be reproduced.
use crate::clock::Timestamp;

/// 15 November 2023, when redrive was announced: `RedriveCount` and its kin came with it.
const REDRIVE: i64 = 1_700_006_400_000;
/// 1 September 2024. A recording of 19 June 2024 has the older chain of events, one of 18 November 2024 the newer; when
/// it changed in between is not known.
const MAP_EXIT: i64 = 1_725_148_800_000;

/// How the service behaved at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vintage {
    /// The context object and the results of `.sync` know of redrives.
    pub(crate) redrive: bool,
    /// A distributed Map's `MapStateExited` follows `MapRunStarted`; before, it followed `MapRunSucceeded`.
    pub(crate) exit_follows_start: bool,
}

impl Vintage {
    /// The newest that is known, unless a moment is given.
    pub(crate) fn at(moment: Option<Timestamp>) -> Self {
        let since = |change: i64| moment.is_none_or(|m| m.millis() >= change);
        Self { redrive: since(REDRIVE), exit_follows_start: since(MAP_EXIT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_newest_is_the_default_and_the_changes_come_one_by_one() {
        let at = |millis| Vintage::at(Some(Timestamp::from_millis(millis)));
        assert_eq!(Vintage::at(None), Vintage { redrive: true, exit_follows_start: true });
        assert_eq!(at(REDRIVE - 1), Vintage { redrive: false, exit_follows_start: false });
        assert_eq!(at(REDRIVE), Vintage { redrive: true, exit_follows_start: false });
        assert_eq!(at(MAP_EXIT), Vintage::at(None));
    }
}
