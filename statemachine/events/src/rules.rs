//! Rules and their targets, in the words of the service's API and of CloudFormation.
use crate::path::Path;
use crate::{EventsError, InputTransformer, Pattern, Transformer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Targets of a rule (PutTargets).
const MAX_TARGETS: usize = 5;

/// A rule as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Rule {
    /// 1 to 64 letters, digits, `.`, `-`, `_`.
    pub name: String,
    /// For readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The pattern: an object, or a string with its JSON.
    pub event_pattern: Value,
    /// `ENABLED` if absent, or `DISABLED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Who is given matching events, up to 5.
    pub targets: Vec<Target>,
}

/// Who is given an event, and what of it: all of it without `Input`, `InputPath` and `InputTransformer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Target {
    /// Unique in the rule.
    pub id: String,
    /// Of the state machine.
    pub arn: String,
    /// Kept and shown; grants nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Always this JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// A part of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    /// JSON made with parts of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<InputTransformer>,
}

/// What a transformer can say beside the event.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Of the rule that matched.
    pub rule_arn: &'a str,
    /// Of the rule that matched.
    pub rule_name: &'a str,
    /// When the event was received, as in `2026-01-31T12:00:00Z`.
    pub time: &'a str,
}

/// Something to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The rule's name.
    pub rule: String,
    /// The target's id.
    pub target: String,
    /// The target's ARN.
    pub arn: String,
    /// What it is given. None: its `InputPath` leads nowhere in this event.
    pub input: Option<String>,
}

/// Rules that were checked.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Checked>);

#[derive(Debug, Clone)]
struct Checked {
    name: String,
    arn: String,
    pattern: Pattern,
    targets: Vec<(Target, Input)>,
}

#[derive(Debug, Clone)]
enum Input {
    Event,
    Constant(String),
    Part(Path),
    Made(Transformer),
}

impl Rules {
    /// Checks rules. Region and account are for their ARNs. Disabled ones are checked, too, and match nothing.
    ///
    /// # Errors
    /// `InvalidEventPatternException` or `ValidationException`, with the rule's name.
    pub fn new(rules: Vec<Rule>, region: &str, account: &str) -> Result<Self, EventsError> {
        let mut checked: Vec<Checked> = Vec::new();
        for rule in rules {
            let arn = format!("arn:aws:events:{region}:{account}:rule/{}", rule.name);
            let (name, enabled) = (rule.name.clone(), enabled(&rule)?);
            let found = check(rule, arn).map_err(|mut error| {
                error.message = format!("rule {name}: {}", error.message);
                error
            })?;
            if checked.iter().any(|other| other.name == found.name) {
                return Err(EventsError::validation(format!("Rule {name} is there twice.")));
            }
            if enabled {
                checked.push(found);
            }
        }
        Ok(Self(checked))
    }

    /// What is to be delivered for an event that was received at `time`.
    #[must_use]
    pub fn route(&self, event: &Value, time: &str) -> Vec<Delivery> {
        let matching = self.0.iter().filter(|rule| rule.pattern.matches(event));
        matching.flat_map(|rule| rule.deliveries(event, time)).collect()
    }

    /// The ARNs of all targets.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|rule| rule.targets.iter().map(|(target, _)| target.arn.as_str()))
    }
}

impl Checked {
    fn deliveries<'a>(&'a self, event: &'a Value, time: &'a str) -> impl Iterator<Item = Delivery> + 'a {
        let received = Received { rule_arn: &self.arn, rule_name: &self.name, time };
        self.targets.iter().map(move |(target, input)| Delivery {
            rule: self.name.clone(),
            target: target.id.clone(),
            arn: target.arn.clone(),
            input: match input {
                Input::Event => Some(event.to_string()),
                Input::Constant(text) => Some(text.clone()),
                Input::Part(path) => path.find(event).map(|part| part.to_string()),
                Input::Made(transformer) => Some(transformer.apply(event, &received)),
            },
        })
    }
}

fn enabled(rule: &Rule) -> Result<bool, EventsError> {
    match rule.state.as_deref() {
        None | Some("ENABLED") => Ok(true),
        Some("DISABLED") => Ok(false),
        Some(other) => Err(EventsError::validation(format!(
            "rule {}: State: expected ENABLED or DISABLED, found {other}",
            rule.name
        ))),
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

fn check(rule: Rule, arn: String) -> Result<Checked, EventsError> {
    let refuse = |message: &str| Err(EventsError::validation(message));
    if !is_name(&rule.name) {
        return refuse("Name: expected 1 to 64 letters, digits, '.', '-' and '_'");
    }
    let pattern = match &rule.event_pattern {
        Value::String(text) => Pattern::parse(text)?,
        value => Pattern::parse(&value.to_string())?,
    };
    if rule.targets.is_empty() || rule.targets.len() > MAX_TARGETS {
        return refuse("Targets: expected 1 to 5");
    }
    let mut targets: Vec<(Target, Input)> = Vec::new();
    for target in rule.targets {
        if !is_name(&target.id) || targets.iter().any(|(other, _)| other.id == target.id) {
            return refuse(&format!(
                "Target {}: expected an id of its own, of 1 to 64 characters",
                target.id
            ));
        }
        let input = input(&target)?;
        targets.push((target, input));
    }
    Ok(Checked { name: rule.name, arn, pattern, targets })
}

fn input(target: &Target) -> Result<Input, EventsError> {
    let id = &target.id;
    match (&target.input, &target.input_path, &target.input_transformer) {
        (None, None, None) => Ok(Input::Event),
        (Some(text), None, None) => match serde_json::from_str::<Value>(text) {
            Ok(_) => Ok(Input::Constant(text.clone())),
            Err(error) => {
                Err(EventsError::validation(format!("Input for target {id} is not valid JSON: {error}")))
            }
        },
        (None, Some(text), None) => match Path::parse(text) {
            Some(path) => Ok(Input::Part(path)),
            None => Err(EventsError::validation(format!("InputPath for target {id} is invalid: {text}"))),
        },
        (None, None, Some(transformer)) => Transformer::new(transformer, id).map(Input::Made),
        _ => Err(EventsError::validation(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        ))),
    }
}
