//! Intrinsic functions of JSONPath states: `States.Format` and its kin.
use super::functions::{arithmetic, digest, uuid, with};
use super::{Fault, Path, QueryError, Scope};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// Longest text that the encoding and hashing functions take.
const MAX_TEXT: usize = 10_000;
/// Calls may be nested this deep (the service's limit).
const MAX_NESTING: usize = 10;

/// A parsed call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    text: String,
    function: String,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Literal(Value),
    /// A quoted text with an escape that there is not: an error once it is evaluated, as documented.
    Broken(String),
    Path(Path),
    Call(Call),
}

impl Call {
    /// Parses `States.Name(argument, ...)`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let call = parse_call(&mut rest, 1)?;
        if rest.trim().is_empty() {
            Ok(call)
        } else {
            Err(format!("Unexpected text after the intrinsic function: '{rest}'"))
        }
    }

    /// As written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Calls the function.
    pub(crate) fn evaluate(&self, scope: &Scope<'_>, field: &str) -> Result<Value, QueryError> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Literal(value) => value.clone(),
                Argument::Broken(why) => return Err(self.failed(why)),
                Argument::Path(path) => path.find(scope).ok_or_else(|| path.missing(scope, field))?,
                Argument::Call(call) => call.evaluate(scope, field)?,
            });
        }
        call(&self.function, &values, scope).map_err(|why| self.failed(&why))
    }

    fn failed(&self, why: &str) -> QueryError {
        let cause = format!("The function '{}' had the following error: {why}", self.text);
        QueryError { fault: Fault::Intrinsic, cause, location: None }
    }
}

const KNOWN: [&str; 18] = [
    "Format",
    "StringToJson",
    "JsonToString",
    "Array",
    "ArrayPartition",
    "ArrayContains",
    "ArrayRange",
    "ArrayGetItem",
    "ArrayLength",
    "ArrayUnique",
    "Base64Encode",
    "Base64Decode",
    "Hash",
    "JsonMerge",
    "MathRandom",
    "MathAdd",
    "StringSplit",
    "UUID",
];

fn parse_call(rest: &mut &str, depth: usize) -> Result<Call, String> {
    let start = *rest;
    let open = rest.find('(').ok_or("An intrinsic function needs parentheses")?;
    let name = rest[..open].trim();
    let function = name.strip_prefix("States.").filter(|f| KNOWN.contains(f));
    let function = function.ok_or_else(|| format!("Unknown intrinsic function '{name}'"))?.to_owned();
    if depth > MAX_NESTING {
        return Err(format!("Intrinsic functions may be nested {MAX_NESTING} deep"));
    }
    *rest = rest[open + 1..].trim_start();
    let mut arguments = Vec::new();
    while !rest.starts_with(')') {
        // The template of a Format says by escapes which braces are none of its places.
        let template = function == "Format" && arguments.is_empty();
        arguments.push(parse_argument(rest, depth, template)?);
        *rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => *rest = after.trim_start(),
            None if rest.starts_with(')') => {}
            None => return Err(format!("Expected ',' or ')' in an intrinsic function before '{rest}'")),
        }
    }
    *rest = &rest[1..];
    Ok(Call { text: start[..start.len() - rest.len()].to_owned(), function, arguments })
}

fn parse_argument(rest: &mut &str, depth: usize, template: bool) -> Result<Argument, String> {
    if rest.starts_with('\'') {
        return parse_text(rest, template);
    }
    if rest.starts_with("States.") {
        return parse_call(rest, depth + 1).map(Argument::Call);
    }
    let end = argument_end(rest);
    let (word, after) = rest.split_at(end);
    *rest = after;
    let word = word.trim();
    if word.starts_with('$') {
        return Path::parse(word).map(Argument::Path);
    }
    serde_json::from_str(word)
        .map(Argument::Literal)
        .map_err(|_| format!("'{word}' is no argument of an intrinsic function"))
}

