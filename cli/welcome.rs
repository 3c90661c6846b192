//! What `transload local` prints first: where everything is, and commands that can be copied and pasted.

use eventbridge_local::{InputTransformer, Rule, Target};
use serde_json::{Value, json};

use crate::command::local::REGION;
use crate::places::{Place, Places};
use crate::view::machine_arn;

/// The rule's name.
const RULE: &str = "copy-new-objects";

/// An object that comes into the source's bucket starts the machine: the other place gets it under the same key. The event's
/// version is left out on purpose: every execution reads the newest version, so events may come twice and in any order.
pub(crate) fn default_rule(places: &Places) -> Rule {
    let template = format!(
        r#"{{"source": {{"location": "{}", "bucket": <bucket>, "key": <key>}}, "destination": {{"location": "{}", "bucket": "{}", "key": <key>}}}}"#,
        places.global.location, places.china.location, places.china.bucket
    );
    let paths = [("bucket", "$.detail.bucket.name"), ("key", "$.detail.object.key")];
    let transformer = InputTransformer {
        input_paths_map: paths.map(|(name, path)| (name.to_owned(), path.to_owned())).into(),
        input_template: template,
    };
    Rule {
        name: RULE.to_owned(),
        description: None,
        event_pattern: json!({
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [places.global.bucket]}},
        }),
        state: None,
        targets: vec![Target {
            id: "machine".to_owned(),
            arn: machine_arn(),
            role_arn: None,
            input: None,
            input_path: None,
            input_transformer: Some(transformer),
        }],
    }
}

/// Everything a reader needs.
pub(crate) struct Welcome<'a> {
    places: &'a Places,
    api: String,
    own_rule: bool,
}

/// A word of a shell's command line.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl<'a> Welcome<'a> {
    /// Of these places and the API at this URL. `own_rule`: whether the rule is [`default_rule`].
    pub(crate) fn new(places: &'a Places, api: &str, own_rule: bool) -> Self {
        Self { places, api: api.to_owned(), own_rule }
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let place = |place: &Place| {
            json!({
                "location": place.location, "endpoint": place.server.endpoint(), "region": place.server.region(),
                "bucket": place.bucket, "credentials": place.credentials,
            })
        };
        json!({
            "source": place(&self.places.global),
            "destination": place(&self.places.china),
            "stepFunctions": {"endpoint": self.api, "region": REGION, "stateMachineArn": machine_arn()},
            "environment": self.environment(),
            "put": self.put(),
            "start": self.start(),
            "failed": self.failed(),
            "redrive": self.redrive(),
            "again": self.again(),
            "look": self.look(),
        })
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let place = |place: &Place| {
            let (name, url) = (place.location, place.server.endpoint());
            format!("  {name:<8}{url}  bucket {}, {}\n", place.bucket, place.server.region())
        };
        let rule = match self.own_rule {
            true => format!("{RULE}: an object put into {} is copied", self.places.global.bucket),
            false => "those of --rules".to_owned(),
        };
        format!(
            "Two S3 places and the Step Functions API on this machine alone, until Ctrl-C. Objects end with it, executions stay.\n\n\
             {}{}  {:<8}{}  {}\n  {:<8}{rule}\n\n\
             In another shell:\n\n  {}\n\n\
             (a) put an object, and the rule starts the machine\n\n  date > hello.txt\n  {}\n\n\
             (b) start the machine for it yourself, under another key\n\n  {}\n\n\
             (c) go on with the execution that failed last, or run its input anew\n\n  {}\n  {}\n  {}\n\n\
             What has arrived:\n\n  {}\n\n",
            place(&self.places.global),
            place(&self.places.china),
            "states",
            self.api,
            machine_arn(),
            "rules",
            self.environment().replace('\n', "\n  "),
            self.put(),
            self.start(),
            self.failed(),
            self.redrive(),
            self.again(),
            self.look(),
        )
    }

    fn environment(&self) -> String {
        let file = quoted(&self.places.global.credentials.display().to_string());
        format!(
            "unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n\
             export AWS_SHARED_CREDENTIALS_FILE={file} AWS_DEFAULT_REGION={REGION}"
        )
    }

    fn put(&self) -> String {
        let place = &self.places.global;
        format!(
            "aws s3 cp hello.txt s3://{}/hello.txt --endpoint-url {}",
            place.bucket,
            place.server.endpoint()
        )
    }

    fn states(&self, command: &str) -> String {
        format!("aws stepfunctions {command} --endpoint-url {}", self.api)
    }

    fn start(&self) -> String {
        let (source, destination) = (&self.places.global, &self.places.china);
        let input = json!({
            "source": {"location": source.location, "bucket": source.bucket, "key": "hello.txt"},
            "destination": {"location": destination.location, "bucket": destination.bucket, "key": "hello-again.txt"},
        });
        let input = quoted(&input.to_string());
        self.states(&format!("start-execution --state-machine-arn {} --input {input}", machine_arn()))
    }

    fn failed(&self) -> String {
        let list = format!(
            "list-executions --state-machine-arn {} --status-filter FAILED --max-results 1 --query 'executions[0].executionArn' --output text",
            machine_arn()
        );
        format!("FAILED=$({})", self.states(&list))
    }

    fn redrive(&self) -> String {
        self.states("redrive-execution --execution-arn \"$FAILED\"")
    }

    fn again(&self) -> String {
        let input = self.states("describe-execution --execution-arn \"$FAILED\" --query input --output text");
        self.states(&format!("start-execution --state-machine-arn {} --input \"$({input})\"", machine_arn()))
    }

    fn look(&self) -> String {
        let place = &self.places.china;
        format!(
            "AWS_SHARED_CREDENTIALS_FILE={} AWS_DEFAULT_REGION={} aws s3 ls s3://{} --endpoint-url {}",
            quoted(&place.credentials.display().to_string()),
            place.server.region(),
            place.bucket,
            place.server.endpoint()
        )
    }
}
