//! The machine that is deployed, by the Step Functions API of its Region. Answers are the API's JSON, as everywhere here.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::ProvideErrorMetadata;
use serde_json::Value;
use transload_browse::answer::Body;
use transload_store::account::Account;
use transload_store::work::S3Files;

use crate::api::{Refusal, Request};
use crate::exit::{CliError, Exit, Outcome};
use crate::stack::{self, BUCKET_MACHINE_OUTPUT, MACHINE_OUTPUT, PACK_MACHINE_OUTPUT, UNPACK_MACHINE_OUTPUT};
use crate::{archive, sync};

/// Put on the object machine by the stack, with the stack's name.
const STACK_TAG: &str = "transload:stack";

/// How the names of a stack's machines end: of the one that moves one object, of the one that moves many, and of those that pack and unpack.
const ENDS: [&str; 4] = ["-object", "-bucket", "-pack", "-unpack"];

/// The state machines of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Deployed {
    client: Client,
    machine: String,
    /// The machine that moves many objects, if there is one.
    bucket: Option<String>,
    /// The machine that packs trees, if there is one.
    pack: Option<String>,
    /// The machine that unpacks archives, if there is one.
    unpack: Option<String>,
}

/// Sends a request, and gives the answer as it came.
macro_rules! answer {
    ($request:expr) => {{
        let body = Body::default();
        let sent = $request.customize().interceptor(body.clone()).send().await;
        sent.map_err(|error| refusal(&error))?;
        body.json().map_err(|e| CliError::trouble("the answer of Step Functions", e))
    }};
}

impl Deployed {
    /// By the stack's name, or the ARN of one of its machines.
    ///
    /// # Errors
    /// As those of the two.
    pub(crate) async fn open(stack: &str) -> Outcome<Self> {
        if stack.contains(':') { Self::of_arn(stack).await } else { Self::of_stack(stack).await }
    }

    /// By the stack's outputs, in the Region that the AWS tools would use. Who may not read stacks finds the machine by its tag.
    ///
    /// # Errors
    /// [`Exit::NotFound`] if there is none, the API's if it can not be asked.
    async fn of_stack(stack: &str) -> Outcome<Self> {
        let account = Account::of_process(None).await;
        let Some(account) = account.map_err(|refused| CliError::usage(refused.to_string()))? else {
            return Err(CliError::usage("--stack: expected a Region, found none")
                .hint("set AWS_REGION, or give the machine's ARN"));
        };
        let region = account.region();
        let why = match stack::describe(&account, stack).await {
            Ok(found) => match found.outputs.get(MACHINE_OUTPUT) {
                Some(arn) => {
                    let told = |output: &str| found.outputs.get(output).cloned();
                    let (bucket, pack) = (told(BUCKET_MACHINE_OUTPUT), told(PACK_MACHINE_OUTPUT));
                    let unpack = told(UNPACK_MACHINE_OUTPUT);
                    let one = Self::of_arn(arn).await?;
                    return Ok(Self { bucket: bucket.or(one.bucket), pack, unpack, ..one });
                }
                None => format!("stack {stack} has no output {MACHINE_OUTPUT}"),
            },
            Err(refused) if stack::is_missing(&refused) => format!("there is no stack {stack} in {region}"),
            Err(refused) => refused.to_string(),
        };
        Self::of_tag(stack, region, &why).await
    }

    /// By the tag that the stack puts on its machine; `why` its outputs do not tell it.
    async fn of_tag(stack: &str, region: &str, why: &str) -> Outcome<Self> {
        let client = client(region).await;
        let mut machines = client.list_state_machines().into_paginator().items().send();
        while let Some(machine) = machines.next().await {
            let arn = machine.map_err(|error| refusal(&error))?.state_machine_arn;
            let tags = client.list_tags_for_resource().resource_arn(&arn).send().await;
            let tags = tags.map_err(|error| refusal(&error))?.tags.unwrap_or_default();
            if tags.iter().any(|tag| tag.key() == Some(STACK_TAG) && tag.value() == Some(stack)) {
                return Ok(Self::with(client, &arn));
            }
        }
        let message = format!(
            "--stack: expected a state machine with the tag {STACK_TAG} = {stack}, found none in {region}"
        );
        Err(CliError::new(Exit::NotFound, message).hint(format!("its outputs do not tell either: {why}")))
    }

