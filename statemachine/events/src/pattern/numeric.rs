//! Numbers: equal ones, and ranges of them.
use serde_json::{Number, Value};

/// Numbers in conditions lie between -5.0e9 and 5.0e9 (event patterns, numeric matching).
const LIMIT: f64 = 5.0e9;

/// Whether two numbers are the same however they are written.
pub(super) fn same_number(one: &Number, other: &Number) -> bool {
    // Integers beyond 2^53 would be equal to their neighbours as floating point.
    let integers = one.as_i128().zip(other.as_i128());
    integers.map_or_else(|| one.as_f64() == other.as_f64(), |(one, other)| one == other)
}

/// One end of a range.
#[derive(Debug, Clone, Copy)]
struct End {
    at: f64,
    included: bool,
}

/// Numbers between two ends, either of which may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    low: Option<End>,
    high: Option<End>,
}

impl Range {
    /// Reads `["=", 5]`, `["<", 10]` or `[">", 0, "<=", 5]`.
    pub(super) fn parse(expression: &Value) -> Result<Self, String> {
        let Value::Array(terms) = expression else {
            return Err("Value of numeric must be an array.".to_owned());
        };
        let [operator, rest @ ..] = terms.as_slice() else {
            return Err("Invalid member in numeric match: ]".to_owned());
        };
        let Value::String(operator) = operator else {
            return Err(format!("Invalid member in numeric match: {operator}"));
        };
        match (operator.as_str(), rest) {
            ("=" | "<" | "<=" | ">" | ">=", []) => {
                Err(format!("Value of {} must be numeric", spoken(operator)))
            }
            ("=" | "<" | "<=", [value, more @ ..]) => {
                let range = Self::default().with(operator, bounded(operator, value)?);
                if more.is_empty() {
                    Ok(range)
                } else {
                    Err("Too many elements in numeric expression".to_owned())
                }
            }
            (">" | ">=", [value, more @ ..]) => {
                Self::default().with(operator, bounded(operator, value)?).until(more)
            }
            _ => Err(format!("Unrecognized numeric range operator: {operator}")),
        }
    }

    fn with(mut self, operator: &str, at: f64) -> Self {
        let end = Some(End { at, included: operator.ends_with('=') });
        if operator != "<" && operator != "<=" {
            self.low = end;
        }
        if operator != ">" && operator != ">=" {
            self.high = end;
        }
        self
    }

    /// The second half of a range, if there is one.
    fn until(self, rest: &[Value]) -> Result<Self, String> {
        let (operator, value, more) = match rest {
            [] => return Ok(self),
            [Value::String(operator), rest @ ..] => {
                (operator, rest.first(), rest.get(1..).unwrap_or_default())
            }
            [other, ..] => return Err(format!("Bad value in numeric range: {other}")),
        };
        if operator != "<" && operator != "<=" {
            return Err(format!("Bad numeric range operator: {operator}"));
        }
        let range = self.with(operator, bounded(operator, value.unwrap_or(&Value::Null))?);
        match (range.low, range.high) {
            _ if !more.is_empty() => Err("Too many terms in numeric range expression".to_owned()),
            (Some(low), Some(high)) if low.at >= high.at => Err("Bottom must be less than top".to_owned()),
            _ => Ok(range),
        }
    }

    /// Whether a number is in the range.
    pub(super) fn contains(&self, number: &Number) -> bool {
        let Some(value) = number.as_f64().filter(|value| value.abs() <= LIMIT) else { return false };
        let above = |end: End| value > end.at || end.included && value == end.at;
        let below = |end: End| value < end.at || end.included && value == end.at;
        self.low.is_none_or(above) && self.high.is_none_or(below)
    }
}

fn spoken(operator: &str) -> &str {
    if operator == "=" { "equals" } else { operator }
}

fn bounded(operator: &str, value: &Value) -> Result<f64, String> {
    let number = value.as_f64().ok_or_else(|| format!("Value of {} must be numeric", spoken(operator)))?;
    if number.abs() <= LIMIT {
        return Ok(number);
    }
    Err("Value must be between -5.0E9 and 5.0E9, inclusive".to_owned())
}
