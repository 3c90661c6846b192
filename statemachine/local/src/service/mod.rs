//! The service's API by the names of its actions: one entry for whoever has a request as JSON.
mod activities;
mod aliases;
mod executions;
mod logging;
mod machines;
mod map_runs;
mod mocks;
mod params;
mod references;
mod shapes;
mod tags;
mod test_state;
mod validate;
mod versions;

use crate::api::{ApiError, Page};
use crate::engine::Engine;
use params::Params;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Every action that [`Engine::call`] knows.
pub(crate) const ACTIONS: [&str; 37] = [
    "CreateActivity",
    "CreateStateMachine",
    "CreateStateMachineAlias",
    "DeleteActivity",
    "DeleteStateMachine",
    "DeleteStateMachineAlias",
    "DeleteStateMachineVersion",
    "DescribeActivity",
    "DescribeExecution",
    "DescribeMapRun",
    "DescribeStateMachine",
    "DescribeStateMachineAlias",
    "DescribeStateMachineForExecution",
    "GetActivityTask",
    "GetExecutionHistory",
    "ListActivities",
    "ListExecutions",
    "ListMapRuns",
    "ListStateMachineAliases",
    "ListStateMachineVersions",
    "ListStateMachines",
    "ListTagsForResource",
    "PublishStateMachineVersion",
    "RedriveExecution",
    "SendTaskFailure",
    "SendTaskHeartbeat",
    "SendTaskSuccess",
    "StartExecution",
    "StartSyncExecution",
    "StopExecution",
    "TagResource",
    "TestState",
    "UntagResource",
    "UpdateMapRun",
    "UpdateStateMachine",
    "UpdateStateMachineAlias",
    "ValidateStateMachineDefinition",
];

type Answer = Result<Value, ApiError>;

impl Engine {
    /// Answers one action of the API, `StartExecution` say, with members and errors as the service has them.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use serde_json::json;
    /// let engine = stepfunctions_local::Engine::builder().open().await.unwrap();
    /// let refused = engine.call("DescribeStateMachine", json!({"stateMachineArn": "x"})).await.unwrap_err();
    /// assert_eq!(refused.code, "InvalidArn");
    /// # });
    /// ```
    pub async fn call(&self, action: &str, body: Value) -> Result<Value, ApiError> {
        let mut answer = self.answer(action, body).await?;
        self.inner().vintage.withhold(&mut answer);
        Ok(answer)
    }

    async fn answer(&self, action: &str, body: Value) -> Answer {
        let p = Params::new(body)?;
        match action {
            "CreateStateMachine" => machines::create(self, &p).await,
            "UpdateStateMachine" => machines::update(self, &p).await,
            "DescribeStateMachine" => machines::describe(self, &p).await,
            "DescribeStateMachineForExecution" => machines::describe_for_execution(self, &p).await,
            "DeleteStateMachine" => machines::delete(self, &p).await,
            "ListStateMachines" => machines::list(self, &p).await,
            "ValidateStateMachineDefinition" => validate::validate(&p),
            "TestState" => test_state::test(self, &p).await,
            "PublishStateMachineVersion" => versions::publish(self, &p).await,
            "ListStateMachineVersions" => versions::list(self, &p).await,
            "DeleteStateMachineVersion" => versions::delete(self, &p).await,
            "CreateStateMachineAlias" => aliases::create(self, &p).await,
            "UpdateStateMachineAlias" => aliases::update(self, &p).await,
            "DescribeStateMachineAlias" => aliases::describe(self, &p).await,
            "DeleteStateMachineAlias" => aliases::delete(self, &p).await,
            "ListStateMachineAliases" => aliases::list(self, &p).await,
            "TagResource" => tags::tag(self, &p).await,
            "UntagResource" => tags::untag(self, &p).await,
            "ListTagsForResource" => tags::list(self, &p).await,
            "StartExecution" => executions::start(self, &p).await,
            "StartSyncExecution" => executions::start_sync(self, &p).await,
            "StopExecution" => executions::stop(self, &p).await,
            "RedriveExecution" => executions::redrive(self, &p).await,
            "DescribeExecution" => executions::describe(self, &p).await,
            "ListExecutions" => executions::list(self, &p).await,
            "GetExecutionHistory" => executions::history(self, &p).await,
            "ListMapRuns" => map_runs::list(self, &p).await,
            "DescribeMapRun" => map_runs::describe(self, &p).await,
            "UpdateMapRun" => map_runs::update(self, &p).await,
            "CreateActivity" => activities::create(self, &p).await,
            "DescribeActivity" => activities::describe(self, &p).await,
            "DeleteActivity" => activities::delete(self, &p).await,
            "ListActivities" => activities::list(self, &p).await,
            "GetActivityTask" => activities::task(self, &p).await,
            "SendTaskSuccess" => activities::success(self, &p),
            "SendTaskFailure" => activities::failure(self, &p),
            "SendTaskHeartbeat" => activities::heartbeat(self, &p),
            unknown => {
                let message = format!("The operation '{unknown}' is not one of AWSStepFunctions");
                Err(ApiError::new("UnknownOperationException", message))
            }
        }
    }
}

/// An answer as the API writes it.
fn written(answer: &impl Serialize) -> Answer {
    serde_json::to_value(answer).map_err(|e| ApiError::new("InternalServerError", e.to_string()))
}

/// A page under the name that the action gives its list.
fn page<T: Serialize>(name: &str, page: Page<T>) -> Answer {
    let mut answer = Map::new();
    answer.insert(name.to_owned(), written(&page.items)?);
    answer.extend(page.next_token.map(|token| ("nextToken".to_owned(), json!(token))));
    Ok(Value::Object(answer))
}

/// Cuts a page out of a list that is there as a whole.
fn paged<T>(all: Vec<T>, (most, token): (Option<u32>, Option<String>)) -> Result<Page<T>, ApiError> {
    let skip = match token {
        None => 0,
        Some(text) => text
            .parse::<u32>()
            .map_err(|_| ApiError::new("InvalidToken", "Invalid Token: 'Invalid token'"))?,
    };
    // The service's default, and most, of a page.
    let take = most.filter(|n| *n > 0).unwrap_or(100).min(1_000);
    let (skip, take) = (skip as usize, take as usize);
    let next_token = (all.len() > skip.saturating_add(take)).then(|| (skip + take).to_string());
    Ok(Page { items: all.into_iter().skip(skip).take(take).collect(), next_token })
}

/// Adds a member that is there.
fn put(answer: &mut Value, name: &str, member: Option<impl Serialize>) {
    if let Some(member) = member {
        answer[name] = json!(member);
    }
}
