//! What the service did differently in earlier years, so that a recording of then can be reproduced.
use crate::clock::Timestamp;
use serde_json::Value;

/// 15 November 2023, when redrive was announced: `RedriveCount` and its kin came with it.
const REDRIVE: i64 = 1_700_006_400_000;
/// 25 July 2024, when machines and activities could have keys of their own: `encryptionConfiguration` came with it.
const ENCRYPTION: i64 = 1_721_865_600_000;
/// 1 September 2024. A recording of 19 June 2024 has the older chain of events, one of 18 November 2024 the newer; when
/// it changed in between is not known.
const MAP_EXIT: i64 = 1_725_148_800_000;

/// How the service behaved at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vintage {
    /// The context object and the results of `.sync` know of redrives.
    pub(crate) redrive: bool,
    /// Machines and activities say how they are encrypted.
    pub(crate) encryption: bool,
    /// A distributed Map's `MapStateExited` follows `MapRunStarted`; before, it followed `MapRunSucceeded`.
    pub(crate) exit_follows_start: bool,
}

impl Vintage {
    /// The newest that is known, unless a moment is given.
    pub(crate) fn at(moment: Option<Timestamp>) -> Self {
        let since = |change: i64| moment.is_none_or(|m| m.millis() >= change);
        Self { redrive: since(REDRIVE), encryption: since(ENCRYPTION), exit_follows_start: since(MAP_EXIT) }
    }

    /// Takes from an answer of the API, or from the items of its list, what there was not yet.
    pub(crate) fn withhold(self, answer: &mut Value) {
        match answer {
            Value::Array(items) => items.iter_mut().for_each(|item| self.withhold(item)),
            Value::Object(members) => {
                members.retain(|name, _| {
                    (self.redrive || !(name.starts_with("redrive") || name == "pendingRedrive"))
                        && (self.encryption || name != "encryptionConfiguration")
                });
                for name in ["executions", "itemCounts", "executionCounts"] {
                    if let Some(within) = members.get_mut(name) {
                        self.withhold(within);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_newest_is_the_default_and_the_changes_come_one_by_one() {
        let at = |millis| Vintage::at(Some(Timestamp::from_millis(millis)));
        let vintage =
            |redrive, encryption, exit_follows_start| Vintage { redrive, encryption, exit_follows_start };
        assert_eq!(Vintage::at(None), vintage(true, true, true));
        assert_eq!(at(REDRIVE - 1), vintage(false, false, false));
        assert_eq!(at(REDRIVE), vintage(true, false, false));
        assert_eq!(at(ENCRYPTION), vintage(true, true, false));
        assert_eq!(at(MAP_EXIT), Vintage::at(None));
    }

    #[test]
    fn an_answer_has_the_members_of_its_time() {
        let now = json!({"executions": [{"name": "e", "redriveCount": 0}], "encryptionConfiguration": {"type": "AWS_OWNED_KEY"}});
        let mut answer = now.clone();
        Vintage::at(None).withhold(&mut answer);
        assert_eq!(answer, now);
        Vintage::at(Some(Timestamp::from_millis(REDRIVE - 1))).withhold(&mut answer);
        assert_eq!(answer, json!({"executions": [{"name": "e"}]}));
    }
}
