//! Input transformers: what a target is given instead of the event.
use crate::EventsError;
use crate::path::Path;
use crate::rules::Received;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Variables of a transformer, characters of a template (InputTransformer in the service's model).
const MAX_VARIABLES: usize = 100;
const MAX_TEMPLATE: usize = 8192;

/// Names that stand for something without a path.
const RESERVED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

/// An input transformer as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct InputTransformer {
    /// Paths into the event, by the name of the variable.
    #[serde(default)]
    pub input_paths_map: BTreeMap<String, String>,
    /// JSON, or lines of JSON strings, with variables as `<name>`.
    pub input_template: String,
}

/// An input transformer that was checked.
#[derive(Debug, Clone)]
pub struct Transformer {
    paths: BTreeMap<String, Path>,
    pieces: Vec<Piece>,
    /// Strings for a reader, and not JSON for a program.
    is_text: bool,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Variable { name: String, in_string: bool },
}

impl Transformer {
    /// Checks a transformer. `target` is for the messages.
    ///
    /// # Errors
    /// `ValidationException`: too many or malformed variables, placeholders without one, a template that is not JSON.
    pub fn new(transformer: &InputTransformer, target: &str) -> Result<Self, EventsError> {
        let refuse = |message: String| Err(EventsError::validation(message));
        let InputTransformer { input_paths_map, input_template } = transformer;
        if input_template.is_empty() || input_template.chars().count() > MAX_TEMPLATE {
            return refuse(format!(
                "InputTemplate for target {target} must have 1 to {MAX_TEMPLATE} characters."
            ));
        }
        if input_paths_map.len() > MAX_VARIABLES {
            return refuse(format!(
                "InputPathsMap for target {target} has more than {MAX_VARIABLES} entries."
            ));
        }
        let paths = paths(input_paths_map, target)?;
        let pieces = pieces(input_template);
        for piece in &pieces {
            if let Piece::Variable { name, .. } = piece
                && !paths.contains_key(name)
                && !RESERVED.contains(&name.as_str())
            {
                return refuse(format!(
                    "InputTemplate for target {target} contains invalid placeholder {name}."
                ));
            }
        }
        if !is_json(&pieces) {
            return refuse(format!("Invalid InputTemplate for target {target} : it is not JSON."));
        }
        let is_text = input_template.trim_start().starts_with('"');
        Ok(Self { paths, pieces, is_text })
    }

    /// What the target is given. Not always JSON: a list or an object in a string of a JSON template breaks it, as it does
    /// on the service.
    #[must_use]
    pub fn apply(&self, event: &Value, received: &Received<'_>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Variable { name, in_string } => {
                    let value = self.value(name, event, received);
                    text.push_str(&if *in_string { self.spoken(value) } else { written(value) });
                }
            }
        }
        text
    }

    fn value(&self, name: &str, event: &Value, received: &Received<'_>) -> Option<Value> {
        match name {
            "aws.events.rule-arn" => Some(received.rule_arn.into()),
            "aws.events.rule-name" => Some(received.rule_name.into()),
            "aws.events.event.ingestion-time" => Some(received.time.into()),
            "aws.events.event.json" => Some(event.clone()),
            "aws.events.event" => Some(without_detail(event, received.time)),
            name => self.paths.get(name)?.find(event),
        }
    }

    /// A value within a string.
    fn spoken(&self, value: Option<Value>) -> String {
        match value {
            None => String::new(),
            Some(Value::String(text)) => {
                let quoted = Value::from(text).to_string();
                quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
            }
            Some(container @ (Value::Array(_) | Value::Object(_))) if self.is_text => {
                container.to_string().replace('"', "")
            }
            Some(other) => other.to_string(),
        }
    }
}

/// A value by itself. What the event does not have is an empty string.
fn written(value: Option<Value>) -> String {
    value.unwrap_or_else(|| "".into()).to_string()
}

/// `<aws.events.event>` as the service was seen to write it: another name for the type, the time of its receipt.
fn without_detail(event: &Value, time: &str) -> Value {
    let mut short = json!({});
    for (name, found) in [
        ("id", "id"),
        ("account", "account"),
        ("detailType", "detail-type"),
        ("source", "source"),
        ("region", "region"),
        ("resources", "resources"),
        ("version", "version"),
    ] {
        short[name] = event[found].clone();
    }
    short["time"] = time.into();
    short
}

fn paths(map: &BTreeMap<String, String>, target: &str) -> Result<BTreeMap<String, Path>, EventsError> {
    let named = |name: &str| {
        (1..=256).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    let mut paths = BTreeMap::new();
    for (name, text) in map {
        let path = Path::parse(text).filter(|_| named(name) && text.len() <= 256).ok_or_else(|| {
            let message = format!("InputPathsMap for target {target} contains invalid entry {name}: {text}.");
            EventsError::validation(message)
        })?;
        paths.insert(name.clone(), path);
    }
    Ok(paths)
}

/// Cuts a template at its variables, and sees which of them are in strings.
fn pieces(template: &str) -> Vec<Piece> {
    let (mut pieces, mut text) = (Vec::new(), String::new());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(character) = rest.chars().next() {
        if character == '<'
            && let Some((name, behind)) = placeholder(rest)
        {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Variable { name: name.to_owned(), in_string });
            (rest, escaped) = (behind, false);
            continue;
        }
        in_string ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        text.push(character);
        rest = &rest[character.len_utf8()..];
    }
    pieces.push(Piece::Text(text));
    pieces
}

/// The name in `<name>`, and what is behind it. Any other `<` is only a character.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = text.strip_prefix('<')?.split_once('>')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (!name.is_empty() && name.bytes().all(plain)).then_some((name, behind))
}

/// Whether the template is one JSON value, or several strings, whatever the variables are. A number in a variable's place
/// also shows those that stand for the name of a member, which is not allowed.
fn is_json(pieces: &[Piece]) -> bool {
    let text: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Variable { in_string: true, .. } => "",
            Piece::Variable { in_string: false, .. } => "0",
        })
        .collect();
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
    values.is_ok_and(|values| values.len() == 1 || !values.is_empty() && values.iter().all(Value::is_string))
}
