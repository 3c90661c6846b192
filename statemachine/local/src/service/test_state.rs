//! TestState: one state tried out with an input, with or without a mock of what it calls.
use super::Answer;
use super::mocks::{self, Mode};
use super::params::{ARN, DATA, DEFINITION, NAME, Params};
use crate::api::ApiError;
use crate::asl::{self, Flow, Kind, State};
use crate::engine::Engine;
use crate::exec::Failure;
use crate::exec::{self, Mock, Probe, Refused, Report, Trouble};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a state without a name of its own is called.
const UNNAMED: &str = "StateName";

/// A request, read but not yet looked at as a whole.
struct Request {
    definition: String,
    role: Option<String>,
    input: Value,
    inspect: bool,
    state: Option<String>,
    variables: BTreeMap<String, Value>,
    context: Option<Value>,
    mocked: bool,
    result: Option<String>,
    error: Option<Failure>,
    mode: Mode,
    retries: u32,
    failures: Option<u64>,
    read: Option<String>,
    secrets: bool,
}

pub(super) async fn test(engine: &Engine, p: &Params) -> Answer {
    let request = read(p)?;
    let state = find(&request)?;
    let resource = resource_of(&request, &state.name);
    let mock = check(&request, &state, resource.as_deref())?;
    let probe = Probe {
        state,
        input: request.input,
        role: request.role.unwrap_or_default(),
        variables: request.variables,
        context: request.context,
        mock,
        retries: request.retries,
        failures: request.failures,
        read: request.read.as_deref().map(items).transpose()?,
    };
    match probe.run(engine.inner()).await {
        Ok(report) => Ok(answer(report, request.inspect)),
        Err(Refused::TooManyFailures) => Err(ApiError::validation(
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        )),
        Err(Refused::Trouble(Trouble::Store(error))) => Err(error.into()),
        Err(Refused::Trouble(Trouble::Error(failure))) => {
            Ok(answer(Report { status: "FAILED", failure: Some(failure), ..Report::default() }, false))
        }
    }
}

fn read(p: &Params) -> Result<Request, ApiError> {
    let definition = p.required_text("definition", DEFINITION)?;
    let role = p.text("roleArn", ARN)?;
    let input = p.text("input", DATA)?;
    let inspect = p.choice("inspectionLevel", &["INFO", "DEBUG", "TRACE"])?;
    let variables = p.text("variables", DATA)?;
    let state = p.text("stateName", NAME)?;
    let context = p.text("context", DATA)?;
    let secrets = p.flag("revealSecrets")?.unwrap_or(false);
    let mock = p.inner("mock")?;
    let settings = p.inner("stateConfiguration")?;
    p.check()?;
    let (result, error, mode) = match &mock {
        Some(mock) => read_mock(mock)?,
        None => (None, None, Mode::Strict),
    };
    let settings = match settings {
        Some(settings) => settings,
        None => Params::new(Value::Null)?,
    };
    let retries = settings.whole("retrierRetryCount", 0, i64::from(u32::MAX))?;
    let failures = settings.whole("mapIterationFailureCount", 0, i64::MAX)?;
    let read = settings.text("mapItemReaderData", DATA)?;
    settings.text("errorCausedByState", NAME)?;
    settings.check()?;
    Ok(Request {
        definition,
        role,
        input: parsed_input(input.as_deref().unwrap_or("{}"))?,
        inspect: inspect.is_some_and(|level| level != "INFO"),
        state,
        variables: variables.as_deref().map(parsed_variables).transpose()?.unwrap_or_default(),
        context: context.as_deref().map(parsed_context).transpose()?,
        mocked: mock.is_some(),
        result,
        error,
        mode,
        retries: retries.and_then(|n| u32::try_from(n).ok()).unwrap_or_default(),
        failures: failures.and_then(|n| u64::try_from(n).ok()),
        read,
        secrets,
    })
}

type MockParts = (Option<String>, Option<Failure>, Mode);

fn read_mock(mock: &Params) -> Result<MockParts, ApiError> {
    let result = mock.text("result", DATA)?;
    let mode = match mock.choice("fieldValidationMode", &["STRICT", "PRESENT", "NONE"])? {
        Some("PRESENT") => Mode::Present,
        Some("NONE") => Mode::None,
        _ => Mode::Strict,
    };
    let error = match mock.inner("errorOutput")? {
        Some(error) => {
            let (name, cause) = (error.text("error", (0, 256))?, error.text("cause", (0, 32_768))?);
            error.check()?;
            Some(Failure { error: name, cause, ..Failure::default() })
        }
        None => None,
    };
    mock.check()?;
    Ok((result, error, mode))
}

fn parsed_input(text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text).map_err(|_| {
        let what = match text.trim().is_empty() {
            true => "Invalid execution input.".to_owned(),
            false => crate::json::complaint(text).message,
        };
        ApiError::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{what}'"))
    })
}

fn parsed_variables(text: &str) -> Result<BTreeMap<String, Value>, ApiError> {
    serde_json::from_str(text).map_err(|_| ApiError::validation("Variables must be a valid JSON object"))
}

