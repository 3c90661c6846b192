//! Map Runs: listed, described, changed.
use super::params::{ARN, LONG_ARN, Params};
use super::{Answer, page, paged, written};
use crate::api::{ApiError, UpdateMapRun};
use crate::engine::Engine;
use serde_json::json;

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("executionArn", ARN)?;
    let which = p.page()?;
    p.check()?;
    page("mapRuns", paged(engine.list_map_runs(&arn).await?, which)?)
}

pub(super) async fn describe(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("mapRunArn", LONG_ARN)?;
    p.check()?;
    written(&engine.describe_map_run(&arn).await?)
}

pub(super) async fn update(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("mapRunArn", LONG_ARN)?;
    let whole = |name: &str| p.whole(name, 0, i64::MAX).map(|n| n.and_then(|n| u64::try_from(n).ok()));
    let change = UpdateMapRun {
        max_concurrency: whole("maxConcurrency")?,
        tolerated_failure_count: whole("toleratedFailureCount")?,
        tolerated_failure_percentage: p.percentage("toleratedFailurePercentage")?,
    };
    p.check()?;
    let nothing = change.max_concurrency.is_none()
        && change.tolerated_failure_count.is_none()
        && change.tolerated_failure_percentage.is_none();
    if nothing {
        return Err(ApiError::validation(
            "At least one of maxConcurrency, toleratedFailureCount and toleratedFailurePercentage must be specified",
        ));
    }
    engine.update_map_run(&arn, change).await?;
    Ok(json!({}))
}
