//! Choice states: JSONata conditions, and the comparisons of JSONPath.
use super::fields::Fields;
use super::*;
use crate::query::Template;
use serde_json::Value;

/// `Choices` and `Default`.
pub(super) fn parse(fields: &Fields<'_>, language: Language) -> Option<Kind> {
    fields.required("Choices");
    let list = fields.list("Choices")?;
    if list.is_empty() {
        fields.bad("Choices", "Expected at least one choice");
    }
    let mut rules = Vec::with_capacity(list.len());
    for (i, value) in list.iter().enumerate() {
        let at = fields.at(&format!("Choices[{i}]"));
        let Some(entry) = Fields::new(value, at, fields.problems()) else { continue };
        rules.extend(rule(&entry, language));
        entry.finish();
    }
    let default = fields.text("Default").map(str::to_owned);
    Some(Kind::Choice { rules, default })
}

fn rule(entry: &Fields<'_>, language: Language) -> Option<Rule> {
    entry.text("Comment");
    entry.required("Next");
    let next = entry.text("Next").map(str::to_owned);
    let assign = super::state::assign(entry, language);
    let (condition, output) = match language {
        Language::Jsonata => (jsonata(entry), super::state::template(entry, "Output", language)),
        Language::JsonPath => (condition(entry), None),
    };
    // Refused already, but the rule leads where it leads: nobody shall hear that its target is not reachable.
    let condition = condition.unwrap_or(Condition::Or(Vec::new()));
    Some(Rule { condition, next: next?, assign, output })
}

fn jsonata(entry: &Fields<'_>) -> Option<Condition> {
    match entry.required("Condition")? {
        Value::Bool(fixed) => Some(Condition::Jsonata(Template::Literal(Value::Bool(*fixed)))),
        Value::String(_) => {
            let template = super::state::template(entry, "Condition", Language::Jsonata)?;
            if template.is_literal() {
                entry.bad("Condition", "Expected a boolean or a JSONata expression");
            }
            Some(Condition::Jsonata(template))
        }
        other => {
            entry.bad(
                "Condition",
                format!("Expected a boolean or a JSONata expression, found {}", type_name(other)),
            );
            None
        }
    }
}

fn condition(entry: &Fields<'_>) -> Option<Condition> {
    for (name, all) in [("And", true), ("Or", false)] {
        if entry.has(name) {
            let inner = several(entry, name)?;
            return Some(if all { Condition::And(inner) } else { Condition::Or(inner) });
        }
    }
    if let Some(value) = entry.get("Not") {
        return nested(entry, value, "Not".to_owned()).map(|c| Condition::Not(Box::new(c)));
    }
    comparison(entry)
}

fn several(entry: &Fields<'_>, name: &str) -> Option<Vec<Condition>> {
    let list = entry.list(name)?;
    if list.is_empty() {
        entry.bad(name, "Expected at least one condition");
    }
    list.iter().enumerate().map(|(i, v)| nested(entry, v, format!("{name}[{i}]"))).collect()
}

fn nested(entry: &Fields<'_>, value: &Value, below: String) -> Option<Condition> {
    let inner = Fields::new(value, entry.at(&below), entry.problems())?;
    inner.text("Comment");
    let found = condition(&inner);
    inner.finish();
    found
}

fn comparison(entry: &Fields<'_>) -> Option<Condition> {
    let found: Vec<_> = operators().into_iter().filter(|(name, _, _)| entry.get(name).is_some()).collect();
    entry.required("Variable")?;
    let variable = super::task::rule_path(entry, "Variable");
    let [(name, operator, by_path)] = found.as_slice() else {
        entry.bad_here(format!("Exactly one comparison is required, found {}", found.len()));
        return None;
    };
    let operand = match by_path {
        true => Operand::Path(super::task::rule_path(entry, name)?),
        false => Operand::Literal(literal(entry, name, *operator)?),
    };
    Some(Condition::Compare { variable: variable?, operator: *operator, operand })
}

fn literal(entry: &Fields<'_>, name: &str, operator: Operator) -> Option<Value> {
    let value = entry.get(name)?;
    let fits = match operator {
        Operator::Numeric(_) => value.is_number(),
        Operator::Text(_) | Operator::Matches => value.is_string(),
        Operator::Timestamp(_) => value.as_str().is_some_and(|t| crate::clock::parse_rfc3339(t).is_some()),
        _ => value.is_boolean(),
    };
    if !fits {
        entry.bad(name, format!("Value does not fit the comparison, found {value}"));
    }
    fits.then(|| value.clone())
}

fn operators() -> Vec<(String, Operator, bool)> {
    let mut all = vec![
        ("BooleanEquals".to_owned(), Operator::BooleanEquals, false),
        ("BooleanEqualsPath".to_owned(), Operator::BooleanEquals, true),
        ("StringMatches".to_owned(), Operator::Matches, false),
        ("IsBoolean".to_owned(), Operator::IsBoolean, false),
        ("IsNull".to_owned(), Operator::IsNull, false),
        ("IsNumeric".to_owned(), Operator::IsNumeric, false),
        ("IsPresent".to_owned(), Operator::IsPresent, false),
        ("IsString".to_owned(), Operator::IsString, false),
        ("IsTimestamp".to_owned(), Operator::IsTimestamp, false),
    ];
    let orders = [
        ("Equals", Order::Equals),
        ("LessThan", Order::LessThan),
        ("LessThanEquals", Order::LessThanEquals),
        ("GreaterThan", Order::GreaterThan),
        ("GreaterThanEquals", Order::GreaterThanEquals),
    ];
    for (name, order) in orders {
        let kinds = [
            ("Numeric", Operator::Numeric(order)),
            ("String", Operator::Text(order)),
            ("Timestamp", Operator::Timestamp(order)),
        ];
        for (kind, operator) in kinds {
            all.push((format!("{kind}{name}"), operator, false));
            all.push((format!("{kind}{name}Path"), operator, true));
        }
    }
    all
}
