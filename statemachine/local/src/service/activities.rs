//! Activities and task tokens.
use super::params::{ARN, DATA, NAME, Params};
use super::{Answer, logging, page, paged, put, tags};
use crate::api::ApiError;
use crate::engine::{Activity, Engine};
use crate::exec::{Failure, Word};
use serde_json::{Value, json};

pub(super) async fn create(engine: &Engine, p: &Params) -> Answer {
    let name = p.required_text("name", NAME)?;
    let tags = tags::read(p)?.unwrap_or_default();
    p.check()?;
    let encryption = match p.inner("encryptionConfiguration")? {
        Some(given) => logging::read_encryption(&given)?,
        None => json!({"type": "AWS_OWNED_KEY"}),
    };
    let made = engine.create_activity(name, encryption).await?;
    if !tags.is_empty() {
        engine.tag(&made.arn, tags).await?;
    }
    Ok(json!({"activityArn": made.arn, "creationDate": made.created}))
}

fn summary(activity: &Activity) -> Value {
    json!({"activityArn": activity.arn, "name": activity.name, "creationDate": activity.created})
}

pub(super) async fn describe(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("activityArn", ARN)?;
    p.check()?;
    let activity = engine.activity(&arn).await?;
    let mut answer = summary(&activity);
    let encryption = serde_json::from_str::<Value>(&activity.encryption).ok();
    put(&mut answer, "encryptionConfiguration", encryption);
    Ok(answer)
}

pub(super) async fn delete(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("activityArn", ARN)?;
    p.check()?;
    engine.delete_activity(&arn).await?;
    Ok(json!({}))
}

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let which = p.page()?;
    p.check()?;
    let all: Vec<Value> = engine.activities().await?.iter().map(summary).collect();
    page("activities", paged(all, which)?)
}

pub(super) async fn task(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("activityArn", ARN)?;
    let worker = p.text("workerName", NAME)?;
    p.check()?;
    Ok(match engine.activity_task(&arn, worker.as_deref()).await? {
        Some((token, input)) => json!({"taskToken": token, "input": input}),
        None => json!({}),
    })
}

const TOKEN: (usize, usize) = (1, 2_048);

pub(super) fn success(engine: &Engine, p: &Params) -> Answer {
    let token = p.required_text("taskToken", TOKEN)?;
    let output = p.required_text("output", DATA)?;
    p.check()?;
    let result = serde_json::from_str(&output).map_err(|_| {
        let found = crate::json::complaint(&output);
        ApiError::new("InvalidOutput", format!("Invalid Output: '{}'", found.message))
    })?;
    engine.say(&token, Word::Success(result))?;
    Ok(json!({}))
}

pub(super) fn failure(engine: &Engine, p: &Params) -> Answer {
    let token = p.required_text("taskToken", TOKEN)?;
    let (error, cause) = (p.text("error", (0, 256))?, p.text("cause", (0, 32_768))?);
    p.check()?;
    engine.say(&token, Word::Failure(Failure { error, cause, ..Failure::default() }))?;
    Ok(json!({}))
}

pub(super) fn heartbeat(engine: &Engine, p: &Params) -> Answer {
    let token = p.required_text("taskToken", TOKEN)?;
    p.check()?;
    engine.say(&token, Word::Heartbeat)?;
    Ok(json!({}))
}
