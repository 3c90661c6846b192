//! Secrets Manager and Parameter Store: one signed request each, in JSON 1.1. Their SDKs would add megabytes to every
//! function for it.

use serde_json::{Value, json};

use super::endpoint::Service;
use super::http::{Answer, Question, ask};
use super::own::Own;
use super::{Unread, held::Held};
use crate::StoreErrorKind as Kind;

/// The text of a secret.
pub(super) async fn secret(own: &Own, name: &str) -> Result<Held, Unread> {
    let body = json!({"SecretId": name});
    let answer = call(own, Service::SecretsManager, "secretsmanager.GetSecretValue", &body).await?;
    Held::of(answer.pointer("/SecretString"), "SecretString")
}

/// The text of a parameter.
pub(super) async fn parameter(own: &Own, name: &str) -> Result<Held, Unread> {
    let body = json!({"Name": name, "WithDecryption": true});
    let answer = call(own, Service::Parameters, "AmazonSSM.GetParameter", &body).await?;
    Held::of(answer.pointer("/Parameter/Value"), "Parameter.Value")
}

/// An action by its target.
pub(super) async fn call(own: &Own, service: Service, target: &str, body: &Value) -> Result<Value, Unread> {
    let question = Question {
        service,
        action: target,
        method: "POST",
        path: "/",
        headers: &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)],
        body: &body.to_string(),
    };
    ask(own, &question, |answer| read(target, &answer)).await
}

/// A resource by its path.
pub(super) async fn get(own: &Own, service: Service, action: &str, path: &str) -> Result<Value, Unread> {
    let question = Question { service, action, method: "GET", path, headers: &[], body: "" };
    ask(own, &question, |answer| read(action, &answer)).await
}

fn read(action: &str, answer: &Answer) -> Result<Value, Unread> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match json {
        Some(json) if answer.status == 200 => Ok(json),
        None if answer.status == 200 => {
            Err(Unread::new(Kind::Unavailable, format!("{action}: an answer that is no JSON")))
        }
        json => Err(failed(action, answer.status, answer.error_type.as_deref(), json.as_ref())),
    }
}

/// What the service says is wrong. The code may come with a namespace before it and an address after it.
fn failed(action: &str, status: u16, header: Option<&str>, json: Option<&Value>) -> Unread {
    let text = |name: &str| json.and_then(|json| json.get(name)?.as_str());
    let code = header.or_else(|| text("__type")).map(|code| code.split(':').next().unwrap_or_default());
    let code = code.map(|code| code.rsplit('#').next().unwrap_or_default());
    Unread::answered(action, status, code, text("message").or_else(|| text("Message")))
}
