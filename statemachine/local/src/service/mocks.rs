//! Mocked results and mocked context objects of TestState: whether they could be real.
use super::shapes::{Member, Shape, of_integration};
use crate::api::ApiError;
use crate::asl::{Kind, Pattern, Resource, State};
use crate::clock::parse_rfc3339;
use serde_json::Value;

/// How much of a mocked result has to fit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// What is there, and everything that is required.
    Strict,
    /// What is there.
    Present,
    /// Nothing.
    None,
}

/// Whether a mocked result fits the state whose call it stands for.
pub(super) fn check_result(
    state: &State,
    resource: Option<&str>,
    result: &Value,
    mode: Mode,
) -> Result<(), ApiError> {
    let wanted = match &state.kind {
        Kind::Parallel { .. } => Some("an array"),
        Kind::Map(map) if map.writer.as_ref().is_some_and(|w| w.arguments.is_some()) => Some("a JSON object"),
        Kind::Map(_) => Some("an array"),
        _ => None,
    };
    match wanted {
        Some("an array") if !result.is_array() => {
            Err(ApiError::validation("Mocked result must be an array."))
        }
        Some("a JSON object") if !result.is_object() => {
            Err(ApiError::validation("Mocked result must be a JSON object."))
        }
        Some(_) => Ok(()),
        None => check_task(resource, result, mode),
    }
}

fn check_task(resource: Option<&str>, result: &Value, mode: Mode) -> Result<(), ApiError> {
    let integration = resource.and_then(|r| r.split_once(":states:::")).map(|(_, name)| name);
    let Some(shape) = integration.and_then(of_integration).filter(|_| mode != Mode::None) else {
        return Ok(());
    };
    if !result.is_object() {
        return Err(ApiError::validation("Mocked result must be a JSON object."));
    }
    fits(result, shape, "", mode)
        .map_err(|what| ApiError::validation(format!("Mock result schema validation error: {what}")))
}

fn fits(value: &Value, shape: &Shape, field: &str, mode: Mode) -> Result<(), String> {
    let must_be = |what: &str, holds: bool| match holds {
        true => Ok(()),
        false => Err(format!("Field '{field}' must be {what}")),
    };
    match shape {
        Shape::Any => Ok(()),
        Shape::Text => must_be("a string", value.is_string()),
        Shape::Flag => must_be("a boolean", value.is_boolean()),
        Shape::Number => must_be("a number", value.is_number()),
        Shape::Between(least, most) => {
            must_be("a number", value.is_number())?;
            match value.as_f64() {
                Some(n) if n > *most => Err(format!("Field '{field}' exceeds the maximum value")),
                Some(n) if n < *least => Err(format!("Field '{field}' is less than the minimum value")),
                _ => Ok(()),
            }
        }
        Shape::OneOf(values) => {
            must_be("a string", value.is_string())?;
            match value.as_str().is_some_and(|v| values.contains(&v)) {
                true => Ok(()),
                false => Err(format!("Field '{field}' is not an expected value")),
            }
        }
        Shape::List(inner) => {
            must_be("an array", value.is_array())?;
            value.as_array().into_iter().flatten().try_for_each(|v| fits(v, inner, field, mode))
        }
        Shape::Map(inner) => {
            must_be("an object", value.is_object())?;
            value.as_object().into_iter().flatten().try_for_each(|(_, v)| fits(v, inner, field, mode))
        }
        Shape::Structure(members) => {
            must_be("an object", value.is_object())?;
            members.iter().try_for_each(|m| member(value, m, mode))
        }
    }
}

fn member(value: &Value, member: &Member, mode: Mode) -> Result<(), String> {
    match value.get(member.name) {
        Some(found) => fits(found, &member.shape, member.name, mode),
        None if member.required && mode == Mode::Strict => {
            Err(format!("Required field '{}' is missing", member.name))
        }
        None => Ok(()),
    }
}

fn invalid(what: &str) -> ApiError {
    ApiError::validation(format!("Invalid Context object provided: {what}"))
}

