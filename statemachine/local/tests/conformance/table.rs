//! The counts by group, and the goals.
use super::differences::Listed;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What has become of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// Its recording is not the service's.
    LeftOut,
    /// It differs, as is known.
    Differs,
    /// It differs, and nobody knew.
    Failed,
}

impl Outcome {
    pub(crate) fn of(listed: Option<Listed>, verdict: &Result<(), String>) -> Self {
        match (verdict, listed) {
            (Ok(()), _) => Self::Passed,
            (Err(_), Some(Listed::Out)) => Self::LeftOut,
            (Err(_), Some(Listed::Differs)) => Self::Differs,
            (Err(_), None) => Self::Failed,
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Counts {
    cases: usize,
    passed: usize,
    left_out: usize,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        self.cases += 1;
        self.passed += usize::from(outcome == Outcome::Passed);
        self.left_out += usize::from(outcome == Outcome::LeftOut);
    }

    fn failed(self) -> usize {
        self.cases - self.passed - self.left_out
    }
}

/// Counts by group, by kind, and by goal.
#[derive(Default)]
pub(crate) struct Table {
    groups: BTreeMap<String, Counts>,
    kinds: BTreeMap<String, Counts>,
    goals: BTreeMap<Goal, Counts>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Goal {
    /// Executions, synchronous ones, and refused definitions.
    Executions,
    /// Those of them that have a Distributed Map.
    DistributedMaps,
    Api,
    TestState,
}

impl Goal {
    const ALL: [Self; 4] = [Self::Executions, Self::DistributedMaps, Self::Api, Self::TestState];

    /// Of a hundred cases that are not left out.
    fn percent(self) -> usize {
        match self {
            Self::Executions => 95,
            Self::DistributedMaps => 100,
            Self::Api | Self::TestState => 85,
        }
    }

    fn counts(self, case: &Value) -> bool {
        let kind = case["kind"].as_str().unwrap_or_default();
        let executes = matches!(kind, "execution" | "sync_execution" | "create_error");
        let has = |feature: &str| case["features"].as_array().is_some_and(|f| f.iter().any(|f| f == feature));
        match self {
            Self::Executions => executes,
            Self::DistributedMaps => executes && has("Map:DISTRIBUTED"),
            Self::Api => kind == "api",
            Self::TestState => kind == "test_state",
        }
    }
}

impl Table {
    /// Counts a case.
    pub(crate) fn count(&mut self, case: &Value, outcome: Outcome) {
        let named = |name: &str| case[name].as_str().unwrap_or("none").to_owned();
        self.groups.entry(named("group")).or_default().add(outcome);
        self.kinds.entry(named("kind")).or_default().add(outcome);
        for goal in Goal::ALL.into_iter().filter(|g| g.counts(case)) {
            self.goals.entry(goal).or_default().add(outcome);
        }
    }

    /// The goals that are missed. What is left out counts neither way.
    pub(crate) fn missed_goals(&self) -> Vec<String> {
        let counts = |goal: &Goal| self.goals.get(goal).copied().unwrap_or_default();
        let missed = |goal: &&Goal| {
            let counts = counts(goal);
            let counted = counts.cases - counts.left_out;
            counted == 0 || counts.passed * 100 < counted * goal.percent()
        };
        let words = |goal: &Goal| {
            let Counts { cases, passed, left_out } = counts(goal);
            format!("{goal:?}: {passed} of {} pass, the goal is {} %", cases - left_out, goal.percent())
        };
        Goal::ALL.iter().filter(missed).map(words).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut total = Counts::default();
        for (head, rows) in [("group", &self.groups), ("kind", &self.kinds)] {
            writeln!(f, "\n{head:<28}{:>7}{:>8}{:>10}{:>8}", "cases", "passed", "left out", "failed")?;
            total = Counts::default();
            for (name, c) in rows {
                row(f, name, *c)?;
                total.cases += c.cases;
                total.passed += c.passed;
                total.left_out += c.left_out;
            }
        }
        row(f, "total", total)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, c: Counts) -> fmt::Result {
    writeln!(f, "{name:<28}{:>7}{:>8}{:>10}{:>8}", c.cases, c.passed, c.left_out, c.failed())
}

#[test]
fn goals_are_missed_by_one_case_too_few() {
    let case = |kind: &str| serde_json::json!({"kind": kind, "group": "g", "features": ["Map:DISTRIBUTED"]});
    let counted = |kind: &str, passed: usize, out: usize, failed: usize| {
        let mut table = Table::default();
        let counts = [(Outcome::Passed, passed), (Outcome::LeftOut, out), (Outcome::Differs, failed)];
        for (outcome, times) in counts {
            (0..times).for_each(|_| table.count(&case(kind), outcome));
        }
        table.missed_goals()
    };
    let met = |kind: &str, goal: &str, p, o, f| !counted(kind, p, o, f).iter().any(|m| m.starts_with(goal));
    assert!(met("execution", "Executions", 95, 50, 5));
    assert!(!met("execution", "Executions", 94, 50, 6));
    assert!(met("create_error", "DistributedMaps", 5, 1, 0));
    assert!(!met("create_error", "DistributedMaps", 99, 0, 1));
    assert!(met("api", "Api", 85, 0, 15));
    assert!(!met("test_state", "TestState", 84, 0, 16));
    assert!(!met("api", "TestState", 1, 0, 0), "a goal without cases is missed");
}