/// Paths may hold commas and parentheses inside brackets.
fn argument_end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' | ')' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// A quoted text; `\'`, `\{`, `\}` and `\\` are its escapes. A template keeps all but the first.
fn parse_text(rest: &mut &str, template: bool) -> Result<Argument, String> {
    let (mut text, mut broken) = (String::new(), None);
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => {
                *rest = &rest[at + 1..];
                return Ok(broken.map_or(Argument::Literal(Value::String(text)), Argument::Broken));
            }
            '\\' => match chars.next() {
                Some((_, c @ ('{' | '}' | '\\'))) if template => text.extend(['\\', c]),
                Some((_, c @ ('{' | '}' | '\\' | '\''))) => text.push(c),
                Some((_, c)) => broken = Some(format!("'\\{c}' is no escape")),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err("A quoted text of an intrinsic function is not closed".to_owned())
}

fn call(function: &str, args: &[Value], scope: &Scope<'_>) -> Result<Value, String> {
    match (function, args) {
        ("Format", [Value::String(template), rest @ ..]) => format(template, rest),
        ("StringToJson", [Value::String(text)]) => parse_json(text),

        ("JsonToString", [value]) => Ok(Value::String(value.to_string())),
        ("Array", items) => Ok(Value::Array(items.to_vec())),
        ("ArrayPartition", [Value::Array(list), size]) => partition(list, integer(size)?),
        ("ArrayContains", [Value::Array(list), item]) => Ok(json!(list.contains(item))),
        ("ArrayRange", [a, b, c]) => arithmetic(integer(a)?, integer(b)?, integer(c)?).map(|v| json!(v)),
        ("ArrayGetItem", [Value::Array(list), index]) => item(list, integer(index)?),
        ("ArrayLength", [Value::Array(list)]) => Ok(json!(list.len())),
        ("ArrayUnique", [Value::Array(list)]) => Ok(unique(list)),
        ("Base64Encode", [Value::String(text)]) => Ok(json!(STANDARD.encode(bounded(text)?))),
        ("Base64Decode", [Value::String(text)]) => decode(bounded(text)?),
        ("Hash", [data, Value::String(algorithm)]) => hash(data, algorithm),
        ("JsonMerge", [Value::Object(a), Value::Object(b), Value::Bool(false)]) => {
            let mut merged = a.clone();
            merged.extend(b.clone());
            Ok(Value::Object(merged))
        }
        ("MathRandom", [a, b]) => random(integer(a)?, integer(b)?, None, scope),
        ("MathRandom", [a, b, seed]) => random(integer(a)?, integer(b)?, Some(integer(seed)?), scope),
        ("MathAdd", [a, b]) => {
            integer(a)?.checked_add(integer(b)?).map(|n| json!(n)).ok_or_else(|| "overflow".to_owned())
        }
        ("StringSplit", [Value::String(text), Value::String(by)]) => Ok(split(text, by)),
        ("UUID", []) => Ok(json!(uuid(scope.entropy))),
        _ => Err(format!("invalid arguments for States.{function}: {}", Value::Array(args.to_vec()))),
    }
}

fn format(template: &str, args: &[Value]) -> Result<Value, String> {
    let (mut out, mut args, mut chars) = (String::new(), args.iter(), template.chars().peekable());
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next @ ('{' | '}' | '\\'))) => {
                out.push(next);
                chars.next();
            }
            ('{', Some('}')) => {
                chars.next();
                out.push_str(&shown(args.next().ok_or("fewer arguments than occurrences of {}")?));
            }
            _ => out.push(c),
        }
    }
    if args.next().is_some() {
        Err("more arguments than occurrences of {}".to_owned())
    } else {
        Ok(Value::String(out))
    }
}

/// As recorded: an empty text is null, and there is no negative zero.
fn parse_json(text: &str) -> Result<Value, String> {
    match text.trim() {
        "" => Ok(Value::Null),
        "-0" => Ok(json!(0)),
        text => serde_json::from_str(text).map_err(|e| format!("not JSON: {e}")),
    }
}

/// As recorded: objects and arrays are shown the way Java shows them.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let fields: Vec<String> = map.iter().map(|(k, v)| format!("{k}={}", shown(v))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    let rounded = || value.as_f64().filter(|n| n.is_finite()).map(|n| (n + 0.5).floor() as i64);
    value.as_i64().or_else(rounded).ok_or_else(|| format!("expected a number, found {value}"))
}

fn partition(list: &[Value], size: i64) -> Result<Value, String> {
    let size = usize::try_from(size).ok().filter(|s| *s > 0).ok_or("the size of a part must be positive")?;
    Ok(json!(list.chunks(size).collect::<Vec<_>>()))
}

fn item(list: &[Value], index: i64) -> Result<Value, String> {
    let found = usize::try_from(index).ok().and_then(|i| list.get(i)).cloned();
    found.ok_or_else(|| format!("index {index} is outside of an array of {}", list.len()))
}

fn unique(list: &[Value]) -> Value {
    let mut seen: Vec<Value> = Vec::new();
    for value in list {
        if !seen.contains(value) {
            seen.push(value.clone());
        }
    }
    Value::Array(seen)
}

fn bounded(text: &str) -> Result<&str, String> {
    match text.chars().count() {
        n if n <= MAX_TEXT => Ok(text),
        n => Err(format!("expected at most {MAX_TEXT} characters, found {n}")),
    }
}

fn decode(text: &str) -> Result<Value, String> {
    let bytes = STANDARD.decode(text).map_err(|e| format!("not Base64: {e}"))?;
    String::from_utf8(bytes).map(Value::String).map_err(|_| "the decoded bytes are not UTF-8".to_owned())
}

fn hash(data: &Value, algorithm: &str) -> Result<Value, String> {
    let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
    digest(bounded(&text)?, algorithm).map(Value::String)
}

fn random(start: i64, end: i64, seed: Option<i64>, scope: &Scope<'_>) -> Result<Value, String> {
    if start >= end {
        return Err(format!("the start {start} is not below the end {end}"));
    }
    Ok(json!(match seed {
        Some(seed) => StdRng::seed_from_u64(seed as u64).random_range(start..end),
        None => with(scope.entropy, |rng| rng.random_range(start..end)),
    }))
}

/// Every character of `by` separates; empty pieces are left out.
fn split(text: &str, by: &str) -> Value {
    if by.is_empty() {
        return json!([text]);
    }
    json!(text.split(|c| by.contains(c)).filter(|s| !s.is_empty()).collect::<Vec<_>>())
}