/// What a mocked context object may have, and of which type.
const FIELDS: [(&str, &[(&str, Type)]); 4] = [
    (
        "Execution",
        &[
            ("Id", Type::Text),
            ("Input", Type::Any),
            ("Name", Type::Text),
            ("RoleArn", Type::Text),
            ("StartTime", Type::Time),
            ("RedriveCount", Type::Number),
            ("RedriveTime", Type::Time),
        ],
    ),
    ("State", &[("EnteredTime", Type::Time), ("Name", Type::Text), ("RetryCount", Type::Number)]),
    ("StateMachine", &[("Id", Type::Text), ("Name", Type::Text)]),
    ("Task", &[("Token", Type::Text)]),
];

#[derive(Clone, Copy)]
enum Type {
    Any,
    Text,
    Number,
    Time,
}

/// Whether a mocked context object could be the state's.
pub(super) fn check_context(state: &State, resource: Option<&str>, context: &Value) -> Result<(), ApiError> {
    let Some(map) = context.as_object() else {
        return Err(invalid("must be a JSON object"));
    };
    for (name, value) in map {
        if name == "Map" {
            return Err(invalid("'Map' field is not supported when mocking a Context object"));
        }
        let Some((_, fields)) = FIELDS.iter().find(|(n, _)| n == name) else {
            return Err(invalid(&format!("Field '{name}' is not allowed")));
        };
        let inner = value.as_object().ok_or_else(|| invalid(&format!("{name} must be an object")))?;
        for (field, value) in inner {
            let Some((_, kind)) = fields.iter().find(|(n, _)| n == field) else {
                return Err(invalid(&format!("Field '{field}' is not allowed")));
            };
            typed(value, *kind).map_err(|what| invalid(&format!("{name}.{field} must be {what}")))?;
        }
    }
    match map.contains_key("Task") && !waits(state, resource) {
        true => Err(invalid(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern",
        )),
        false => Ok(()),
    }
}

fn typed(value: &Value, kind: Type) -> Result<(), &'static str> {
    match kind {
        Type::Any => Ok(()),
        Type::Text => value.is_string().then_some(()).ok_or("a string"),
        Type::Number => value.is_number().then_some(()).ok_or("a number"),
        Type::Time => {
            let time = value.as_str().ok_or("a string")?;
            parse_rfc3339(time).map(drop).ok_or("a valid ISO 8601 timestamp")
        }
    }
}

fn waits(state: &State, resource: Option<&str>) -> bool {
    let Kind::Task(task) = &state.kind else { return false };
    matches!(&task.resource, Resource::StartExecution(Pattern::Sync | Pattern::Sync2))
        || resource.is_some_and(|r| r.contains(".sync") || r.ends_with(".waitForTaskToken"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_are_held_against_the_services_answers() {
        let start = Some("arn:aws:states:::states:startExecution");
        let list = Some("arn:aws:states:::aws-sdk:s3:listObjectsV2");
        for (resource, result, mode, wanted) in [
            (start, json!({}), Mode::Strict, Some("Required field 'ExecutionArn' is missing")),
            (start, json!({"Other": 1}), Mode::Present, None),
            (
                list,
                json!({"Contents": [{"Size": "1"}]}),
                Mode::Present,
                Some("Field 'Size' must be a number"),
            ),
            (list, json!({"Contents": {}}), Mode::Strict, Some("Field 'Contents' must be an array")),
            (list, json!({"Contents": {}}), Mode::None, None),
            (list, json!({"IsTruncated": 1}), Mode::Strict, Some("Field 'IsTruncated' must be a boolean")),
            (Some("arn:aws:lambda:x:1:function:f"), json!(7), Mode::Strict, None),
        ] {
            let found = check_task(resource, &result, mode).err().map(|e| e.message);
            let wanted = wanted.map(|w| format!("Mock result schema validation error: {w}"));
            assert_eq!(found, wanted, "{result}");
        }
    }
}
