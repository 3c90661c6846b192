//! Choice: which rule holds.
use super::io::{self, View, unexpected};
use super::scope::{Chosen, Scope};
use super::{Failure, Trouble};
use crate::asl::{Condition, Operand, Operator, Order, Rule, State};
use crate::clock::parse_rfc3339;
use serde_json::Value;
use std::cmp::Ordering;

impl Scope {
    /// The first rule that holds, or the default.
    pub(super) fn choose(
        &self,
        state: &State,
        input: &Value,
        rules: &[Rule],
        default: Option<&str>,
    ) -> Result<Chosen, Trouble> {
        let view = self.view(state, input);
        for (index, rule) in rules.iter().enumerate() {
            if !holds(&view, &rule.condition, &format!("Choices[{index}]/Condition"))? {
                continue;
            }
            let assigned = io::assign(&view, rule.assign.as_ref(), None, None)?;
            let output = rule
                .output
                .as_ref()
                .map(|t| view.evaluate(t, &format!("Choices[{index}]/Output")))
                .transpose()?;
            return Ok(Chosen { next: rule.next.clone(), output, assigned });
        }
        let Some(next) = default else {
            return Err(no_choice(&view).into());
        };
        let assigned = io::assign(&view, state.io.assign.as_ref(), None, None)?;
        let output = state.io.output.as_ref().map(|t| view.evaluate(t, "Output")).transpose()?;
        Ok(Chosen { next: next.to_owned(), output, assigned })
    }
}

fn no_choice(view: &View<'_>) -> Failure {
    let failure =
        view.runtime("Failed to transition out of the state. The state does not point to a next state.");
    Failure { error: Some("States.NoChoiceMatched".to_owned()), ..failure }
}

fn holds(view: &View<'_>, condition: &Condition, field: &str) -> Result<bool, Failure> {
    match condition {
        Condition::Jsonata(template) => match view.evaluate(template, field)? {
            Value::Bool(found) => Ok(found),
            other => Err(view.wrong(field, unexpected(&template.source(), field, "boolean", &other))),
        },
        Condition::And(all) => {
            for one in all {
                if !holds(view, one, field)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Condition::Or(any) => {
            for one in any {
                if holds(view, one, field)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Condition::Not(inner) => holds(view, inner, field).map(|found| !found),
        Condition::Compare { variable, operator, operand } => {
            let found = view.path(variable);
            if *operator == Operator::IsPresent {
                return Ok(found.is_ok() == (*operand_value(view, operand)? == Value::Bool(true)));
            }
            let found = found?;
            let operand = operand_value(view, operand)?;
            Ok(compare(&found, *operator, &operand))
        }
    }
}

fn operand_value<'a>(view: &View<'_>, operand: &'a Operand) -> Result<std::borrow::Cow<'a, Value>, Failure> {
    match operand {
        Operand::Literal(value) => Ok(std::borrow::Cow::Borrowed(value)),
        Operand::Path(path) => view.path(path).map(std::borrow::Cow::Owned),
    }
}

fn compare(left: &Value, operator: Operator, right: &Value) -> bool {
    let wanted = right == &Value::Bool(true);
    match operator {
        Operator::BooleanEquals => left.is_boolean() && left == right,
        Operator::Numeric(order) => {
            ordered(order, left.as_f64().zip(right.as_f64()).and_then(|(a, b)| a.partial_cmp(&b)))
        }
        Operator::Text(order) => ordered(order, left.as_str().zip(right.as_str()).map(|(a, b)| a.cmp(b))),
        Operator::Timestamp(order) => {
            let time = |v: &Value| v.as_str().and_then(parse_rfc3339);
            ordered(order, time(left).zip(time(right)).map(|(a, b)| a.cmp(&b)))
        }
        Operator::Matches => {
            left.as_str().zip(right.as_str()).is_some_and(|(text, pattern)| wild(text, pattern))
        }
        Operator::IsBoolean => left.is_boolean() == wanted,
        Operator::IsNull => left.is_null() == wanted,
        Operator::IsNumeric => left.is_number() == wanted,
        Operator::IsPresent => wanted,
        Operator::IsString => left.is_string() == wanted,
        Operator::IsTimestamp => left.as_str().and_then(parse_rfc3339).is_some() == wanted,
    }
}

fn ordered(order: Order, found: Option<Ordering>) -> bool {
    let Some(found) = found else { return false };
    match order {
        Order::Equals => found.is_eq(),
        Order::LessThan => found.is_lt(),
        Order::LessThanEquals => found.is_le(),
        Order::GreaterThan => found.is_gt(),
        Order::GreaterThanEquals => found.is_ge(),
    }
}

/// `*` stands for any text, `\*` for itself.
fn wild(text: &str, pattern: &str) -> bool {
    let mut parts = vec![String::new()];
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => parts.push(String::new()),
            '\\' => parts.last_mut().into_iter().for_each(|p| p.extend(chars.next())),
            c => parts.last_mut().into_iter().for_each(|p| p.push(c)),
        }
    }
    let [first, middle @ .., last] = parts.as_slice() else {
        return parts.first().is_some_and(|p| p == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::wild;

    #[test]
    fn wildcards() {
        for (text, pattern, expected) in [
            ("log-2026.txt", "log-*.txt", true),
            ("log-.txt", "log-*.txt", true),
            ("log.txt", "log-*.txt", false),
            ("a*b", r"a\*b", true),
            ("axb", r"a\*b", false),
            ("ab", "ab*ab", false),
            ("", "*", true),
        ] {
            assert_eq!(wild(text, pattern), expected, "{text} {pattern}");
        }
    }
}
