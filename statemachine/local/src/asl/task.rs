//! Tasks, waits, computed numbers and texts, retriers and catchers.
use super::fields::Fields;
use super::*;
use crate::query::{Path, Template};

/// Longest timeout the service takes, in seconds.
const MAX_SECONDS: f64 = 99_999_999.0;

/// The fields of a Task.
pub(super) fn parse(fields: &Fields<'_>, context: Context) -> Option<Task> {
    fields.required("Resource");
    let text = fields.text("Resource")?;
    credentials(fields);
    let (called, waits) = match text.strip_suffix(".waitForTaskToken") {
        Some(called) => (called, true),
        None => (text, false),
    };
    if waits && context.express {
        fields.bad(
            "Resource",
            "Express state machine does not support '.waitForTaskToken' service integration",
        );
    }
    let resource = resource(fields, called, context);
    if waits && matches!(resource, Some(Resource::LambdaArn(_) | Resource::Activity(_))) {
        fields.bad("Resource", format!("Value is not a valid resource ARN, found \"{text}\""));
    }
    let language = context.language;
    let timeout = number(fields, "TimeoutSeconds", "TimeoutSecondsPath", language, (1.0, MAX_SECONDS));
    let heartbeat = number(fields, "HeartbeatSeconds", "HeartbeatSecondsPath", language, (1.0, MAX_SECONDS));
    if let (Some(NumberValue::Fixed(h)), Some(NumberValue::Fixed(t))) =
        (heartbeat.as_ref().map(|n| &n.value), timeout.as_ref().map(|n| &n.value))
        && h >= t
    {
        fields.bad("HeartbeatSeconds", "HeartbeatSeconds must be smaller than TimeoutSeconds");
    }
    Some(Task { resource: resource?, waits, timeout, heartbeat })
}

fn credentials(fields: &Fields<'_>) {
    let Some(value) = fields.get("Credentials") else { return };
    if let Some(inner) = Fields::new(value, fields.at("Credentials"), fields.problems()) {
        // Which role calls is of no consequence on one machine, but a missing one fails at creation as it would deployed.
        if inner.get("RoleArn").or_else(|| inner.get("RoleArn.$")).is_none() {
            inner.bad_here("The field 'RoleArn' is required but was missing");
        }
    }
}

fn resource(fields: &Fields<'_>, text: &str, context: Context) -> Option<Resource> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [_, partition, service, _, _, rest] = parts.as_slice() else {
        fields.bad("Resource", format!("Value is not a valid resource ARN, found \"{text}\""));
        return None;
    };
    if !partition.starts_with("aws") {
        fields.bad("Resource", format!("Value is not a valid resource ARN, found \"{text}\""));
        return None;
    }
    if *service == "lambda" && rest.starts_with("function:") {
        return Some(Resource::LambdaArn(text.to_owned()));
    }
    if *service == "states" && rest.starts_with("activity:") {
        if context.express {
            fields.bad("Resource", "Express state machine does not support activities");
        }
        return Some(Resource::Activity(text.to_owned()));
    }
    let found = match (*service, *rest) {
        ("states", "lambda:invoke") => Resource::LambdaInvoke,
        ("states", "states:startExecution") => Resource::StartExecution(Pattern::Request),
        ("states", "states:startExecution.sync") => Resource::StartExecution(Pattern::Sync),
        ("states", "states:startExecution.sync:2") => Resource::StartExecution(Pattern::Sync2),
        ("states", "aws-sdk:sfn:startExecution") => Resource::StartExecution(Pattern::AwsSdk),
        ("states", sdk) if own_action(sdk).is_some() => {
            Resource::Sfn(own_action(sdk).unwrap_or_default().to_owned())
        }
        ("states", sdk) if s3_action(sdk).is_some() => Resource::S3(s3_action(sdk).unwrap_or_default()),
        _ if context.mocked => Resource::Mocked(text.to_owned()),
        _ => {
            fields.bad("Resource", format!("The resource \"{text}\" is not supported by this engine"));
            return None;
        }
    };
    if context.express && text.contains(".sync") {
        fields.bad("Resource", "Express state machine does not support '.sync' service integration");
    }
    Some(found)
}

/// The action of `aws-sdk:sfn:action`: letters alone.
fn own_action(rest: &str) -> Option<&str> {
    let action = rest.strip_prefix("aws-sdk:sfn:")?;
    let whole = !action.is_empty() && action.chars().all(|c| c.is_ascii_alphabetic());
    whole.then_some(action).filter(|a| crate::service::ACTIONS.iter().any(|known| same_word(known, a)))
}

/// The action of S3 that a Task calls, if we have it.
fn s3_action(rest: &str) -> Option<&'static str> {
    rest.strip_prefix("aws-sdk:s3:").and_then(crate::exec::s3_action)
}

/// `StartExecution` is `startExecution`.
fn same_word(action: &str, name: &str) -> bool {
    action.get(1..) == name.get(1..) && action[..1].eq_ignore_ascii_case(&name[..1])
}

