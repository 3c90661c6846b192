//! `transload doctor` against two S3 servers and services of AWS: well, and with each mistake that it is there for.

use serde_json::{Value, json};
use strict_s3::{Action, Answer, FaultPlan, Rule};
use tokio::process::Command;

use crate::aws::{self, Aws};
use crate::support::{Bench, DESTINATION, Ran, SECRETS, SOURCE};

const PLACES: [&str; 2] = ["global:s3://photos/2026/", "china:s3://photos-cn/2026/"];
const HERE: &str = "arn:aws:iam::123456789012:user/mover";
const THERE: &str = "arn:aws-cn:iam::123456789012:user/mover";

struct Clinic {
    bench: Bench,
    aws: Aws,
}

impl Clinic {
    /// Two places of AWS, as far as the program can know, and services.
    async fn new(answers: &[(&str, u16, String)]) -> Self {
        let bench = Bench::new().await;
        bench.put("2026/a.jpg", b"a");
        let clinic = Self { bench, aws: Aws::start(answers).await };
        clinic.locations(|text| text);
        clinic
    }

    /// One where all is well: each side knows its own keys.
    async fn healthy() -> Self {
        // Both are asked at one address; the scope of the signature tells where.
        let (china, global) = ("/cn-north-1/sts/", "/us-east-1/sts/");
        let clinic =
            Self::new(&[(china, 200, aws::identity(THERE)), (global, 200, aws::identity(HERE))]).await;
        clinic.lifecycle(14).await;
        clinic
    }

    fn locations(&self, change: impl Fn(String) -> String) {
        let (bench, shared) = (&self.bench, "allow_http = true\npath_style = true\n");
        let text = format!(
            "[locations.global]\nkind = \"s3\"\npartition = \"aws\"\nregion = \"us-east-1\"\nendpoint = {:?}\n{shared}\n\
             [locations.china]\nkind = \"s3\"\npartition = \"aws-cn\"\nregion = \"cn-north-1\"\nendpoint = {:?}\n\
             credentials = {{ file = {:?} }}\n{shared}",
            bench.global.endpoint(),
            bench.china.endpoint(),
            bench.path("china-keys"),
        );
        std::fs::write(bench.path("locations.toml"), change(text)).unwrap();
        // The fake services take one key; the server in China knows it, too.
        let keys =
            format!("[default]\naws_access_key_id = AKIACHINA\naws_secret_access_key = {}\n", SECRETS[1]);
        std::fs::write(bench.path("china-keys"), keys).unwrap();
    }

