//! The Lambda functions that recorded cases name, by what they do.
use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use stepfunctions_local::{Invocation, Lambda, LambdaError, LambdaOutput};

/// Functions by name.
pub(crate) struct Functions(BTreeMap<String, String>);

impl Functions {
    /// From a case's `lambdas`.
    pub(crate) fn of(lambdas: &Value) -> Self {
        let named = lambdas.as_object().into_iter().flatten();
        Self(named.map(|(name, does)| (name.clone(), does.as_str().unwrap_or("id").to_owned())).collect())
    }
}

/// A body of a case's object: text, or base64.
pub(crate) fn body(value: &Value) -> Result<Vec<u8>, base64::DecodeError> {
    match value.get("base64").and_then(Value::as_str) {
        Some(text) => base64::engine::general_purpose::STANDARD.decode(text),
        None => Ok(value.as_str().unwrap_or_default().as_bytes().to_vec()),
    }
}

#[async_trait]
impl Lambda for Functions {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let function = &invocation.function;
        let name =
            function.split(":function:").last().unwrap_or(function).split(':').next().unwrap_or(function);
        let Some(does) = self.0.get(name) else { return Err(missing(name)) };
        let (verb, argument) = does.split_once(':').unwrap_or((does, ""));
        let event = || invocation.payload.clone();
        let payload = match verb {
            "id" => Bytes::from(dumped(&event())),
            "const" | "raw" => Bytes::from(argument.to_owned()),
            "raw-repeat" => repeated(argument),
            "decorate" => decorated(argument, &event()),
            "raise" => return Err(raised(argument)),
            _ => std::future::pending().await,
        };
        Ok(LambdaOutput { payload, executed_version: "$LATEST".to_owned() })
    }
}

/// As Python's `json.dumps` writes what `json.loads` has read: with spaces.
fn dumped(event: &Bytes) -> String {
    fn write(value: &Value) -> String {
        match value {
            Value::Array(items) => format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(", ")),
            Value::Object(map) => {
                let fields: Vec<String> =
                    map.iter().map(|(k, v)| format!("{}: {}", json!(k), write(v))).collect();
                format!("{{{}}}", fields.join(", "))
            }
            other => other.to_string(),
        }
    }
    serde_json::from_slice(event).map(|v| write(&v)).unwrap_or_default()
}

fn missing(name: &str) -> LambdaError {
    let arn = format!("arn:aws:lambda:us-east-1:111111111111:function:{name}");
    let message = format!(
        "Function not found: {arn}:$LATEST (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; \
         Request ID: 1f2c3d4e-0000-4000-8000-000000000000; Proxy: null)"
    );
    LambdaError::Service { name: "Lambda.ResourceNotFoundException".to_owned(), message }
}

fn repeated(argument: &str) -> Bytes {
    let (text, times) = argument.split_once('*').unwrap_or((argument, "1"));
    Bytes::from(text.repeat(times.parse().unwrap_or(1)))
}

/// As Python writes values.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let fields: Vec<String> = map.iter().map(|(k, v)| format!("'{k}': {}", python(v))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Number(n) => n.to_string(),
    }
}

fn decorated(prefix: &str, event: &Bytes) -> Bytes {
    let shown = match serde_json::from_slice(event) {
        Ok(Value::String(text)) => text,
        Ok(value) => python(&value),
        Err(_) => String::new(),
    };
    Bytes::from(json!(format!("{prefix}{shown}")).to_string())
}

fn raised(kind: &str) -> LambdaError {
    let custom = kind == "CustomException";
    let message = if custom { "" } else { "Some exception was raised." };
    let trace = match custom {
        true => "  File \"/var/task/handler.py\", line 9, in handler\n    raise CustomException()\n",
        false => {
            "  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n"
        }
    };
    let request = uuid::Uuid::new_v4().to_string();
    let payload =
        json!({"errorMessage": message, "errorType": kind, "requestId": request, "stackTrace": [trace]});
    LambdaError::Function { error_type: kind.to_owned(), payload: Bytes::from(payload.to_string()) }
}
