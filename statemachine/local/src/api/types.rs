//! Requests and answers. They serialise as the API writes them: camelCase, times as seconds, absent members left out.
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an execution or a Map Run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not ended.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Took longer than `TimeoutSeconds`.
    TimedOut,
    /// Stopped.
    Aborted,
}

impl Status {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }

    /// The opposite of [`Status::as_str`], for what the engine itself has written.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "RUNNING" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "TIMED_OUT" => Self::TimedOut,
            "ABORTED" => Self::Aborted,
            _ => Self::Failed,
        }
    }

    /// Whether nothing more happens without a redrive.
    pub fn is_terminal(self) -> bool {
        self != Self::Running
    }
}

/// STANDARD or EXPRESS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MachineType {
    /// Durable, with a history, for up to a year.
    #[default]
    Standard,
    /// Five minutes, at least once.
    Express,
}

/// CreateStateMachine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateStateMachine {
    /// 1 to 80 characters.
    pub name: String,
    /// JSON in the Amazon States Language, up to 1 MB.
    pub definition: String,
    /// Kept and shown; grants nothing here.
    #[serde(default)]
    pub role_arn: String,
    /// STANDARD if absent.
    #[serde(rename = "type", default)]
    pub kind: MachineType,
}

/// Answer of CreateStateMachine.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateMachineCreated {
    /// The machine's ARN.
    pub state_machine_arn: String,
    /// When it was made.
    pub creation_date: Timestamp,
}

/// Answer of DescribeStateMachine.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateMachineDescription {
    /// The machine's ARN.
    pub state_machine_arn: String,
    /// Its name.
    pub name: String,
    /// `ACTIVE`.
    pub status: &'static str,
    /// As given.
    pub definition: String,
    /// As given.
    pub role_arn: String,
    /// STANDARD or EXPRESS.
    #[serde(rename = "type")]
    pub kind: MachineType,
    /// When it was made.
    pub creation_date: Timestamp,
}

/// One of ListStateMachines.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateMachineSummary {
    /// The machine's ARN.
    pub state_machine_arn: String,
    /// Its name.
    pub name: String,
    /// STANDARD or EXPRESS.
    #[serde(rename = "type")]
    pub kind: MachineType,
    /// When it was made.
    pub creation_date: Timestamp,
}

/// StartExecution.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartExecution {
    /// Which machine.
    pub state_machine_arn: String,
    /// Drawn if absent.
    pub name: Option<String>,
    /// JSON, `{}` if absent.
    pub input: Option<String>,
}

/// Answer of StartExecution.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionStarted {
    /// The execution's ARN.
    pub execution_arn: String,
    /// When it started.
    pub start_date: Timestamp,
}

/// `{"included": true}`: nothing is ever cut off here.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct DataDetails {
    /// Whether the data is there.
    pub included: bool,
}

/// Answer of DescribeExecution.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeExecution {
    /// The execution's ARN.
    pub execution_arn: String,
    /// Its machine; `.../Name/Label` for a child of a Map Run.
    pub state_machine_arn: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: Status,
    /// When it started.
    pub start_date: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_date: Option<Timestamp>,
    /// JSON.
    pub input: String,
    /// Always included.
    pub input_details: DataDetails,
    /// JSON, of a successful execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Present with `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_details: Option<DataDetails>,
    /// Of one that did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of one that did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The Map Run it is a child of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_run_arn: Option<String>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// When last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_date: Option<Timestamp>,
    /// `REDRIVABLE`, `NOT_REDRIVABLE` or `REDRIVABLE_BY_MAP_RUN`.
    pub redrive_status: &'static str,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_status_reason: Option<String>,
}

/// ListExecutions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ListExecutions {
    /// Of this machine; one of this and `map_run_arn`.
    pub state_machine_arn: Option<String>,
    /// Children of this Map Run.
    pub map_run_arn: Option<String>,
    /// Only these.
    pub status_filter: Option<Status>,
    /// Up to 1,000; 100 if absent or 0.
    pub max_results: Option<u32>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// One of ListExecutions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionSummary {
    /// The execution's ARN.
    pub execution_arn: String,
    /// Its machine.
    pub state_machine_arn: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: Status,
    /// When it started.
    pub start_date: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_date: Option<Timestamp>,
    /// The Map Run it is a child of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_run_arn: Option<String>,
    /// How many items of the Map it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u64>,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// When last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_date: Option<Timestamp>,
}

/// A page of something.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// What there is.
    pub items: Vec<T>,
    /// What to ask the next page with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// How GetExecutionHistory pages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct HistoryOptions {
    /// Up to 1,000; 100 if absent or 0.
    pub max_results: Option<u32>,
    /// Of the page before.
    pub next_token: Option<String>,
    /// Newest first.
    pub reverse_order: bool,
    /// Inputs and outputs too.
    pub include_execution_data: bool,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self { max_results: None, next_token: None, reverse_order: false, include_execution_data: true }
    }
}

/// Answer of StopExecution.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionStopped {
    /// When it stopped.
    pub stop_date: Timestamp,
}

/// Answer of RedriveExecution.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionRedriven {
    /// When it was redriven.
    pub redrive_date: Timestamp,
}

/// How many of a Map Run's items, or children, stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MapRunCounts {
    /// Not started.
    pub pending: u64,
    /// Started, not ended.
    pub running: u64,
    /// Ended well.
    pub succeeded: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Took too long.
    pub timed_out: u64,
    /// Stopped.
    pub aborted: u64,
    /// All.
    pub total: u64,
    /// In the result files.
    pub results_written: u64,
    /// That a redrive would leave alone.
    pub failures_not_redrivable: u64,
    /// That wait for a redrive.
    pub pending_redrive: u64,
}

/// Answer of DescribeMapRun.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeMapRun {
    /// The Map Run's ARN.
    pub map_run_arn: String,
    /// Of the parent.
    pub execution_arn: String,
    /// Where it stands.
    pub status: Status,
    /// When it started.
    pub start_date: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_date: Option<Timestamp>,
    /// Children in parallel.
    pub max_concurrency: u64,
    /// In percent of all items.
    pub tolerated_failure_percentage: f64,
    /// In items.
    pub tolerated_failure_count: u64,
    /// By items.
    pub item_counts: MapRunCounts,
    /// By children.
    pub execution_counts: MapRunCounts,
    /// How often it was redriven.
    pub redrive_count: u64,
    /// When last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive_date: Option<Timestamp>,
}

/// One of ListMapRuns.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MapRunSummary {
    /// The Map Run's ARN.
    pub map_run_arn: String,
    /// Of the parent.
    pub execution_arn: String,
    /// `.../Name/Label`.
    pub state_machine_arn: String,
    /// When it started.
    pub start_date: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_date: Option<Timestamp>,
}

/// UpdateMapRun: what is given changes, at once.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct UpdateMapRun {
    /// Children in parallel; 0 means 10,000.
    pub max_concurrency: Option<u64>,
    /// In items.
    pub tolerated_failure_count: Option<u64>,
    /// 0 to 100.
    pub tolerated_failure_percentage: Option<f64>,
}

/// Something that was committed, for live progress.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Which execution.
    pub execution_arn: String,
    /// The Map Run it is a child of.
    pub map_run_arn: Option<String>,
    /// Where it stands now.
    pub status: Status,
    /// Of a successful execution.
    pub output: Option<String>,
    /// Of one that did not succeed.
    pub error: Option<String>,
}
