//! Lambda: the function's own ARN, and the `lambda:invoke` integration with its envelope.
use super::scope::Scope;
use super::{Failure, Trouble};
use crate::asl::State;
use crate::lambda::{Invocation, LambdaError, LambdaOutput};
use bytes::Bytes;
use serde_json::{Map, Value, json};

impl Scope {
    /// Calls the function that the Resource names; its payload is the result.
    pub(super) async fn invoke_directly(
        &self,
        state: &State,
        arn: &str,
        input: &Value,
    ) -> Result<Value, Trouble> {
        let output = self.invocation(state, arn.to_owned(), Bytes::from(input.to_string())).await?;
        parsed(&output).map_err(Trouble::from)
    }

    /// Calls the function that the arguments name; the result is the service's whole answer.
    pub(super) async fn invoke(&self, state: &State, arguments: &Value) -> Result<Value, Trouble> {
        let Some(function) = arguments.get("FunctionName").and_then(Value::as_str) else {
            let view = self.view(state, arguments);
            return Err(view.runtime("The field 'FunctionName' is required but was missing").into());
        };
        let function = match arguments.get("Qualifier").and_then(Value::as_str) {
            Some(qualifier) => format!("{function}:{qualifier}"),
            None => function.to_owned(),
        };
        // As recorded: without a payload, the function sees an empty object.
        let payload = match arguments.get("Payload") {
            None | Some(Value::Null) => "{}".to_owned(),
            // As recorded: a text that is JSON itself is the document, not a quoted one.
            Some(Value::String(text)) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
                text.clone()
            }
            Some(payload) => payload.to_string(),
        };
        let output = self.invocation(state, function, Bytes::from(payload)).await?;
        let payload = parsed(&output)?;
        let mut answer = self.envelope(&[
            ("X-Amz-Executed-Version", &output.executed_version),
            ("x-amzn-Remapped-Content-Length", "0"),
            ("Connection", "keep-alive"),
            ("Content-Length", &output.payload.len().to_string()),
            ("X-Amzn-Trace-Id", &self.trace()),
            ("Content-Type", "application/json"),
        ]);
        answer.insert("ExecutedVersion".to_owned(), json!(output.executed_version));
        answer.insert("Payload".to_owned(), payload);
        answer.insert("StatusCode".to_owned(), json!(200));
        Ok(Value::Object(answer))
    }

    async fn invocation(
        &self,
        state: &State,
        function: String,
        payload: Bytes,
    ) -> Result<LambdaOutput, Failure> {
        let invocation =
            Invocation { function, payload, execution_arn: self.run.arn.clone(), state: state.name.clone() };
        self.run.engine.lambda.invoke(invocation).await.map_err(|error| match error {
            LambdaError::Function { error_type, payload } => {
                Failure::new(error_type, String::from_utf8_lossy(&payload).into_owned())
            }
            LambdaError::Service { name, message } => Failure::new(name, message),
        })
    }

    /// The members that every answer of an SDK call has in a result.
    pub(super) fn envelope(&self, headers: &[(&str, &str)]) -> Map<String, Value> {
        let request = self.uuid();
        let date = http_date(self.run.engine.clock.now());
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        all.extend([("x-amzn-RequestId", request.as_str()), ("Date", date.as_str())]);
        let many: Map<String, Value> = all.iter().map(|(k, v)| ((*k).to_owned(), json!([v]))).collect();
        let single: Map<String, Value> = all.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        let mut answer = Map::new();
        let http = json!({"AllHttpHeaders": many, "HttpHeaders": single, "HttpStatusCode": 200});
        answer.insert("SdkHttpMetadata".to_owned(), http);
        answer.insert("SdkResponseMetadata".to_owned(), json!({"RequestId": request}));
        answer
    }

    fn uuid(&self) -> String {
        self.run.engine.uuid()
    }

    fn trace(&self) -> String {
        let id = self.uuid().replace('-', "");
        let seconds = self.run.engine.clock.now().millis() / 1000;
        format!(
            "Root=1-{seconds:08x}-{};Parent={};Sampled=0;Lineage=1:{}:0",
            &id[..24],
            &id[8..24],
            &id[24..]
        )
    }
}

fn parsed(output: &LambdaOutput) -> Result<Value, Failure> {
    // Over the limit, the size is what the execution has to hear of, whatever the bytes are.
    if output.payload.len() > super::MAX_DATA {
        return Ok(Value::String(String::from_utf8_lossy(&output.payload).into_owned()));
    }
    if output.payload.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&output.payload).map_err(|e| {
        Failure::new("Lambda.Unknown", format!("The function returned a payload that is not JSON: {e}"))
    })
}

/// `Sat, 31 Jan 2026 12:00:00 GMT`.
fn http_date(now: crate::clock::Timestamp) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let time = time::OffsetDateTime::from_unix_timestamp(now.millis() / 1000);
    time.ok().and_then(|t| t.format(&format).ok()).unwrap_or_default()
}
