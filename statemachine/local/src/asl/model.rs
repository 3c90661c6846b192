//! The typed model of a state machine definition: what is left after parsing, with every expression compiled.
use crate::query::{Path, Template};
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How expressions of a state are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// `$.a.b`, intrinsic functions, `InputPath` and its kin.
    JsonPath,
    /// `{% ... %}` strings.
    Jsonata,
}

/// A whole definition.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) flow: Arc<Flow>,
    /// Seconds an execution may take in all.
    pub(crate) timeout_seconds: Option<u64>,
}

/// States and where they start: a machine, a branch, or an item processor.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) start_at: String,
    pub(crate) states: IndexMap<String, Arc<State>>,
}

/// What follows a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    Next(String),
    End,
}

/// One state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) language: Language,
    pub(crate) kind: Kind,
    pub(crate) io: Io,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    /// `None` for Choice, Succeed and Fail.
    pub(crate) transition: Option<Transition>,
}

/// The fields that move data in and out of a state.
#[derive(Debug, Default)]
pub(crate) struct Io {
    pub(crate) input_path: PathField,
    pub(crate) output_path: PathField,
    pub(crate) result_path: ResultPath,
    /// `Parameters` or `Arguments`.
    pub(crate) arguments: Option<Template>,
    pub(crate) result_selector: Option<Template>,
    /// JSONata only.
    pub(crate) output: Option<Template>,
    pub(crate) assign: Option<Template>,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Default)]
pub(crate) enum PathField {
    /// Absent: everything.
    #[default]
    Whole,
    /// `null`: an empty object instead.
    Discard,
    Path(Path),
}

/// `ResultPath`.
#[derive(Debug, Default)]
pub(crate) enum ResultPath {
    /// Absent or `$`: the result replaces the input.
    #[default]
    Replace,
    /// `null`: the input stays.
    Discard,
    /// Field names to walk, made where absent.
    Into(Vec<String>),
}

/// What kind of state it is.
#[derive(Debug)]
pub(crate) enum Kind {
    Pass { result: Option<Value> },
    Task(Box<Task>),
    Choice { rules: Vec<Rule>, default: Option<String> },
    Wait(Delay),
    Succeed,
    Fail { error: Option<Text>, cause: Option<Text> },
    Parallel { branches: Vec<Arc<Flow>> },
    Map(Box<MapState>),
}

/// A text that may be computed: literal, JSONata expression, path or intrinsic function.
#[derive(Debug)]
pub(crate) struct Text {
    /// As the event names it: `Error` or `ErrorPath`.
    pub(crate) field: &'static str,
    pub(crate) template: Template,
}

/// What a Task calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// A function's own ARN.
    LambdaArn(String),
    /// `arn:aws:states:::lambda:invoke`.
    LambdaInvoke,
    /// `arn:aws:states:::states:startExecution`, `.sync`, `.sync:2`, or through `aws-sdk:sfn`.
    StartExecution(Pattern),
    /// `arn:aws:states:::aws-sdk:s3:getObject` and the other actions of S3.
    S3(&'static str),
    /// An activity's ARN.
    Activity(String),
    /// `arn:aws:states:::aws-sdk:sfn:` and any action of this engine's own API.
    Sfn(String),
    /// Any other, in a state that is tested with a mock.
    Mocked(String),
}

/// How a nested execution is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Request,
    Sync,
    Sync2,
    AwsSdk,
}

/// A Task.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    /// `.waitForTaskToken`: the call's answer is not the result, a token's holder gives it.
    pub(crate) waits: bool,
    pub(crate) timeout: Option<Number>,
    pub(crate) heartbeat: Option<Number>,
}

/// A number, fixed or computed when it is needed.
#[derive(Debug)]
pub(crate) struct Number {
    /// As the definition names it, `TimeoutSeconds` or `TimeoutSecondsPath`.
    pub(crate) field: &'static str,
    pub(crate) value: NumberValue,
}

/// See [`Number`].
#[derive(Debug)]
pub(crate) enum NumberValue {
    Fixed(f64),
    Computed(Template),
}

/// One rule of a Choice.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) condition: Condition,
    pub(crate) next: String,
    pub(crate) assign: Option<Template>,
    pub(crate) output: Option<Template>,
}

/// What a rule tests.
#[derive(Debug)]
pub(crate) enum Condition {
    Jsonata(Template),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare { variable: Path, operator: Operator, operand: Operand },
}

/// What a comparison is made with.
#[derive(Debug)]
pub(crate) enum Operand {
    Literal(Value),
    Path(Path),
}

/// The comparisons of a JSONPath Choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    BooleanEquals,
    Numeric(Order),
    Text(Order),
    Timestamp(Order),
    Matches,
    IsBoolean,
    IsNull,
    IsNumeric,
    IsPresent,
    IsString,
    IsTimestamp,
}

/// An ordering relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// How long a Wait waits.
#[derive(Debug)]
pub(crate) enum Delay {
    Seconds(Number),
    Timestamp { field: &'static str, value: Template },
}

/// One entry of `Retry`.
#[derive(Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval_seconds: f64,
    pub(crate) max_attempts: u32,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<f64>,
    pub(crate) full_jitter: bool,
}

/// One entry of `Catch`.
#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) next: String,
    pub(crate) result_path: ResultPath,
    pub(crate) assign: Option<Template>,
    pub(crate) output: Option<Template>,
}

/// Whether children of a Map are iterations or executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Inline,
    Distributed { express: bool },
}

/// A Map.
#[derive(Debug)]
pub(crate) struct MapState {
    pub(crate) mode: Mode,
    pub(crate) processor: Arc<Flow>,
    pub(crate) items: Items,
    /// `ItemSelector`, or `Parameters` of the older form.
    pub(crate) selector: Option<Template>,
    pub(crate) selector_field: &'static str,
    pub(crate) reader: Option<Reader>,
    pub(crate) batcher: Option<Batcher>,
    pub(crate) writer: Option<Writer>,
    pub(crate) max_concurrency: Option<Number>,
    pub(crate) tolerated_count: Option<Number>,
    pub(crate) tolerated_percentage: Option<Number>,
    pub(crate) label: Option<String>,
}

/// Where a Map's items come from without a reader.
#[derive(Debug)]
pub(crate) enum Items {
    /// The state's input itself.
    Input,
    Path(Path),
    Template(Template),
}

/// `ItemReader`.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) list: bool,
    pub(crate) arguments: Option<Template>,
    pub(crate) format: Format,
    pub(crate) max_items: Option<Number>,
    pub(crate) items_pointer: Option<String>,
}

/// What a reader expects to find.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Listing,
    /// The manifest of an S3 inventory.
    Inventory,
    Json,
    JsonLines,
    Csv {
        headers: Option<Vec<String>>,
        delimiter: char,
    },
}

/// `ItemBatcher`.
#[derive(Debug)]
pub(crate) struct Batcher {
    pub(crate) max_items: Option<Number>,
    pub(crate) max_bytes: Option<Number>,
    pub(crate) input: Option<Template>,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transformation {
    None,
    Compact,
    Flatten,
}

/// `ResultWriter`.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Absent: the results stay in the state's output, only transformed.
    pub(crate) arguments: Option<Template>,
    pub(crate) transformation: Transformation,
    pub(crate) lines: bool,
}

/// Variables that a flow sees, shared until one of them changes.
pub(crate) type Variables = Arc<BTreeMap<String, Value>>;
