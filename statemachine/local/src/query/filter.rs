//! Filters of paths: `[?(@.price < 10 && !@.sold)]`.
use super::path::Step;
use serde_json::Value;
use std::cmp::Ordering;

/// What a filter asks of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// That a path from it leads somewhere, or to a value that compares like this with a literal.
    Value(Vec<Step>, Option<(String, Value)>),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

impl Test {
    pub(super) fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Value(path, operation) => compares(path, operation.as_ref(), value),
            Self::Not(test) => !test.holds(value),
            Self::All(tests) => tests.iter().all(|t| t.holds(value)),
            Self::Any(tests) => tests.iter().any(|t| t.holds(value)),
        }
    }
}

fn compares(path: &[Step], operation: Option<&(String, Value)>, value: &Value) -> bool {
    let mut found = vec![value];
    for step in path {
        found = found.into_iter().flat_map(|v| step.apply(v)).collect();
    }
    let Some((operator, right)) = operation else { return !found.is_empty() };
    let Some(left) = found.first() else { return false };
    let order = match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => (left == &right).then_some(Ordering::Equal),
    };
    match operator.as_str() {
        "==" => order.is_some_and(Ordering::is_eq),
        "!=" => !order.is_some_and(Ordering::is_eq),
        "<" => order.is_some_and(Ordering::is_lt),
        "<=" => order.is_some_and(Ordering::is_le),
        ">" => order.is_some_and(Ordering::is_gt),
        _ => order.is_some_and(Ordering::is_ge),
    }
}
