//! Goes through the Map Runs of an execution, their children, the executions that those started, and again theirs. Of each one
//! history at a time is in memory, of a Map Run the ARNs of its children.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::LocalBoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use stepfunctions_local::ListExecutions;

use super::archive::{Writer, sha256};
use super::canonical;
use super::manifest::Missing;
use super::records::{Begin, ChildLine, Records, Told};
use super::redact::Redactor;
use super::spool::Spool;
use crate::api::Request;
use crate::exit::{CliError, Exit, Outcome};
use crate::view::{View, text};

/// Executions that are asked for at a time: two requests each, of an account's rate that all share.
const AT_A_TIME: usize = 8;
/// Executions within executions: a run has children, which start transfers, which have children.
const DEEPEST: u32 = 4;

/// An execution that was asked for.
struct Asked {
    execution: Value,
    events: Vec<Value>,
}

/// What is kept while the walk writes `children.jsonl`.
pub(super) struct Walk<'a> {
    pub(super) view: &'a View,
    pub(super) redactor: &'a Redactor,
    pub(super) writer: &'a mut Writer,
    pub(super) records: Records,
    pub(super) map_runs: Spool,
    pub(super) parts: Spool,
    pub(super) checksums: Spool,
    /// By their SHA-256.
    pub(super) definitions: BTreeMap<String, String>,
    pub(super) missing: BTreeSet<Missing>,
    pub(super) trouble: &'a dyn Fn(std::io::Error) -> CliError,
}

impl Walk<'_> {
    /// All that belongs to an execution whose own history was told already.
    pub(super) fn below<'b>(
        &'b mut self,
        owner: &'b str,
        definition: &'b Value,
        depth: u32,
    ) -> LocalBoxFuture<'b, Outcome> {
        async move {
            let mut runs = self.view.map_runs(owner).await?;
            runs.sort_by_key(order);
            for run in runs {
                let arn = text(&run, "mapRunArn").to_owned();
                let described = self.view.call(Request::DescribeMapRun(arn.clone())).await?;
                self.map_runs.line(&described).map_err(self.trouble)?;
                if is_express(definition, &arn) {
                    self.without_histories(&arn);
                } else {
                    self.children(owner, &arn, depth).await?;
                }
            }
            Ok(())
        }
        .boxed_local()
    }

    fn without_histories(&mut self, arn: &str) {
        let label = label(arn);
        self.missing.insert(Missing {
            what: format!("histories of the children of {label}"),
            why: "EXPRESS executions have none; their inputs and outputs are in the result files below work/"
                .to_owned(),
        });
    }

    async fn children(&mut self, owner: &str, map_run: &str, depth: u32) -> Outcome {
        let list = ListExecutions { map_run_arn: Some(map_run.to_owned()), ..ListExecutions::default() };
        let listed = self.view.executions(list).await?;
        let mut arns: Vec<String> =
            listed.iter().map(|child| text(child, "executionArn").to_owned()).collect();
        drop(listed);
        arns.sort();
        let (view, redactor) = (self.view, self.redactor);
        let mut asked = stream::iter(arns).map(|arn| ask(view, redactor, arn)).buffered(AT_A_TIME);
        while let Some(child) = asked.next().await {
            let child = child?;
            if !super::is_over(text(&child.execution, "status")) {
                let what = format!("the end of {}", text(&child.execution, "executionArn"));
                self.missing.insert(Missing { what, why: "it ran when the pack was made".to_owned() });
            }
            let nested = started(&child.events);
            self.tell(owner, Some(map_run), None, child)?;
            for arn in nested {
                self.nested(owner, arn, depth).await?;
            }
        }
        Ok(())
    }

    /// An execution of another machine that a child waited for.
    async fn nested(&mut self, owner: &str, arn: String, depth: u32) -> Outcome {
        let asked = match ask(self.view, self.redactor, arn.clone()).await {
            Err(error) if error.exit == Exit::NotFound => {
                self.missing.insert(Missing { what: arn, why: error.to_string() });
                return Ok(());
            }
            asked => asked?,
        };
        if depth == DEEPEST {
            let why = format!("expected executions within executions {DEEPEST} deep at most, found more");
            return Err(CliError::trouble(arn, why));
        }
        let machine = self.view.call(Request::DescribeStateMachineForExecution(arn.clone())).await?;
        let definition = text(&machine, "definition").to_owned();
        let name = sha256(definition.as_bytes());
        let parsed = serde_json::from_str(&definition).unwrap_or_default();
        self.definitions.insert(name.clone(), definition);
        self.tell(owner, None, Some(name), asked)?;
        self.below(&arn, &parsed, depth + 1).await
    }

    /// Writes an execution and its events.
    fn tell(
        &mut self,
        owner: &str,
        map_run: Option<&str>,
        definition: Option<String>,
        asked: Asked,
    ) -> Outcome {
        let begin = Begin {
            owner: owner.to_owned(),
            map_run_arn: map_run.map(str::to_owned),
            definition,
            execution: asked.execution,
        };
        self.line(&ChildLine::Begin(begin))?;
        asked.events.into_iter().try_for_each(|event| self.line(&ChildLine::Event(event)))
    }

    fn line(&mut self, line: &ChildLine) -> Outcome {
        let told = self.records.line(line);
        self.told(&told)?;
        write_line(self.writer, &json!(line)).map_err(self.trouble)
    }

    /// Keeps what became known for files that come later.
    pub(super) fn told(&mut self, told: &Told) -> Outcome {
        told.objects.iter().try_for_each(|line| self.checksums.line(line)).map_err(self.trouble)?;
        told.parts.iter().try_for_each(|line| self.parts.line(line)).map_err(self.trouble)
    }
}

