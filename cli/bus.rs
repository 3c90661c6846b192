//! Events on their way to the state machine: what a rule matches is delivered until the engine has it.

use std::fmt;
use std::time::{Duration, SystemTime};

use eventbridge_local::{Delivery, Rules};
use serde_json::{Value, json};
use stepfunctions_local::{Engine, StartExecution, Timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

/// Between two attempts at a delivery, which grows from the one to the other.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];

/// How long a bus that ends waits for its last deliveries.
const GRACE: Duration = Duration::from_secs(5);

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Told {
    /// A rule started an execution for it.
    Started {
        /// What the event is about.
        subject: String,
        /// The rule's name.
        rule: String,
        /// The execution's ARN.
        execution_arn: String,
    },
    /// A rule's target can never take it.
    Dropped {
        /// What the event is about.
        subject: String,
        /// The rule's name.
        rule: String,
        /// Why.
        why: String,
    },
}

impl Told {
    /// As a line of JSON.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Started { subject, rule, execution_arn } => {
                json!({"event": subject, "rule": rule, "started": execution_arn})
            }
            Self::Dropped { subject, rule, why } => json!({"event": subject, "rule": rule, "dropped": why}),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { subject, rule, execution_arn } => {
                let name = execution_arn.rsplit(':').next().unwrap_or(execution_arn);
                write!(f, "{subject}: rule {rule} starts {name}")
            }
            Self::Dropped { subject, rule, why } => write!(f, "{subject}: rule {rule}: not delivered: {why}"),
        }
    }
}

/// A bus at work.
pub(crate) struct Bus {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Bus {
    /// Begins to deliver.
    pub(crate) fn start(
        engine: Engine,
        rules: Rules,
        mut events: UnboundedReceiver<Value>,
        tell: UnboundedSender<Told>,
    ) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut deliveries = JoinSet::new();
            loop {
                let event = tokio::select! {
                    biased;
                    event = events.recv() => event,
                    // What was sent until now is still received.
                    _ = &mut stopped, if !events.is_closed() => {
                        events.close();
                        continue;
                    }
                };
                let Some(event) = event else { break };
                while deliveries.try_join_next().is_some() {}
                for delivery in rules.route(&event, &now()) {
                    let (engine, tell) = (engine.clone(), tell.clone());
                    let (id, subject) = (text(&event["id"]), subject(&event));
                    deliveries.spawn(async move {
                        // Nobody has to listen.
                        let _ = tell.send(deliver(&engine, delivery, &id, subject).await);
                    });
                }
            }
            while deliveries.join_next().await.is_some() {}
        });
        Self { task, stop }
    }

    /// Takes no more events, and waits for a moment until those that it has are delivered.
    pub(crate) async fn end(mut self) {
        // Gone already if nobody can send any more.
        let _ = self.stop.send(());
        if tokio::time::timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

fn now() -> String {
    Timestamp::from(SystemTime::now())
        .to_rfc3339()
        .get(..19)
        .map(|text| format!("{text}Z"))
        .unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn subject(event: &Value) -> String {
    if event["source"] == "aws.states" {
        return format!("execution {} {}", text(&event["detail"]["name"]), text(&event["detail"]["status"]));
    }
    let (bucket, key) = (&event["detail"]["bucket"]["name"], &event["detail"]["object"]["key"]);
    format!("{} s3://{}/{}", text(&event["detail-type"]), text(bucket), text(key))
}

/// Starts the target for one event of one rule. The name is this delivery's own: trying it again can not start it twice,
/// and an event that comes twice does start two, as the service's do.
async fn deliver(engine: &Engine, delivery: Delivery, event: &str, subject: String) -> Told {
    let Delivery { rule, arn, input, .. } = delivery;
    let Some(input) = input else {
        return Told::Dropped { subject, rule, why: "its InputPath leads nowhere in this event".to_owned() };
    };
    let name = format!("{event}_{}", uuid::Uuid::new_v4());
    let mut pause = PAUSES[0];
    loop {
        let request = StartExecution {
            state_machine_arn: arn.clone(),
            name: Some(name.clone()),
            input: Some(input.clone()),
        };
        match engine.start_execution(request).await {
            Ok(started) => {
                return Told::Started { subject, rule, execution_arn: started.execution_arn };
            }
            // An attempt before this one has started it, and it is over by now.
            Err(error) if error.code == "ExecutionAlreadyExists" => {
                return Told::Started { subject, rule, execution_arn: name };
            }
            Err(error) if error.code == "StorageFailure" => {
                tracing::warn!(rule, message = error.message, "not delivered yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES[1]);
            }
            Err(error) => return Told::Dropped { subject, rule, why: error.to_string() },
        }
    }
}