/// A number in `field`, an expression in it (JSONata) or a path in `path_field` (JSONPath).
pub(super) fn number(
    fields: &Fields<'_>,
    field: &'static str,
    path_field: &'static str,
    language: Language,
    (least, most): (f64, f64),
) -> Option<Number> {
    if language == Language::JsonPath && fields.has(path_field) {
        if fields.get(field).is_some() {
            fields.bad_here(format!("Only one of '{field}' and '{path_field}' may be given"));
        }
        let path = super::state::path(fields, path_field)?;
        return Some(Number { field: path_field, value: NumberValue::Computed(Template::Path(path)) });
    }
    let value = fields.get(field)?;
    if language == Language::Jsonata && value.is_string() {
        let template = super::state::template(fields, field, language)?;
        if template.is_literal() {
            fields.bad(field, format!("Expected a number or a JSONata expression, found {value}"));
        }
        return Some(Number { field, value: NumberValue::Computed(template) });
    }
    fields.number(field, least, most, true).map(|n| Number { field, value: NumberValue::Fixed(n) })
}

/// A text in `field`, an expression in it (JSONata), or a path or intrinsic function in `path_field` (JSONPath).
pub(super) fn words(
    fields: &Fields<'_>,
    field: &'static str,
    path_field: &'static str,
    language: Language,
) -> Option<Text> {
    if language == Language::JsonPath && fields.has(path_field) {
        if fields.get(field).is_some() {
            fields.bad_here(format!("Only one of '{field}' and '{path_field}' may be given"));
        }
        let text = fields.text(path_field)?;
        let template = Template::compile_path(text).map_err(|m| fields.bad(path_field, m)).ok()?;
        return Some(Text { field: path_field, template });
    }
    fields.text(field)?;
    Some(Text { field, template: super::state::template(fields, field, language)? })
}

/// `Seconds`, `SecondsPath`, `Timestamp` or `TimestampPath` of a Wait: exactly one.
pub(super) fn delay(fields: &Fields<'_>, language: Language) -> Option<Delay> {
    let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    let given: Vec<&str> = names.into_iter().filter(|n| fields.has(n)).collect();
    if given.len() != 1 {
        fields.bad_here(format!("Exactly one of {names:?} is required, found {}", given.len()));
        for name in given {
            fields.get(name);
        }
        return None;
    }
    if given[0].starts_with("Seconds") {
        return number(fields, "Seconds", "SecondsPath", language, (0.0, MAX_SECONDS)).map(Delay::Seconds);
    }
    if fields.has("TimestampPath") && language == Language::JsonPath {
        let path = Template::Path(super::state::path(fields, "TimestampPath")?);
        return Some(Delay::Timestamp { field: "TimestampPath", value: path });
    }
    let text = fields.text("Timestamp")?;
    let value = super::state::template(fields, "Timestamp", language)?;
    if value.is_literal() && crate::clock::parse_rfc3339(text).is_none() {
        fields.bad("Timestamp", "String does not match RFC3339 timestamp");
    }
    Some(Delay::Timestamp { field: "Timestamp", value })
}

fn errors(fields: &Fields<'_>, alone: bool) -> Vec<String> {
    fields.required("ErrorEquals");
    let list = fields.list("ErrorEquals").map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    if names.len() != list.len() || names.is_empty() {
        fields.bad("ErrorEquals", "Expected a list of at least one error name");
    }
    if names.iter().any(|n| n == "States.ALL") && (names.len() > 1 || !alone) {
        fields.bad("ErrorEquals", "'States.ALL' has to be alone and in the last entry");
    }
    names
}

/// `Retry`.
pub(super) fn retriers(fields: &Fields<'_>) -> Vec<Retrier> {
    let list = fields.list("Retry").map(Vec::as_slice).unwrap_or_default();
    let read = |(i, value)| {
        let entry = Fields::new(value, fields.at(&format!("Retry[{i}]")), fields.problems())?;
        entry.text("Comment");
        let retrier = Retrier {
            errors: errors(&entry, i + 1 == list.len()),
            interval_seconds: entry.number("IntervalSeconds", 1.0, MAX_SECONDS, true).unwrap_or(1.0),
            max_attempts: entry.number("MaxAttempts", 0.0, MAX_SECONDS, true).unwrap_or(3.0) as u32,
            backoff_rate: entry.number("BackoffRate", 1.0, 1e6, false).unwrap_or(2.0),
            // The service refuses 0 and anything from a year upwards.
            max_delay_seconds: entry.number("MaxDelaySeconds", 1.0, 31_622_399.0, true),
            full_jitter: entry.one_of("JitterStrategy", &["FULL", "NONE"]) == Some("FULL"),
        };
        entry.finish();
        Some(retrier)
    };
    list.iter().enumerate().filter_map(read).collect()
}

/// `Catch`.
pub(super) fn catchers(fields: &Fields<'_>, language: Language) -> Vec<Catcher> {
    let list = fields.list("Catch").map(Vec::as_slice).unwrap_or_default();
    let read = |(i, value)| {
        let entry = Fields::new(value, fields.at(&format!("Catch[{i}]")), fields.problems())?;
        entry.text("Comment");
        entry.required("Next");
        let catcher = Catcher {
            errors: errors(&entry, i + 1 == list.len()),
            next: entry.text("Next")?.to_owned(),
            result_path: match language {
                Language::JsonPath => super::state::result_path(&entry),
                Language::Jsonata => ResultPath::Replace,
            },
            assign: super::state::assign(&entry, language),
            output: match language {
                Language::Jsonata => super::state::template(&entry, "Output", language),
                Language::JsonPath => None,
            },
        };
        entry.finish();
        Some(catcher)
    };
    list.iter().enumerate().filter_map(read).collect()
}

/// A path in a field of a Choice rule.
pub(super) fn rule_path(fields: &Fields<'_>, field: &str) -> Option<Path> {
    super::state::path(fields, field)
}
