//! Tags: set, removed, listed.
use super::Answer;
use super::params::{ARN, Params, mistyped};
use crate::api::ApiError;
use crate::engine::{Engine, MAX_TAGS, Tag, too_many};
use serde_json::json;

/// `tags` of a request, their limits noted.
pub(super) fn read(p: &Params) -> Result<Option<Vec<Tag>>, ApiError> {
    let Some(list) = p.list("tags")? else { return Ok(None) };
    let mut tags = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let inner = Params::new(value.clone())?;
        let at = |name: &str| format!("tags.{}.member.{name}", index + 1);
        let key = inner.text("key", (0, usize::MAX))?.unwrap_or_default();
        let value = inner.text("value", (0, usize::MAX))?.unwrap_or_default();
        p.length(&key, &at("key"), key.chars().count(), (1, 128));
        p.length(&value, &at("value"), value.chars().count(), (0, 256));
        tags.push((key, value));
    }
    if tags.len() > MAX_TAGS {
        return Err(too_many("request"));
    }
    Ok(Some(tags))
}

pub(super) async fn tag(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("resourceArn", ARN)?;
    p.required("tags");
    let tags = read(p)?.unwrap_or_default();
    p.check()?;
    engine.tag(&arn, tags).await?;
    Ok(json!({}))
}

pub(super) async fn untag(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("resourceArn", ARN)?;
    p.required("tagKeys");
    let mut keys = Vec::new();
    for (index, value) in p.list("tagKeys")?.into_iter().flatten().enumerate() {
        let key = value.as_str().ok_or_else(|| mistyped(value, "String"))?;
        p.length(key, &format!("tagKeys.{}.member", index + 1), key.chars().count(), (1, 128));
        keys.push(key.to_owned());
    }
    p.check()?;
    engine.untag(&arn, keys).await?;
    Ok(json!({}))
}

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("resourceArn", ARN)?;
    p.check()?;
    Ok(json!({"tags": engine.tags(&arn).await?}))
}
