//! The Step Functions API, of the service or of an engine on this machine: answers are its own JSON.

use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sfn::error::ProvideErrorMetadata;
use serde_json::Value;

use crate::answer::Body;
use crate::http::Refusal;
use crate::report::Look;

/// Asks Step Functions.
#[derive(Debug, Clone)]
pub struct States(Client);

/// Sends a request, and gives the answer as it came.
macro_rules! answer {
    ($request:expr) => {{
        let body = Body::default();
        let sent = $request.customize().interceptor(body.clone()).send().await;
        sent.map_err(|error| refusal(&error))?;
        body.json().map_err(|error| Refusal::new(502, "AnswerInvalid", format!("Step Functions: {error}")))
    }};
}

/// Whose executions are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    /// A state machine's.
    Machine(&'a str),
    /// The children of a Map Run.
    MapRun(&'a str),
}

/// One page of something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) limit: u32,
    pub(crate) cursor: Option<String>,
}

impl Page {
    fn limit(&self) -> Option<i32> {
        i32::try_from(self.limit).ok()
    }
}

impl States {
    /// Of this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// With the credentials, the Region and the endpoint (`AWS_ENDPOINT_URL_SFN`) that the AWS tools would use.
    pub async fn from_env() -> Self {
        Self(Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await))
    }

    /// At an endpoint on this machine, with its key.
    #[must_use]
    pub fn at(endpoint: &str, region: &str, key: (String, String)) -> Self {
        let config = aws_sdk_sfn::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new(key.0, key.1, None, None, "console"))
            .region(Region::new(region.to_owned()))
            .endpoint_url(endpoint)
            .retry_config(RetryConfig::disabled());
        Self(Client::from_conf(config.build()))
    }

    pub(crate) async fn executions(
        &self,
        of: Of<'_>,
        status: Option<&str>,
        page: &Page,
    ) -> Result<Value, Refusal> {
        let (machine, map_run) = match of {
            Of::Machine(arn) => (Some(arn.to_owned()), None),
            Of::MapRun(arn) => (None, Some(arn.to_owned())),
        };
        answer!(
            self.0
                .list_executions()
                .set_state_machine_arn(machine)
                .set_map_run_arn(map_run)
                .set_status_filter(status.map(Into::into))
                .set_max_results(page.limit())
                .set_next_token(page.cursor.clone())
        )
    }

    pub(crate) async fn execution(&self, arn: &str) -> Result<Value, Refusal> {
        answer!(self.0.describe_execution().execution_arn(arn))
    }

    pub(crate) async fn events(
        &self,
        arn: &str,
        page: &Page,
        newest_first: bool,
        data: bool,
    ) -> Result<Value, Refusal> {
        answer!(
            self.0
                .get_execution_history()
                .execution_arn(arn)
                .set_max_results(page.limit())
                .set_next_token(page.cursor.clone())
                .reverse_order(newest_first)
                .include_execution_data(data)
        )
    }

    pub(crate) async fn definition(&self, arn: &str) -> Result<Value, Refusal> {
        answer!(self.0.describe_state_machine_for_execution().execution_arn(arn))
    }

    pub(crate) async fn map_run(&self, arn: &str) -> Result<Value, Refusal> {
        answer!(self.0.describe_map_run().map_run_arn(arn))
    }

    pub(crate) async fn start(
        &self,
        machine: &str,
        name: Option<String>,
        input: String,
    ) -> Result<Value, Refusal> {
        answer!(self.0.start_execution().state_machine_arn(machine).set_name(name).input(input))
    }

    pub(crate) async fn stop(&self, arn: &str, cause: &str) -> Result<Value, Refusal> {
        answer!(self.0.stop_execution().execution_arn(arn).error("Stopped").cause(cause))
    }

    pub(crate) async fn redrive(&self, arn: &str) -> Result<Value, Refusal> {
        answer!(self.0.redrive_execution().execution_arn(arn))
    }

    pub(crate) async fn set_concurrency(&self, map_run: &str, most: i32) -> Result<Value, Refusal> {
        answer!(self.0.update_map_run().map_run_arn(map_run).max_concurrency(most))
    }

    async fn map_run_page(&self, arn: &str, page: &Page) -> Result<Value, Refusal> {
        answer!(
            self.0
                .list_map_runs()
                .execution_arn(arn)
                .set_max_results(page.limit())
                .set_next_token(page.cursor.clone())
        )
    }
}

/// Reads page after page of the list of this name.
macro_rules! pages {
    ($name:literal, $page:ident => $ask:expr) => {{
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let $page = Page { limit: 1_000, cursor };
            let mut answer: Value = $ask.await?;
            if let Value::Array(items) = answer[$name].take() {
                all.extend(items);
            }
            cursor = answer["nextToken"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break Ok(all);
            }
        }
    }};
}

#[async_trait]
impl Look for States {
    type Error = Refusal;

    async fn describe(&self, arn: &str) -> Result<Value, Refusal> {
        self.execution(arn).await
    }

    async fn history(&self, arn: &str) -> Result<Vec<Value>, Refusal> {
        pages!("events", page => self.events(arn, &page, false, true))
    }

    async fn map_runs(&self, arn: &str) -> Result<Vec<Value>, Refusal> {
        pages!("mapRuns", page => self.map_run_page(arn, &page))
    }

    async fn children(&self, map_run: &str) -> Result<Vec<Value>, Refusal> {
        pages!("executions", page => self.executions(Of::MapRun(map_run), None, &page))
    }
}

/// The service's own refusal, or that it was not reached.
fn refusal<E: std::error::Error + ProvideErrorMetadata>(error: &E) -> Refusal {
    let Some(code) = error.code() else {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let why: Vec<String> = causes.map(ToString::to_string).collect();
        return Refusal::new(
            502,
            "NotReached",
            format!("Step Functions was not reached: {}", why.join(": ")),
        );
    };
    let status = match code {
        "ExecutionDoesNotExist" | "StateMachineDoesNotExist" | "ResourceNotFound" => 404,
        "ExecutionAlreadyExists" | "ExecutionNotRedrivable" => 409,
        "AccessDeniedException" => 403,
        "ThrottlingException" | "ExecutionLimitExceeded" | "TooManyRequestsException" => 429,
        "InternalFailure" | "ServiceUnavailable" => 502,
        _ => 400,
    };
    Refusal::new(status, code, error.message().unwrap_or("no message"))
}
