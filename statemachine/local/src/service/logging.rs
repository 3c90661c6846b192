//! Logging, tracing and encryption of a state machine as a request gives them. They are checked, kept and shown.
use super::params::{Params, mistyped};
use crate::api::ApiError;
use crate::engine::Settings;
use serde_json::{Value, json};

/// The settings of a request, over those of before; `None` if the request has none of its own.
pub(super) fn settings(p: &Params, before: &Settings) -> Result<Option<Settings>, ApiError> {
    let mut settings = before.clone();
    let mut changed = false;
    if let Some(logging) = p.inner("loggingConfiguration")? {
        settings.logging_configuration = read_logging(&logging)?;
        changed = true;
    }
    if let Some(tracing) = p.inner("tracingConfiguration")? {
        settings.tracing_configuration = json!({"enabled": tracing.flag("enabled")?.unwrap_or(false)});
        changed = true;
    }
    if let Some(encryption) = p.inner("encryptionConfiguration")? {
        settings.encryption_configuration = read_encryption(&encryption)?;
        changed = true;
    }
    Ok(changed.then_some(settings))
}

fn invalid(message: &str) -> ApiError {
    ApiError::new("InvalidLoggingConfiguration", format!("Invalid Logging Configuration: {message}"))
}

fn read_logging(p: &Params) -> Result<Value, ApiError> {
    let level = p.choice("level", &["ALL", "FATAL", "ERROR", "OFF"])?;
    let data = p.flag("includeExecutionData")?.unwrap_or(false);
    p.check()?;
    let destinations = p.list("destinations")?.cloned();
    let level = level.unwrap_or("OFF");
    let count = destinations.as_ref().map_or(0, Vec::len);
    // As recorded, a level other than OFF needs exactly one destination, and more are never taken.
    if count > 1 || (count == 0 && level != "OFF") {
        return Err(invalid("Must specify exactly one Log Destination."));
    }
    let mut logging = json!({"level": level, "includeExecutionData": data});
    if let Some(destinations) = destinations.filter(|d| !d.is_empty()) {
        for destination in &destinations {
            check_destination(destination)?;
        }
        logging["destinations"] = Value::Array(destinations);
    }
    Ok(logging)
}

/// `{"cloudWatchLogsLogGroup": {"logGroupArn": "...:log-group:name:*"}}`.
fn check_destination(destination: &Value) -> Result<(), ApiError> {
    if !destination.is_object() {
        return Err(mistyped(destination, "Structure"));
    }
    let arn = destination.pointer("/cloudWatchLogsLogGroup/logGroupArn").and_then(Value::as_str);
    let arn = arn.ok_or_else(|| invalid("Log Destination must be a CloudWatch Logs log group."))?;
    let group = arn.split(':').collect::<Vec<_>>();
    match group.as_slice() {
        ["arn", _, "logs", _, _, "log-group", _, "*"] => Ok(()),
        _ => Err(invalid("Log Destination must end with ':*' and be the ARN of a log group.")),
    }
}

pub(super) fn read_encryption(p: &Params) -> Result<Value, ApiError> {
    p.required("type");
    let kind = p.choice("type", &["CUSTOMER_MANAGED_KMS_KEY", "AWS_OWNED_KEY"])?;
    let key = p.text("kmsKeyId", (1, 2_048))?;
    let period = p.whole("kmsDataKeyReusePeriodSeconds", 60, 900)?;
    p.check()?;
    match (kind, &key) {
        (Some("AWS_OWNED_KEY"), None) if period.is_none() => Ok(json!({"type": "AWS_OWNED_KEY"})),
        (Some("CUSTOMER_MANAGED_KMS_KEY"), Some(key)) => Ok(json!({
            "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key, "kmsDataKeyReusePeriodSeconds": period.unwrap_or(300)})),
        _ => Err(ApiError::new(
            "InvalidEncryptionConfiguration",
            "Invalid Encryption Configuration: a key and its reuse period belong to CUSTOMER_MANAGED_KMS_KEY only",
        )),
    }
}
