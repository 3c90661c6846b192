//! Versions: publish, list, delete.
use super::params::{ARN, DESCRIPTION, LONG_ARN, Params};
use super::{Answer, page, paged};
use crate::engine::Engine;
use serde_json::{Value, json};

pub(super) async fn publish(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineArn", ARN)?;
    let revision = p.text("revisionId", (0, 256))?;
    let description = p.text("description", DESCRIPTION)?;
    p.check()?;
    let version = engine.publish_version(&arn, revision, description).await?;
    Ok(json!({"creationDate": version.created, "stateMachineVersionArn": version.arn}))
}

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineArn", ARN)?;
    let which = p.page()?;
    p.check()?;
    let all = engine.versions(&arn).await?;
    let shown: Vec<Value> = all
        .into_iter()
        .map(|v| json!({"stateMachineVersionArn": v.arn, "creationDate": v.created}))
        .collect();
    page("stateMachineVersions", paged(shown, which)?)
}

pub(super) async fn delete(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineVersionArn", LONG_ARN)?;
    p.check()?;
    engine.delete_version(&arn).await?;
    Ok(json!({}))
}
