//! From the JSON of a pattern to its conditions. Every refusal is a reason for `InvalidEventPatternException`.
use super::address::Block;
use super::matcher::{Matcher, Text};
use super::numeric::Range;
use super::steps;
use super::tree::Node;
use super::wildcard::Wildcard;
use serde_json::{Map, Value};

type Parsed<T> = Result<T, String>;

/// Names that can not be fields in an alternative: there they could only be mistakes.
const OPERATORS: [&str; 8] =
    ["prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists", "cidr"];

/// A whole pattern.
pub(super) fn pattern(value: &Value) -> Parsed<Node> {
    match value {
        Value::Object(map) => object(map, false),
        _ => Err("Filter is not an object".to_owned()),
    }
}

fn object(map: &Map<String, Value>, in_or: bool) -> Parsed<Node> {
    if map.is_empty() {
        return Err("Empty objects are not allowed".to_owned());
    }
    let mut node = Node::default();
    for (name, value) in map {
        if name == "$or" && is_or(value) {
            node.add_alternatives(alternatives(value)?);
            continue;
        }
        if in_or && OPERATORS.contains(&name.as_str()) {
            return Err(format!("{name} is Ruler reserved fieldName which cannot be used inside $or."));
        }
        match value {
            Value::Object(inner) => node.add_inside(&steps(name), object(inner, in_or)?),
            Value::Array(items) if items.is_empty() => return Err("Empty arrays are not allowed".to_owned()),
            Value::Array(items) => {
                node.add_values(&steps(name), items.iter().map(matcher).collect::<Parsed<_>>()?);
            }
            _ => return Err(format!("\"{name}\" must be an object or an array")),
        }
    }
    Ok(node)
}

/// An object by this name is a field as any other, as it was before there were alternatives.
fn is_or(value: &Value) -> bool {
    !value.is_object()
}

fn alternatives(value: &Value) -> Parsed<Vec<Node>> {
    let Value::Array(items) = value else { return Err("It must be an Array followed with $or.".to_owned()) };
    if items.len() < 2 {
        return Err("There must have at least 2 Objects in $or relationship.".to_owned());
    }
    let one = |item: &Value| match item {
        Value::Object(map) => object(map, true),
        _ => Err("Only JSON object is allowed in array of $or relationship.".to_owned()),
    };
    items.iter().map(one).collect()
}

fn matcher(value: &Value) -> Parsed<Matcher> {
    match value {
        Value::Object(map) => operator(map),
        Value::Array(_) => Err("Match value must be String, number, true, false, or null".to_owned()),
        scalar => Ok(Matcher::Exactly(scalar.clone())),
    }
}

/// The one member of an object.
fn only<'a>(map: &'a Map<String, Value>, missing: &str) -> Parsed<(&'a str, &'a Value)> {
    let mut members = map.iter();
    let (name, value) = members.next().ok_or_else(|| missing.to_owned())?;
    match members.next() {
        None => Ok((name, value)),
        Some(_) => Err("Only one key allowed in match expression".to_owned()),
    }
}

fn operator(map: &Map<String, Value>) -> Parsed<Matcher> {
    let (name, value) = only(map, "Match expression name not found")?;
    match name {
        "prefix" => affix(name, value).map(Matcher::Prefix),
        "suffix" => affix(name, value).map(Matcher::Suffix),
        "equals-ignore-case" => string(name, value).map(Matcher::ignore_case),
        "wildcard" => Wildcard::parse(string(name, value)?).map(Matcher::Wildcard),
        "numeric" => Range::parse(value).map(Matcher::Numeric),
        // The service's own message names the wrong operator here.
        "cidr" => Block::parse(string("prefix", value)?).map(Matcher::Address),
        "exists" => match value {
            Value::Bool(true) => Ok(Matcher::Present),
            Value::Bool(false) => Ok(Matcher::Absent),
            _ => Err("exists match pattern must be either true or false.".to_owned()),
        },
        "anything-but" => anything_but(value).map(Matcher::AnythingBut),
        _ => Err(format!("Unrecognized match type {name}")),
    }
}

fn string<'a>(name: &str, value: &'a Value) -> Parsed<&'a str> {
    value.as_str().ok_or_else(|| format!("{name} match pattern must be a string"))
}

/// `"text"` or `{"equals-ignore-case": "text"}`.
fn affix(name: &str, value: &Value) -> Parsed<Text> {
    let Value::Object(map) = value else { return string(name, value).map(|text| Text::new(text, false)) };
    match only(map, "Match expression name not found")? {
        ("equals-ignore-case", text) => string("equals-ignore-case", text).map(|text| Text::new(text, true)),
        (other, _) => Err(format!("Unsupported {name} pattern: {other}")),
    }
}

const BUT: &str = "Value of anything-but must be an array or single string/number value.";

fn anything_but(value: &Value) -> Parsed<Vec<Matcher>> {
    match value {
        Value::Object(map) => {
            let (name, those) = only(map, "Anything-But expression name not found")?;
            but_form(name, those)
        }
        Value::Array(items) => but_values(items),
        Value::String(_) | Value::Number(_) => Ok(vec![Matcher::Exactly(value.clone())]),
        _ => Err(BUT.to_owned()),
    }
}

/// `{"prefix": "a"}`, `{"prefix": ["a", "b"]}`, and the same with suffix, wildcard and equals-ignore-case.
fn but_form(name: &str, those: &Value) -> Parsed<Vec<Matcher>> {
    let those = match those {
        Value::Object(_) => return Err(BUT.to_owned()),
        Value::Array(items) if items.is_empty() => return Err("Empty arrays are not allowed".to_owned()),
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let affix = |that: &Value| match that.as_str() {
        None => Err("prefix/suffix match pattern must be a string".to_owned()),
        Some("") => Err("Null prefix/suffix not allowed".to_owned()),
        Some(text) => Ok(Text::new(text, false)),
    };
    let ignoring = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
    let one = |that: &Value| match name {
        "prefix" => affix(that).map(Matcher::Prefix),
        "suffix" => affix(that).map(Matcher::Suffix),
        "wildcard" => Wildcard::parse(string(name, that)?).map(Matcher::Wildcard),
        "equals-ignore-case" => that.as_str().map(Matcher::ignore_case).ok_or_else(|| ignoring.to_owned()),
        other => Err(format!("Unsupported anything-but pattern: {other}")),
    };
    those.iter().map(one).collect()
}

fn but_values(items: &[Value]) -> Parsed<Vec<Matcher>> {
    if items.iter().any(|item| !item.is_string() && !item.is_number()) {
        return Err("Inside anything but list, start|null|boolean is not supported.".to_owned());
    }
    let numbers = items.iter().filter(|item| item.is_number()).count();
    if items.is_empty() || (numbers != 0 && numbers != items.len()) {
        return Err(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
                .to_owned(),
        );
    }
    Ok(items.iter().cloned().map(Matcher::Exactly).collect())
}
