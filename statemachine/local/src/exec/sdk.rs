//! `aws-sdk:sfn`: this engine's own API as a task's resource.
use super::scope::Scope;
use super::{Failure, Trouble};
use crate::api::ApiError;
use crate::clock::Timestamp;
use crate::engine::Engine;
use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

impl Scope {
    /// Calls one action; members are written as the SDK integrations write them.
    pub(super) async fn own_api(&self, action: &str, arguments: &Value) -> Result<Value, Trouble> {
        let engine = Engine::from_inner(self.run.engine.clone());
        let body = renamed(arguments, &|name| first(name, char::to_ascii_lowercase));
        match asked(engine, first(action, char::to_ascii_uppercase), body).await {
            Ok(answer) => Ok(dated(renamed(&answer, &|name| first(name, char::to_ascii_uppercase)))),
            Err(e) if e.code == "StorageFailure" => Err(crate::store::StoreError(e.message).into()),
            Err(e) => {
                let name = format!("Sfn.{}Exception", e.code.trim_end_matches("Exception"));
                Err(Failure::new(name, e.message).into())
            }
        }
    }
}

/// Boxed, because the API runs states that may call the API.
fn asked(engine: Engine, action: String, body: Value) -> BoxFuture<'static, Result<Value, ApiError>> {
    Box::pin(async move { engine.call(&action, body).await })
}

fn first(name: &str, change: impl Fn(&char) -> char) -> String {
    let mut letters = name.chars();
    letters.next().iter().map(change).chain(letters).collect()
}

/// Members that are maps: their keys are somebody's names and stay as they are.
const MAPS: [&str; 2] = ["assignedVariables", "variableReferences"];

/// The same value with every member's name changed.
fn renamed(value: &Value, rename: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(map) => {
            let member = |v: &Value, is_map| if is_map { v.clone() } else { renamed(v, rename) };
            let members = map.iter().map(|(k, v)| (rename(k), member(v, MAPS.contains(&k.as_str()))));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(|v| renamed(v, rename)).collect(),
        other => other.clone(),
    }
}

/// Times as text, as the SDK integrations have them.
fn dated(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            for (name, member) in map.iter_mut() {
                match member.as_f64().filter(|_| name.ends_with("Date") || name == "Timestamp") {
                    Some(seconds) => {
                        let time = Timestamp::from_millis((seconds * 1000.0).round() as i64);
                        *member = json!(time.to_rfc3339());
                    }
                    None => *member = dated(member.take()),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| *v = dated(v.take())),
        _ => {}
    }
    value
}