fn parsed_context(text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text)
        .map_err(|_| ApiError::validation("Invalid Context object provided: must be valid JSON"))
}

/// The item reader's data of a Map.
fn items(text: &str) -> Result<Vec<Value>, ApiError> {
    serde_json::from_str(text).map_err(|_| ApiError::validation("ItemReader data must be a JSON array."))
}

/// The state under test: the definition itself, or one of its states by name.
fn find(request: &Request) -> Result<Arc<State>, ApiError> {
    let refused = |problems: Vec<asl::Diagnostic>| ApiError::definition(&problems);
    let Some(name) = &request.state else {
        let state = asl::parse_state(&request.definition, UNNAMED, request.mocked).map_err(refused)?;
        return Ok(Arc::new(state));
    };
    let machine = asl::parse_with(&request.definition, false, request.mocked).map_err(refused)?;
    within(&machine.flow, name).ok_or_else(|| ApiError::validation("State not found in definition"))
}

fn within(flow: &Flow, name: &str) -> Option<Arc<State>> {
    if let Some(state) = flow.states.get(name) {
        return Some(state.clone());
    }
    flow.states.values().find_map(|state| match &state.kind {
        Kind::Map(map) => within(&map.processor, name),
        Kind::Parallel { branches } => branches.iter().find_map(|branch| within(branch, name)),
        _ => None,
    })
}

/// The Resource of a Task as it is written.
fn resource_of(request: &Request, name: &str) -> Option<String> {
    let definition: Value = serde_json::from_str(&request.definition).ok()?;
    let state = match request.state {
        None => Some(&definition),
        Some(_) => written(&definition, name),
    };
    state?.get("Resource")?.as_str().map(str::to_owned)
}

fn written<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let states = value.get("States").and_then(Value::as_object);
    if let Some(found) = states.and_then(|s| s.get(name)) {
        return Some(found);
    }
    states.into_iter().flat_map(|s| s.values()).find_map(|state| {
        let inner = ["ItemProcessor", "Iterator"].into_iter().filter_map(|f| state.get(f));
        let branches = state.get("Branches").and_then(Value::as_array).into_iter().flatten();
        inner.chain(branches).find_map(|flow| written(flow, name))
    })
}

/// Whether request and state go together, in the order in which the service looks; the mock that is left.
fn check(request: &Request, state: &State, resource: Option<&str>) -> Result<Option<Mock>, ApiError> {
    let fans_out = matches!(state.kind, Kind::Map(_) | Kind::Parallel { .. });
    if !request.mocked {
        unmocked(request, state, fans_out)?;
        if let Some(context) = &request.context {
            mocks::check_context(state, resource, context)?;
        }
        return Ok(None);
    }
    let kind = match state.kind {
        Kind::Pass { .. } => Some("Pass"),
        Kind::Succeed => Some("Succeed"),
        Kind::Fail { .. } => Some("Fail"),
        _ => None,
    };
    if let Some(kind) = kind {
        let message = format!("State type '{kind}' is not supported when a mock is specified");
        return Err(ApiError::validation(message));
    }
    if request.secrets {
        let message = "TestState does not support RevealSecrets when a mock is specified.";
        return Err(ApiError::validation(message));
    }
    if request.result.is_some() && request.error.is_some() {
        let message = "A test mock should have only one of the following fields: [result, errorOutput].";
        return Err(ApiError::validation(message));
    }
    let mock = match (&request.result, &request.error) {
        (Some(text), _) => {
            let result: Value = serde_json::from_str(text)
                .map_err(|_| ApiError::validation("Mocked result must be valid JSON"))?;
            mocks::check_result(state, resource, &result, request.mode)?;
            Mock::Result(result)
        }
        (None, error) => Mock::Error(error.clone().unwrap_or_default()),
    };
    if let Some(context) = &request.context {
        mocks::check_context(state, resource, context)?;
    }
    if matches!(&state.kind, Kind::Map(map) if map.reader.is_some()) && request.read.is_none() {
        return Err(ApiError::validation(
            "ItemReader data must be specified when testing a Map state with ItemReader specified.",
        ));
    }
    Ok(Some(mock))
}

fn unmocked(request: &Request, state: &State, fans_out: bool) -> Result<(), ApiError> {
    if fans_out {
        return Err(ApiError::new(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
        ));
    }
    let Kind::Task(task) = &state.kind else { return Ok(()) };
    if request.role.is_none() {
        return Err(ApiError::validation("RoleArn must be specified when testing a Task state"));
    }
    match exec::callable(task) {
        true => Ok(()),
        false => Err(ApiError::new(
            "InvalidDefinition",
            "TestState API does not support this service integration without a mock",
        )),
    }
}

fn answer(report: Report, inspect: bool) -> Value {
    let mut answer = json!({"status": report.status});
    if let Some(output) = report.output {
        answer["output"] = json!(output.to_string());
    }
    let failure = report.failure.unwrap_or_default();
    super::put(&mut answer, "error", failure.error);
    super::put(&mut answer, "cause", failure.cause);
    super::put(&mut answer, "nextState", report.next);
    if inspect {
        answer["inspectionData"] = Value::Object(report.seen);
    }
    answer
}
