//! The states of a definition, nested ones included, in the order of the file.

use serde_json::Value;
use transload_wire::ErrorName;

/// Errors of the services that may end any Lambda task, as facts of the services give them; and the wildcard.
pub(crate) const ALWAYS: &[&str] = &[
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
    "States.Timeout",
    "States.ALL",
];

/// Errors of the service that starts an execution of another machine.
pub(crate) const NESTED: &[&str] = &[
    "StepFunctions.ExecutionAlreadyExistsException",
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.ThrottlingException",
];

/// A state with where it stands.
pub(crate) struct State {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// The function that it calls, by the name of its folder.
    pub function: Option<String>,
    /// Whether it is inside of a Map.
    pub in_map: bool,
    /// The state itself.
    pub json: Value,
}

/// All states of a definition, those inside of Maps behind their Map.
pub(crate) fn states(definition: &Value) -> Vec<State> {
    let mut found = Vec::new();
    collect(definition, false, &mut found);
    found
}

fn collect(machine: &Value, in_map: bool, found: &mut Vec<State>) {
    for (name, json) in machine["States"].as_object().expect("States") {
        let function = json["Arguments"]["FunctionName"]
            .as_str()
            .and_then(|text| text.strip_prefix("${")?.strip_suffix("FunctionArn}"))
            .map(str::to_lowercase);
        let kind = json["Type"].as_str().expect("Type").to_owned();
        found.push(State { name: name.clone(), kind, function, in_map, json: json.clone() });
        if json["ItemProcessor"].is_object() {
            collect(&json["ItemProcessor"], true, found);
        }
        for branch in json["Branches"].as_array().into_iter().flatten() {
            collect(branch, true, found);
        }
    }
}

impl State {
    /// Its retriers or catchers.
    pub(crate) fn rules(&self, field: &str) -> Vec<Value> {
        self.json[field].as_array().cloned().unwrap_or_default()
    }

    /// Every error that it names.
    pub(crate) fn named_errors(&self) -> Vec<String> {
        let rules = self.rules("Retry").into_iter().chain(self.rules("Catch"));
        rules.flat_map(|rule| errors(&rule)).collect()
    }

    /// Whether a retrier covers the error.
    pub(crate) fn retries(&self, name: &str) -> bool {
        self.rules("Retry").iter().any(|rule| covers(rule, name))
    }

    /// Whether it retries whatever happens.
    pub(crate) fn retries_all(&self) -> bool {
        self.rules("Retry").iter().any(|rule| errors(rule).iter().any(|e| e == "States.ALL"))
    }

    /// The state that follows a caught error.
    pub(crate) fn caught(&self, name: &str) -> Option<String> {
        let catcher = self.rules("Catch").into_iter().find(|rule| covers(rule, name))?;
        catcher["Next"].as_str().map(str::to_owned)
    }
}

/// The errors that a rule names.
pub(crate) fn errors(rule: &Value) -> Vec<String> {
    rule["ErrorEquals"]
        .as_array()
        .expect("ErrorEquals")
        .iter()
        .map(|e| e.as_str().unwrap().to_owned())
        .collect()
}

fn covers(rule: &Value, name: &str) -> bool {
    errors(rule).iter().any(|e| e == name || e == "States.ALL")
}

/// What a function may fail with, as its crate declares.
pub(crate) fn function_failures(function: &str) -> &'static [ErrorName] {
    match function {
        "head" => transload_head::FAILURES,
        "init" => transload_init::FAILURES,
        "part" => transload_part::FAILURES,
        "complete" => transload_complete::FAILURES,
        "copy" => transload_copy::FAILURES,
        "abort" => transload_abort::FAILURES,
        "remove" => transload_remove::FAILURES,
        "thaw" => transload_thaw::FAILURES,
        "list" => transload_list::FAILURES,
        "batch" => transload_batch::FAILURES,
        "delete" => transload_delete::FAILURES,
        "report" => transload_report::FAILURES,
        "pack" => transload_pack::FAILURES,
        "unpack" => transload_unpack::FAILURES,
        other => panic!("the definition calls an unknown function: {other}"),
    }
}