/// A line of JSON, in its one form.
pub(super) fn write_line(writer: &mut Writer, value: &Value) -> std::io::Result<()> {
    writer.write(canonical(value.clone()).as_bytes())?;
    writer.write(b"\n")
}

/// DescribeExecution without what tells of the present only: whether a redrive is possible changes with time.
pub(super) async fn described(view: &View, arn: &str) -> Outcome<Value> {
    let mut described = view.describe(arn).await?;
    if let Some(members) = described.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "redriveStatus" | "redriveStatusReason"));
    }
    Ok(described)
}

async fn ask(view: &View, redactor: &Redactor, arn: String) -> Outcome<Asked> {
    let mut execution = described(view, &arn).await?;
    let mut events = view.history(&arn).await?;
    redactor.apply(&mut execution);
    events.iter_mut().for_each(|event| redactor.apply(event));
    Ok(Asked { execution, events })
}

fn order(run: &Value) -> (u64, String) {
    let millis = (run["startDate"].as_f64().unwrap_or_default() * 1_000.0) as u64;
    (millis, text(run, "mapRunArn").to_owned())
}

/// The executions that a history's tasks waited for.
fn started(events: &[Value]) -> BTreeSet<String> {
    let submitted = events.iter().filter(|event| text(event, "type") == "TaskSubmitted");
    let outputs = submitted.map(|event| text(&event["taskSubmittedEventDetails"], "output"));
    let parsed = outputs.filter_map(|output| serde_json::from_str::<Value>(output).ok());
    parsed.filter_map(|output| output["ExecutionArn"].as_str().map(str::to_owned)).collect()
}

/// `Parts`, of `...:mapRun:MACHINE/Parts:UUID`.
fn label(map_run: &str) -> &str {
    let machine = map_run.rsplit(':').nth(1).unwrap_or_default();
    machine.rsplit('/').next().unwrap_or_default()
}

/// Whether the children of a Map Run are EXPRESS ones, which nobody keeps a history of.
fn is_express(definition: &Value, map_run: &str) -> bool {
    fn find<'a>(value: &'a Value, label: &str) -> Option<&'a Value> {
        match value {
            Value::Object(members) if members.get("Label").and_then(Value::as_str) == Some(label) => {
                Some(value)
            }
            Value::Object(members) => members.values().find_map(|member| find(member, label)),
            Value::Array(items) => items.iter().find_map(|item| find(item, label)),
            _ => None,
        }
    }
    let kind =
        find(definition, label(map_run)).map(|map| &map["ItemProcessor"]["ProcessorConfig"]["ExecutionType"]);
    kind.and_then(Value::as_str) == Some("EXPRESS")
}

#[cfg(test)]
mod tests {
    use super::{is_express, label, started};
    use serde_json::json;

    #[test]
    fn a_map_run_is_known_by_its_label() {
        let definition: serde_json::Value = serde_json::from_str(&crate::definition::bucket()).unwrap();
        let run = |name: &str| format!("arn:aws:states:r:1:mapRun:m-bucket/{name}:5f");
        assert_eq!(label(&run("Large")), "Large");
        assert!(is_express(&definition, &run("Batches")) && !is_express(&definition, &run("Large")));
    }

    #[test]
    fn an_execution_that_was_waited_for_is_found_once() {
        let output = json!({"ExecutionArn": "arn:x"}).to_string();
        let event = json!({"type": "TaskSubmitted", "taskSubmittedEventDetails": {"output": output}});
        assert_eq!(started(&[event.clone(), json!({"type": "TaskScheduled"}), event]).len(), 1);
    }
}
