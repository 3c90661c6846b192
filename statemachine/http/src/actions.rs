//! From the name of an action and its JSON to the engine's methods.
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stepfunctions_local::{ApiError, Engine, HistoryOptions, UpdateMapRun};

/// Runs an action.
pub(crate) async fn call(engine: &Engine, action: &str, mut body: Value) -> Result<Value, ApiError> {
    match action {
        "CreateStateMachine" => written(engine.create_state_machine(read(body)?).await?),
        "UpdateStateMachine" => {
            let arn = take(&mut body, "stateMachineArn")?;
            let (definition, role) = (optional(&mut body, "definition"), optional(&mut body, "roleArn"));
            let date = engine.update_state_machine(&arn, definition, role).await?;
            Ok(json!({"updateDate": written(date)?}))
        }
        "DescribeStateMachine" => {
            written(engine.describe_state_machine(&take(&mut body, "stateMachineArn")?).await?)
        }
        "ListStateMachines" => Ok(json!({"stateMachines": written(engine.list_state_machines().await?)?})),
        "StartExecution" => written(engine.start_execution(read(body)?).await?),
        "DescribeExecution" => written(engine.describe_execution(&take(&mut body, "executionArn")?).await?),
        "ListExecutions" => {
            let page = engine.list_executions(read(body)?).await?;
            paged("executions", written(page.items)?, page.next_token)
        }
        "GetExecutionHistory" => {
            let arn = take(&mut body, "executionArn")?;
            let page = engine.get_execution_history(&arn, read::<HistoryOptions>(body)?).await?;
            paged("events", written(page.items)?, page.next_token)
        }
        "StopExecution" => {
            let arn = take(&mut body, "executionArn")?;
            let (error, cause) = (optional(&mut body, "error"), optional(&mut body, "cause"));
            written(engine.stop_execution(&arn, error, cause).await?)
        }
        "RedriveExecution" => written(engine.redrive_execution(&take(&mut body, "executionArn")?).await?),
        "ListMapRuns" => {
            paged("mapRuns", written(engine.list_map_runs(&take(&mut body, "executionArn")?).await?)?, None)
        }
        "DescribeMapRun" => written(engine.describe_map_run(&take(&mut body, "mapRunArn")?).await?),
        "UpdateMapRun" => {
            let arn = take(&mut body, "mapRunArn")?;
            engine.update_map_run(&arn, read::<UpdateMapRun>(body)?).await?;
            Ok(json!({}))
        }
        other => Err(ApiError {
            code: "UnknownOperationException",
            message: format!("Unknown operation: {other}"),
        }),
    }
}

fn invalid(message: String) -> ApiError {
    ApiError { code: "ValidationException", message }
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    serde_json::from_value(body).map_err(|error| invalid(error.to_string()))
}

fn written(answer: impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(answer).map_err(|error| invalid(error.to_string()))
}

fn optional(body: &mut Value, name: &str) -> Option<String> {
    match body.as_object_mut()?.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn take(body: &mut Value, name: &str) -> Result<String, ApiError> {
    optional(body, name).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

fn paged(name: &str, items: Value, next: Option<String>) -> Result<Value, ApiError> {
    let mut page = json!({ name: items });
    if let Some(next) = next {
        page["nextToken"] = next.into();
    }
    Ok(page)
}