    /// A deployment's config of the same places.
    fn config(&self, change: impl Fn(&mut Value)) -> String {
        let place = |endpoint: String, partition: &str, region: &str| json!({"partition": partition, "region": region, "endpoint": endpoint, "allowHttp": true, "pathStyle": true});
        let mut config = json!({
            "region": "us-east-1",
            "account": "123456789012",
            "locations": {
                "global": place(self.bench.global.endpoint(), "aws", "us-east-1"),
                "china": place(self.bench.china.endpoint(), "aws-cn", "cn-north-1"),
            },
            "routes": [{
                "name": "photos",
                "source": {"location": "global", "bucket": SOURCE, "prefix": "2026/"},
                "destination": {"location": "china", "bucket": DESTINATION},
            }],
        });
        config["locations"]["global"]["buckets"] = json!([{"name": SOURCE}]);
        config["locations"]["china"]["credentials"] = json!({"secret": "transload/china"});
        change(&mut config);
        let path = self.bench.path("transload.config.json");
        std::fs::write(&path, config.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn lifecycle(&self, days: u32) {
        let rules = json!({"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""},
                           "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}}]});
        let args = ["put-bucket-lifecycle-configuration", "--lifecycle-configuration", &rules.to_string()];
        self.s3api(&self.bench.china.endpoint(), "cn-north-1", ("AKIACHINA", SECRETS[1]), DESTINATION, &args)
            .await;
    }

    async fn s3api(&self, endpoint: &str, region: &str, keys: (&str, &str), bucket: &str, args: &[&str]) {
        let output = Command::new("aws")
            .args(["s3api", args[0], "--bucket", bucket, "--endpoint-url", endpoint, "--region", region])
            .args(&args[1..])
            .env("AWS_ACCESS_KEY_ID", keys.0)
            .env("AWS_SECRET_ACCESS_KEY", keys.1)
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.bench.command(&["doctor"]);
        let output = self.aws.lead(command.args(args), SECRETS[0]).output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Ran { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) };
        for secret in SECRETS {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:#?}");
        }
        ran
    }
}

/// The finding of this check, as `verdict: text`.
fn found(ran: &Ran, subject: &str, check: &str) -> String {
    let findings = ran.json();
    let finding =
        findings["findings"].as_array().unwrap().iter().find(|finding| {
            finding["subject"].as_str().unwrap().contains(subject) && finding["check"] == check
        });
    let finding = finding.unwrap_or_else(|| panic!("{subject} {check}: {}", ran.stdout));
    let text = |field: &str| finding[field].as_str().unwrap_or_default();
    format!("{}: expected {}, found {}; {}", text("verdict"), text("expected"), text("found"), text("advice"))
}

#[track_caller]
fn wrong(ran: &Ran, subject: &str, check: &str, words: &str) {
    let finding = found(ran, subject, check);
    assert!(
        ran.code() == 1 && finding.starts_with("wrong: ") && finding.contains(words),
        "{finding}\n{ran:#?}"
    );
}

#[tokio::test]
async fn where_all_is_well_nothing_stays_of_it() {
    let clinic = Clinic::healthy().await;
    let ran = clinic.run(&PLACES).await.ok();
    let shown = ran.stdout.replace(clinic.bench.path("").to_str().unwrap(), "FOLDER/");
    assert_eq!(shown, include_str!("golden/doctor.txt"));
    let (bench, uploads) = (&clinic.bench, clinic.bench.china.direct().uploads(DESTINATION));
    assert_eq!(uploads, []);
    assert!(bench.china.direct().keys(DESTINATION).is_empty());
    let begun = bench.china.counts();
    assert_eq!(
        (begun.get("CreateMultipartUpload"), begun.get("AbortMultipartUpload")),
        (Some(&1), Some(&1)),
        "{begun:?}"
    );

    bench.china.clear_requests();
    bench.global.clear_requests();
    let ran = clinic.run(&["--read-only", "--output", "json", PLACES[0], PLACES[1]]).await.ok();
    assert!(found(&ran, "photos-cn", "write").starts_with("skipped"), "{}", ran.stdout);
    let counts = [bench.china.counts(), bench.global.counts()];
    let writes = counts.iter().flatten().filter(|(operation, _)| !operation.starts_with("Get"));
    let mut others: Vec<&str> = writes.map(|(operation, _)| operation.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    assert_eq!(others, ["HeadBucket", "ListObjectsV2"], "nothing but reads");
}

#[tokio::test]
async fn a_bucket_in_another_region_or_nowhere_is_told() {
    let clinic = Clinic::healthy().await;
    clinic.locations(|text| text.replace("region = \"cn-north-1\"", "region = \"cn-northwest-1\""));
    let ran = clinic.run(&["--output", "json", PLACES[0], PLACES[1]]).await;
    wrong(&ran, "photos-cn", "Region", "write region = \"cn-north-1\" into location china");
    // The same server as if it were of the other partition.
    clinic.locations(|text| {
        text.replace("aws-cn", "aws").replace("region = \"cn-north-1\"", "region = \"eu-west-1\"")
    });
    let ran = clinic.run(&["--output", "json", PLACES[0], PLACES[1]]).await;
    wrong(&ran, "photos-cn", "Region", "write partition = \"aws-cn\" and region = \"cn-north-1\"");
    clinic.locations(|text| text);
    let ran = clinic.run(&["--output", "json", PLACES[0], "china:s3://nobodys"]).await;
    wrong(&ran, "nobodys", "bucket", "bucket nobodys in cn-north-1 of aws-cn");
    let ran = clinic.run(&["--output", "json", PLACES[0], "mars:s3://photos"]).await;
    wrong(&ran, "mars", "location", "one of china, global");
}

#[tokio::test]
async fn keys_of_another_partition_are_told() {
    let unknown =
        aws::refusal("InvalidClientTokenId", "The security token included in the request is invalid.");
    let clinic =
        Clinic::new(&[("/cn-north-1/sts/", 403, unknown), ("/us-east-1/sts/", 200, aws::identity(THERE))])
            .await;
    let ran = clinic.run(&["--output", "json"]).await;
    wrong(&ran, "global", "identity", "somebody of partition aws");
    wrong(&ran, "china", "identity", "keys of partition aws-cn");
    clinic.locations(|text| text.replace("credentials = { file", "credentials = { profile = \"nobody\" } #"));
    wrong(&clinic.run(&["--output", "json"]).await, "china", "credentials", "profile nobody");
}

#[tokio::test]
async fn rights_that_are_missing_are_named_on_both_sides() {
    let clinic = Clinic::healthy().await;
    let no = || Action::Answer(Answer::access_denied());
    for (operation, subject, check, right) in [
        ("GetObject", "global: photos", "read", "s3:GetObject"),
        ("GetObjectTagging", "global: photos", "read tags", "s3:GetObjectTagging"),
        ("ListObjectsV2", "china: photos-cn", "list", "s3:ListBucket"),
        ("CreateMultipartUpload", "china: photos-cn", "write", "s3:PutObject"),
        ("UploadPart", "china: photos-cn", "send parts", "s3:PutObject"),
        ("ListParts", "china: photos-cn", "list parts", "s3:ListMultipartUploadParts"),
        ("ListMultipartUploads", "china: photos-cn", "find upload", "s3:ListBucketMultipartUploads"),
    ] {
        clinic.bench.global.set_faults(Rule::on(operation, no()));
        clinic.bench.china.set_faults(Rule::on(operation, no()));
        let ran = clinic.run(&["--output", "json", PLACES[0], PLACES[1]]).await;
        wrong(&ran, subject, check, right);
        assert_eq!(clinic.bench.china.direct().uploads(DESTINATION), [], "{operation}");
    }
    clinic.bench.global.set_faults(FaultPlan::default());
    clinic.bench.china.set_faults(Rule::on("AbortMultipartUpload", no()));
    let ran = clinic.run(&["--output", "json", PLACES[0], PLACES[1]]).await;
    let [left] = &clinic.bench.china.direct().uploads(DESTINATION)[..] else { panic!("one is left") };
    wrong(&ran, "photos-cn", "abort", &left.upload_id);
}

#[tokio::test]
async fn a_clock_that_is_off_and_uploads_that_end_too_soon_are_told() {
    let clinic = Clinic::healthy().await;
    clinic.bench.china.set_clock_skew(400);
    clinic.lifecycle(3).await;
    let ran = clinic.run(&["--output", "json", PLACES[0], PLACES[1]]).await.ok();
    assert!(
        found(&ran, "china", "clock").starts_with("warning: expected within 5 minutes"),
        "{}",
        ran.stdout
    );
    assert!(found(&ran, "photos-cn", "old uploads").contains("expected 14 days or more"), "{}", ran.stdout);
    clinic.bench.china.set_clock_skew(-4_000);
    let ran = clinic.run(&["--output", "json", PLACES[0], PLACES[1]]).await;
    wrong(&ran, "china", "clock", "set this computer's clock");
}

fn secret() -> String {
    let keys = json!({"aws_access_key_id": "AKIACHINA", "aws_secret_access_key": SECRETS[1]});
    json!({"Name": "transload/china", "SecretString": keys.to_string()}).to_string()
}

fn services() -> Vec<(&'static str, u16, String)> {
    let settings =
        json!({"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 10}});
    let quotas =
        json!({"Quotas": [{"ServiceCode": "states", "QuotaName": "Open Map Runs", "Value": 1000.0}]});
    vec![
        ("secretsmanager.GetSecretValue", 200, secret()),
        ("GET /2016-08-19/account-settings/", 200, settings.to_string()),
        ("ServiceQuotasV20190624.ListServiceQuotas", 200, quotas.to_string()),
        ("/us-east-1/sts/", 200, aws::identity(HERE)),
        ("/cn-north-1/sts/", 200, aws::identity(THERE)),
    ]
}

#[tokio::test]
async fn a_config_is_looked_at_before_it_is_deployed() {
    let clinic = Clinic::new(&services()).await;
    let config = clinic.config(|_| {});
    let args = ["--config", &config, "--output", "json"];
    let ran = clinic.run(&args).await;
    wrong(&ran, "photos", "events", "put-bucket-notification-configuration --bucket photos");
    assert!(
        found(&ran, "account, us-east-1", "concurrency").starts_with("warning: expected 64"),
        "{}",
        ran.stdout
    );
    assert!(found(&ran, "account", "map runs").starts_with("ok: "), "{}", ran.stdout);
    assert!(
        found(&ran, "china", "identity").starts_with("ok: ")
            && found(&ran, "china", "write").starts_with("ok: ")
    );
    assert!(clinic.aws.seen().iter().any(|request| request.contains("/us-east-1/secretsmanager/")));

    // What was advised helps.
    let events = [
        "put-bucket-notification-configuration",
        "--notification-configuration",
        r#"{"EventBridgeConfiguration": {}}"#,
    ];
    clinic
        .s3api(&clinic.bench.global.endpoint(), "us-east-1", ("AKIAGLOBAL", SECRETS[0]), SOURCE, &events)
        .await;
    let ran = clinic.run(&args).await.ok();
    assert!(found(&ran, "photos", "events").starts_with("ok: "), "{}", ran.stdout);
    let other = clinic.config(|config| config["account"] = json!("999999999999"));
    wrong(
        &clinic.run(&["--config", &other, "--output", "json"]).await,
        "account",
        "identity",
        "somebody of account 999999999999",
    );
}

#[tokio::test]
async fn routes_that_overlap_are_told() {
    let clinic = Clinic::new(&services()).await;
    let config = clinic.config(|config| {
        let mut wide = config["routes"][0].clone();
        wide["name"] = json!("everything");
        wide["source"] = json!({"location": "global", "bucket": SOURCE});
        let back = json!({"name": "back", "source": {"location": "china", "bucket": DESTINATION},
                          "destination": {"location": "global", "bucket": SOURCE}});
        let routes = config["routes"].as_array_mut().unwrap();
        routes.extend([wide, back]);
    });
    let ran = clinic.run(&["--config", &config, "--output", "json"]).await;
    wrong(&ran, "photos, everything", "overlap", "one route for an object");
    wrong(&ran, "photos -> back -> photos", "circle", "no way back");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_told_from_one_that_is_hidden() {
    let missing = json!({"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret."});
    let identity = || ("/us-east-1/sts/", 200, aws::identity(HERE));
    let clinic = Clinic::new(&[("GetSecretValue", 400, missing.to_string()), identity()]).await;
    let config = clinic.config(|_| {});
    let args = ["--config", &config, "--output", "json"];
    let ran = clinic.run(&args).await;
    wrong(&ran, "china", "credentials", "expected secret transload/china, found none of this name");
    assert!(found(&ran, "photos-cn", "rights").starts_with("skipped: "), "{}", ran.stdout);
    assert!(found(&ran, "account", "map runs").contains("unknown: needs servicequotas:ListServiceQuotas"));

    let hidden =
        Clinic::new(&[("DescribeSecret", 200, json!({"Name": "transload/china"}).to_string()), identity()])
            .await;
    let config = hidden.config(|_| {});
    let ran = hidden.run(&["--config", &config, "--output", "json"]).await;
    assert!(
        found(&ran, "china", "credentials").contains("is there, and not yours to read"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_config_that_is_no_config_is_refused_before_anything_is_asked() {
    let clinic = Clinic::new(&services()).await;
    let config = clinic.config(|config| config["locations"]["china"]["regoin"] = json!("cn-north-1"));
    let ran = clinic.run(&["--config", &config]).await;
    assert!(ran.code() == 2 && ran.stderr.contains("locations.china.regoin"), "{ran:#?}");
    assert_eq!(clinic.aws.seen().len(), 0);
    let ran = clinic.run(&["--config", "nowhere.json"]).await;
    assert!(ran.code() == 2 && ran.stderr.contains("nowhere.json: No such file"), "{ran:#?}");
}

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:moves-object";
const BUCKET_MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:moves-bucket";

/// What a stack has: two machines, functions of which one knows the locations, a rule for events and one for times.
fn deployment(bench: &Bench) -> Vec<(&'static str, u16, String)> {
    let definition = json!({"StartAt": "Head", "States": {"Head": {"Type": "Task", "End": true,
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:moves-Head"}}});
    let described = |arn: &str, definition: &Value| {
        json!({"stateMachineArn": arn, "name": arn.rsplit(':').next(), "status": "ACTIVE", "type": "STANDARD",
        "definition": definition.to_string(), "roleArn": "arn:aws:iam::123456789012:role/r", "creationDate": 1.0})
    };
    let machine = described(MACHINE, &definition);
    let definition = json!({"StartAt": "List", "States": {
        "List": {"Type": "Task", "Next": "Transfer", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:moves-List"},
        "Transfer": {"Type": "Task", "End": true, "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": MACHINE}}}});
    let bucket_machine = described(BUCKET_MACHINE, &definition);
    let place = |endpoint: String, partition: &str, region: &str| json!({"kind": "s3", "partition": partition, "region": region, "endpoint": endpoint, "allow_http": true, "path_style": true});
    let mut locations = json!({"locations": {
        "global": place(bench.global.endpoint(), "aws", "us-east-1"),
        "china": place(bench.china.endpoint(), "aws-cn", "cn-north-1")}});
    locations["locations"]["china"]["credentials"] = json!({"secret": "transload/china"});
    let function = json!({"FunctionName": "moves-Head", "State": "Active", "LastUpdateStatus": "Successful",
        "Environment": {"Variables": {"TRANSLOAD_LOCATIONS": locations.to_string()}}});
    let template = format!(
        r#"{{"source":{{"location":"global","bucket":"{SOURCE}","key":<key>}},"destination":{{"location":"china","bucket":"{DESTINATION}","key":<key>}},"route":"photos"}}"#
    );
    let targets = json!({"Targets": [{"Id": "Target0", "Arn": MACHINE, "InputTransformer": {"InputTemplate": template}}]});
    let failed = json!({"FunctionName": "moves-List", "State": "Failed", "StateReason": "its role is gone"});
    let nightly = json!({"source": {"location": "global", "bucket": SOURCE, "prefix": ""},
        "destination": {"location": "global", "bucket": SOURCE, "prefix": "again/"}, "sync": {}, "route": "nightly"});
    let scheduled =
        json!({"Targets": [{"Id": "Target0", "Arn": BUCKET_MACHINE, "Input": nightly.to_string()}]});
    let schedule = json!({"Name": "moves-nightly", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"});
    let rule = json!({"Name": "moves-photos", "State": "DISABLED",
                      "EventPattern": json!({"detail": {"bucket": {"name": [SOURCE]}}}).to_string()});
    let mut answers = vec![
        (
            "Action=DescribeStacks&Version=2010-05-15&StackName=moves",
            200,
            aws::stack("moves", &[("ObjectMachineArn", MACHINE), ("BucketMachineArn", BUCKET_MACHINE)]),
        ),
        (
            "{\"stateMachineArn\":\"arn:aws:states:us-east-1:123456789012:stateMachine:moves-object\"}",
            200,
            machine.to_string(),
        ),
        (
            "{\"stateMachineArn\":\"arn:aws:states:us-east-1:123456789012:stateMachine:moves-bucket\"}",
            200,
            bucket_machine.to_string(),
        ),
        ("GET /2015-03-31/functions/moves-Head/configuration", 200, function.to_string()),
        ("GET /2015-03-31/functions/moves-List/configuration", 200, failed.to_string()),
        (
            "{\"TargetArn\":\"arn:aws:states:us-east-1:123456789012:stateMachine:moves-object\"}",
            200,
            json!({"RuleNames": ["moves-photos"]}).to_string(),
        ),
        (
            "{\"TargetArn\":\"arn:aws:states:us-east-1:123456789012:stateMachine:moves-bucket\"}",
            200,
            json!({"RuleNames": ["moves-nightly"]}).to_string(),
        ),
        ("{\"Name\":\"moves-photos\"}", 200, rule.to_string()),
        ("{\"Name\":\"moves-nightly\"}", 200, schedule.to_string()),
        ("{\"Rule\":\"moves-photos\"}", 200, targets.to_string()),
        ("{\"Rule\":\"moves-nightly\"}", 200, scheduled.to_string()),
    ];
    answers.extend(services());
    answers
}

#[tokio::test]
async fn what_is_deployed_is_looked_at() {
    let mut clinic = Clinic::new(&[]).await;
    clinic.aws = Aws::start(&deployment(&clinic.bench)).await;
    let mut command = clinic.bench.command(&["doctor", "--stack", "moves", "--output", "json"]);
    clinic.aws.lead(&mut command, SECRETS[0]).env("AWS_ENDPOINT_URL_SFN", &clinic.aws.url);
    let output = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) };
    wrong(&ran, "moves-photos", "rule", "aws events enable-rule --name moves-photos");
    wrong(&ran, "moves-List", "state", "its role is gone");
    for (subject, check) in [
        ("moves", "stack"),
        ("moves-object", "machine"),
        ("moves-bucket", "machine"),
        ("moves-nightly", "rule"),
        ("china: photos-cn", "write"),
        ("china", "identity"),
    ] {
        assert!(found(&ran, subject, check).starts_with("ok: "), "{subject} {check} {}", ran.stdout);
    }
    wrong(&ran, "global: photos", "events", "objects told to EventBridge");
}

#[tokio::test]
async fn what_a_store_can_do_is_tried_and_held_against_its_location() {
    let clinic = Clinic::healthy().await;
    let probe = ["--probe", PLACES[1], "--output", "json"];
    let ran = clinic.run(&probe).await.ok();
    for check in ["CRC64NVME", "trailers", "conditional_writes", "etag_md5"] {
        assert!(found(&ran, "china", check).starts_with("ok: "), "{check} {}", ran.stdout);
    }
    assert!(found(&ran, "china", "location").contains("conditional_writes = true"), "{}", ran.stdout);
    assert!(clinic.bench.china.direct().keys(DESTINATION).is_empty());
    assert_eq!(clinic.bench.china.direct().uploads(DESTINATION), []);
    // A store that refuses conditions, and a location that says nothing of it.
    let refusal = Action::Answer(Answer::error(501, "NotImplemented", "A header is not implemented."));
    clinic.bench.china.set_faults(FaultPlan::none().rule(Rule::on("DeleteObject", refusal).first(1)));
    let ran = clinic.run(&probe).await;
    wrong(&ran, "china", "conditional_writes", "what the location says it has");
    for (args, told) in [
        (
            &["--probe", "nowhere:s3://anywhere"][..],
            "--probe: expected a location of china, global, found nowhere",
        ),
        (&["--probe", PLACES[1], "--read-only"][..], "cannot be used with"),
    ] {
        let ran = clinic.run(args).await;
        assert!(ran.code() == 2 && ran.stderr.contains(told), "{ran:#?}");
    }
}