    /// By the machine's ARN, with the credentials that the AWS tools would use.
    ///
    /// # Errors
    /// [`Exit::Usage`] if this is no ARN of a state machine.
    pub(crate) async fn of_arn(arn: &str) -> Outcome<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "states", region, _, "stateMachine", _] = parts.as_slice() else {
            return Err(CliError::usage(format!(
                "--stack: expected a stack's name or a state machine's ARN, found {arn}"
            )));
        };
        let client = client(region).await;
        Ok(Self::with(client, arn))
    }

    /// Each of a stack's machines names the others.
    fn with(client: Client, arn: &str) -> Self {
        match ENDS.iter().find_map(|end| arn.strip_suffix(end)) {
            Some(stem) => {
                let [machine, bucket, pack, unpack] = ENDS.map(|end| format!("{stem}{end}"));
                Self { client, machine, bucket: Some(bucket), pack: Some(pack), unpack: Some(unpack) }
            }
            None => Self { client, machine: arn.to_owned(), bucket: None, pack: None, unpack: None },
        }
    }

    /// The machine's ARN.
    pub(crate) fn machine_arn(&self) -> &str {
        &self.machine
    }

    /// The ARN of the machine that moves many objects.
    ///
    /// # Errors
    /// [`Exit::NotFound`] if the stack has none.
    pub(crate) fn bucket_machine_arn(&self) -> Outcome<&str> {
        self.bucket.as_deref().ok_or_else(|| {
            let message =
                format!("--stack: expected a machine that moves many objects beside {}", self.machine);
            CliError::new(Exit::NotFound, message)
                .hint(format!("deploy this release: its stacks have the output {BUCKET_MACHINE_OUTPUT}"))
        })
    }

    /// A machine for archives, which not every stack has.
    fn for_archives<'a>(&self, machine: &'a Option<String>, output: &str) -> Outcome<&'a str> {
        machine.as_deref().ok_or_else(|| {
            let message = format!("--stack: expected a machine for archives beside {}", self.machine);
            CliError::new(Exit::NotFound, message)
                .hint(format!("stacks with `archives` in their config have one, and the output {output}"))
        })
    }

    /// The ARNs of all its machines.
    pub(crate) fn machine_arns(&self) -> Vec<String> {
        [&self.machine]
            .into_iter()
            .chain(&self.bucket)
            .chain(&self.pack)
            .chain(&self.unpack)
            .cloned()
            .collect()
    }

    /// The ARNs that an execution may have by its name, the likelier one first; or the ARN itself.
    pub(crate) fn execution_arns(&self, name_or_arn: &str) -> Vec<String> {
        if name_or_arn.starts_with("arn:") {
            return vec![name_or_arn.to_owned()];
        }
        let mut machines = self.machine_arns();
        let likely = if sync::is_name(name_or_arn) {
            &self.bucket
        } else if name_or_arn.starts_with(archive::PACK) {
            &self.pack
        } else if name_or_arn.starts_with(archive::UNPACK) {
            &self.unpack
        } else {
            &None
        };
        machines.sort_by_key(|arn| Some(arn) != likely.as_ref());
        let execution = |arn: String| arn.replacen(":stateMachine:", ":execution:", 1);
        machines.into_iter().map(|arn| format!("{}:{name_or_arn}", execution(arn))).collect()
    }

    /// Answers one request.
    ///
    /// # Errors
    /// The API's, or [`Exit::Trouble`] if it was not reached.
    pub(crate) async fn call(&self, request: Request) -> Outcome<Value> {
        let client = &self.client;
        match request {
            Request::DescribeExecution(arn) => answer!(client.describe_execution().execution_arn(arn)),
            Request::ListExecutions(list) => answer!(
                client
                    .list_executions()
                    .set_state_machine_arn(list.state_machine_arn)
                    .set_map_run_arn(list.map_run_arn)
                    .set_status_filter(list.status_filter.map(|status| status.as_str().into()))
                    .set_max_results(list.max_results.map(page_size))
                    .set_next_token(list.next_token)
            ),
            Request::GetExecutionHistory(arn, options) => answer!(
                client
                    .get_execution_history()
                    .execution_arn(arn)
                    .set_max_results(options.max_results.map(page_size))
                    .set_next_token(options.next_token)
                    .reverse_order(options.reverse_order)
                    .include_execution_data(options.include_execution_data)
            ),
            Request::ListMapRuns(arn) => answer!(client.list_map_runs().execution_arn(arn)),
            Request::DescribeMapRun(arn) => answer!(client.describe_map_run().map_run_arn(arn)),
            Request::UpdateMapRun(arn, change) => answer!(
                client
                    .update_map_run()
                    .map_run_arn(arn)
                    .set_max_concurrency(change.max_concurrency.map(whole))
                    .set_tolerated_failure_count(change.tolerated_failure_count.map(whole).map(Into::into))
                    .set_tolerated_failure_percentage(change.tolerated_failure_percentage.map(|p| p as f32))
            ),
            Request::DescribeStateMachineForExecution(arn) => {
                answer!(client.describe_state_machine_for_execution().execution_arn(arn))
            }
            Request::StopExecution(arn, error, cause) => {
                answer!(client.stop_execution().execution_arn(arn).error(error).cause(cause))
            }
        }
    }

    /// DescribeStateMachine.
    ///
    /// # Errors
    /// As [`Deployed::call`].
    pub(crate) async fn describe_machine(&self) -> Outcome<Value> {
        answer!(self.client.describe_state_machine().state_machine_arn(&self.machine))
    }

    /// The same of the machine that moves many objects, if there is one.
    ///
    /// # Errors
    /// As [`Deployed::call`].
    pub(crate) async fn describe_bucket_machine(&self) -> Outcome<Option<Value>> {
        let Some(arn) = &self.bucket else { return Ok(None) };
        answer!(self.client.describe_state_machine().state_machine_arn(arn)).map(Some)
    }

    /// The bucket of the workflow's own, as the machine's definition names it, with the credentials that the AWS tools would
    /// use.
    ///
    /// # Errors
    /// As [`Deployed::call`]; [`Exit::Trouble`] if the definition names none.
    pub(crate) async fn files(&self) -> Outcome<S3Files> {
        let machine = self.describe_machine().await?;
        let definition = serde_json::from_str(machine["definition"].as_str().unwrap_or_default());
        let definition: Value = definition.map_err(|e| CliError::trouble("the machine's definition", e))?;
        let bucket = results_bucket(&definition)
            .ok_or_else(|| CliError::trouble(&self.machine, "its definition writes no results anywhere"))?;
        Ok(S3Files::of_process(bucket, self.machine.split(':').nth(3))?)
    }

    /// StartExecution: the new execution's ARN.
    ///
    /// # Errors
    /// As [`Deployed::call`].
    pub(crate) async fn start(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(&self.machine, name, input).await
    }

    /// The same of the machine that moves many objects.
    ///
    /// # Errors
    /// As [`Deployed::call`], and if there is none.
    pub(crate) async fn start_sync(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(self.bucket_machine_arn()?, name, input).await
    }

    /// The same of the machine that packs trees.
    ///
    /// # Errors
    /// As [`Deployed::call`], and if there is none.
    pub(crate) async fn start_pack(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(self.for_archives(&self.pack, PACK_MACHINE_OUTPUT)?, name, input).await
    }

    /// The same of the machine that unpacks archives.
    ///
    /// # Errors
    /// As [`Deployed::call`], and if there is none.
    pub(crate) async fn start_unpack(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(self.for_archives(&self.unpack, UNPACK_MACHINE_OUTPUT)?, name, input).await
    }

    async fn start_of(&self, machine: &str, name: &str, input: String) -> Outcome<String> {
        let request = self.client.start_execution().state_machine_arn(machine).name(name).input(input);
        Ok(request.send().await.map_err(|error| refusal(&error))?.execution_arn)
    }

    /// RedriveExecution, by ARN.
    ///
    /// # Errors
    /// As [`Deployed::call`].
    pub(crate) async fn redrive(&self, arn: &str) -> Outcome {
        let request = self.client.redrive_execution().execution_arn(arn);
        request.send().await.map(drop).map_err(|error| refusal(&error))
    }
}

/// Where a definition's Map writes its results.
pub(crate) fn results_bucket(definition: &Value) -> Option<&str> {
    let within = match definition {
        Value::Object(fields) => fields.values().find_map(results_bucket),
        Value::Array(items) => items.iter().find_map(results_bucket),
        _ => None,
    };
    within.or_else(|| definition["ResultWriter"]["Arguments"]["Bucket"].as_str())
}

/// With the credentials that the AWS tools would use.
async fn client(region: &str) -> Client {
    let region = aws_config::Region::new(region.to_owned());
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).region(region).load().await;
    Client::new(&config)
}

/// The API's numbers are signed; what is too large for them is refused by the API.
fn whole(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The API's own most.
fn page_size(asked: u32) -> i32 {
    i32::try_from(asked.min(1_000)).unwrap_or(1_000)
}

/// The service's own refusal, or why it was not reached.
fn refusal<E: std::error::Error + ProvideErrorMetadata + 'static>(error: &E) -> CliError {
    match (error.code(), error.message()) {
        (Some(code), message) => {
            let message = message.unwrap_or("no message").to_owned();
            Refusal { code: code.to_owned(), message }.into()
        }
        (None, _) => {
            let causes = std::iter::successors(error.source(), |cause| cause.source());
            let why: Vec<String> = causes.map(ToString::to_string).collect();
            CliError::new(Exit::Trouble, format!("Step Functions was not reached: {}", why.join(": ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::results_bucket;
    use crate::definition::{RESULTS_BUCKET, object};

    #[test]
    fn the_definition_names_the_bucket_of_its_results() {
        let definition: Value = serde_json::from_str(&object()).unwrap();
        assert_eq!(results_bucket(&definition), Some(RESULTS_BUCKET));
        assert_eq!(results_bucket(&json!({"States": {"A": {"Type": "Pass"}}})), None);
    }
}
