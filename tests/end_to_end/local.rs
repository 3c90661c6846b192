//! `transload local`: the three ways in, typed as it prints them; its rules; its end.

mod evidence;
mod frozen;

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use transload_store::work::{DirectoryFiles, WorkFiles, collect};

use crate::aws::{self, Aws};
use crate::clients::is_there;

/// A running `transload local` with a home of its own.
struct Local {
    folder: TempDir,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it printed first.
    welcome: Value,
}

fn program(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("TRANSLOAD_HOME", folder.path().join("home of mine"))
        .current_dir(folder.path())
        .kill_on_drop(true);
    command
}

impl Local {
    async fn start(flags: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), flags).await
    }

    async fn start_in(folder: TempDir, flags: &[&str]) -> Self {
        let args = ["local", "--s3-port", "0", "--sfn-port", "0", "--output", "json"];
        let mut command = program(&folder, &[&args, flags].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut local = Self { folder, child, lines, welcome: Value::Null };
        local.welcome = local.next().await;
        local
    }

    /// The next line of what it tells.
    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(60), self.lines.next_line()).await;
        let line = line.expect("it tells something").unwrap().expect("it is still running");
        serde_json::from_str(&line).unwrap()
    }

    /// Waits until an execution has ended; of any if none is named. Tells its ARN, status and error.
    async fn ended(&mut self, arn: Option<&str>) -> Value {
        loop {
            let told = self.next().await;
            let status = told["status"].as_str().unwrap_or("RUNNING");
            if status != "RUNNING" && arn.is_none_or(|arn| told["executionArn"] == arn) {
                return told;
            }
        }
    }

    /// Types lines into a shell that knows nothing but `PATH`, behind the printed environment.
    async fn shell(&self, lines: &[&str]) -> String {
        let environment = self.text("environment");
        let script = [&["set -e", environment], lines].concat().join("\n");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .env_clear()
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path());
        shell.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Keys that are in the way: the printed lines have to see to it that they are not used.
        shell
            .env("AWS_ACCESS_KEY_ID", "AKIDWRONG")
            .env("AWS_SECRET_ACCESS_KEY", "wrong")
            .env("AWS_PROFILE", "none");
        let ran = shell.output().await.unwrap();
        assert!(ran.status.success(), "{script}\n{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    fn text(&self, name: &str) -> &str {
        self.welcome[name].as_str().unwrap_or_else(|| panic!("{name}: {}", self.welcome))
    }

    /// A command of the AWS CLI for the destination.
    fn at_destination(&self, command: &str) -> String {
        let place = &self.welcome["destination"];
        format!(
            "AWS_SHARED_CREDENTIALS_FILE='{}' AWS_DEFAULT_REGION={} aws {command} --endpoint-url {}",
            place["credentials"].as_str().unwrap(),
            place["region"].as_str().unwrap(),
            place["endpoint"].as_str().unwrap()
        )
    }

    async fn read(&self, bucket: &str, key: &str) -> String {
        self.shell(&[&self.at_destination(&format!("s3 cp s3://{bucket}/{key} -"))]).await
    }

    async fn started(&self, command: &str) -> String {
        let answer: Value = serde_json::from_str(&self.shell(&[command]).await).unwrap();
        answer["executionArn"].as_str().unwrap().to_owned()
    }

    /// Ctrl-C, and how it ended.
    async fn interrupt(mut self) -> TempDir {
        let pid = self.child.id().unwrap();
        assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().await.unwrap().success());
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        assert_eq!(status.expect("it ends").unwrap().code(), Some(0));
        self.folder
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_ways_in_as_they_are_printed() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let mut local = Local::start(&[]).await;
    std::fs::write(local.folder.path().join("hello.txt"), "hello\n").unwrap();
    // (a) An object that is put.
    local.shell(&[local.text("put")]).await;
    assert_eq!(local.ended(None).await["status"], "SUCCEEDED");
    assert_eq!(local.read("photos-cn", "hello.txt").await, "hello\n");
    assert!(local.shell(&[local.text("look")]).await.contains("hello.txt"));
    // (b) The API.
    let arn = local.started(local.text("start")).await;
    assert_eq!(local.ended(Some(&arn)).await["status"], "SUCCEEDED");
    assert_eq!(local.read("photos-cn", "hello-again.txt").await, "hello\n");
    // (c) A redrive, once the bucket is there that was missing; then a new execution with the same input.
    let elsewhere = local.text("start").replace("photos-cn", "photos-later");
    let arn = local.started(&elsewhere).await;
    let failed = local.ended(Some(&arn)).await;
    assert_eq!((&failed["status"], &failed["error"]), (&json!("FAILED"), &json!("DestinationNotFound")));
    local.shell(&[&local.at_destination("s3 mb s3://photos-later")]).await;
    local.shell(&[local.text("failed"), local.text("redrive")]).await;
    assert_eq!(local.ended(Some(&arn)).await["status"], "SUCCEEDED");
    assert_eq!(local.read("photos-later", "hello-again.txt").await, "hello\n");
    let again = format!("FAILED={arn}");
    let started: Value = serde_json::from_str(&local.shell(&[&again, local.text("again")]).await).unwrap();
    let new = started["executionArn"].as_str().unwrap();
    assert_ne!(new, arn);
    assert_eq!(local.ended(Some(new)).await["status"], "SUCCEEDED");
    let folder = local.interrupt().await;
    let listed = program(&folder, &["executions", "--output", "json"]).output().await.unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["executions"].as_array().map(Vec::len), Some(4), "executions outlive the servers");
}

/// The README's blocks of this section after the one that starts it, for the addresses and the home of this one.
fn readme(local: &Local) -> Vec<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Three ways in")).unwrap();
    let credentials = local.welcome["source"]["credentials"].as_str().unwrap();
    let at = |place: &str| local.welcome[place]["endpoint"].as_str().unwrap();
    let here = [
        (
            "~/.local/share/transload/local",
            format!("'{}'", credentials.strip_suffix("/global.credentials").unwrap()),
        ),
        ("http://127.0.0.1:9100", at("source").to_owned()),
        ("http://127.0.0.1:9101", at("destination").to_owned()),
        ("http://127.0.0.1:8083", at("stepFunctions").to_owned()),
    ];
    let blocks = section.split("```sh\n").skip(2).map(|rest| rest.split("```").next().unwrap().to_owned());
    let own = |block: String| here.iter().fold(block, |block, (theirs, ours)| block.replace(theirs, ours));
    blocks.map(own).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_ways_in_as_the_readme_has_them() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let mut local = Local::start(&[]).await;
    let blocks = readme(&local);
    let [environment, put, start, redrive, again] = blocks.as_slice() else { panic!("{blocks:?}") };
    local.shell(&[environment, put]).await;
    assert_eq!(local.ended(None).await["status"], "SUCCEEDED");
    assert_eq!(local.read("photos-cn", "hello.txt").await, "hello\n");
    local.shell(&[environment, start]).await;
    let failed = local.ended(None).await;
    assert_eq!((&failed["status"], &failed["error"]), (&json!("FAILED"), &json!("DestinationNotFound")));
    local.shell(&[environment, redrive]).await;
    let redriven = local.ended(None).await;
    assert_eq!(
        (&redriven["status"], &redriven["executionArn"]),
        (&json!("SUCCEEDED"), &failed["executionArn"])
    );
    let failed = format!("failed={}", failed["executionArn"].as_str().unwrap());
    let listed = local.shell(&[environment, &failed, again]).await;
    assert!(listed.trim_end().ends_with("hello.txt"), "{listed}");
    assert_eq!(local.ended(None).await["status"], "SUCCEEDED");
    local.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_leaves_one_object_and_new_bytes_replace_old_ones() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = r#"{"source": {"location": "global", "bucket": <b>, "key": <k>}, "destination": {"location": "china", "bucket": "photos-cn", "key": <k>}}"#;
    let rule = |name: &str| {
        let paths = json!({"b": "$.detail.bucket.name", "k": "$.detail.object.key"});
        let target = json!({"Id": "t", "Arn": "arn:aws:states:us-east-1:000000000000:stateMachine:transload-object",
            "InputTransformer": {"InputPathsMap": paths, "InputTemplate": input}});
        let pattern = json!({"source": ["aws.s3"], "detail": {"object": {"key": [{"suffix": ".txt"}]},
            "bucket": {"name": [{"anything-but": {"prefix": "photos-"}}]}}});
        json!({"Name": name, "EventPattern": pattern, "Targets": [target]})
    };
    std::fs::write(folder.path().join("rules.json"), json!([rule("one"), rule("two")]).to_string()).unwrap();
    let mut local = Local::start_in(folder, &["--rules", "rules.json"]).await;
    let endpoint = local.welcome["source"]["endpoint"].as_str().unwrap().to_owned();
    for text in ["old", "new"] {
        let put = format!("printf {text} | aws s3 cp - s3://photos/a.txt --endpoint-url {endpoint}");
        let other = format!("printf x | aws s3 cp - s3://photos/a.png --endpoint-url {endpoint}");
        local.shell(&[&put, &other]).await;
        let mut ends = vec![local.ended(None).await, local.ended(None).await];
        ends.sort_by_key(|end| end["status"] != "SUCCEEDED");
        // Two at once: the second one either finds the object, or finds that another writer was there. It never spoils it.
        assert_eq!(ends[0]["status"], "SUCCEEDED", "{ends:?}");
        assert!(ends[1]["status"] == "SUCCEEDED" || ends[1]["error"] == "DestinationExists", "{ends:?}");
        assert_eq!(local.read("photos-cn", "a.txt").await, text);
    }
    let listed = local.shell(&[local.text("look")]).await;
    assert_eq!(listed.lines().count(), 1, "{listed}");
    local.interrupt().await;
}

impl Local {
    /// The key that the API takes.
    fn key(&self) -> (String, String) {
        let text = std::fs::read_to_string(self.welcome["source"]["credentials"].as_str().unwrap()).unwrap();
        let value = |name: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_once('=').unwrap().1.trim().to_owned()
        };
        (value("aws_access_key_id"), value("aws_secret_access_key"))
    }

    /// The program as somebody uses it who has no more than the keys of the API, as for a machine in an account.
    async fn deployed(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let arn = self.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap();
        self.of_stack(arn, args).await
    }

    async fn of_stack(&self, stack: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let elsewhere = tempfile::tempdir().unwrap();
        let ran = self.operator(&elsewhere, stack, args).await;
        assert_eq!(
            std::fs::read_dir(elsewhere.path()).unwrap().count(),
            0,
            "nothing is kept on this computer"
        );
        ran
    }

    /// The same with a folder of the operator's own, for what is fetched. Its S3 is the source's server.
    async fn operator(&self, folder: &TempDir, stack: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let s3 = self.welcome["source"]["endpoint"].as_str().unwrap();
        self.operator_at(s3, folder, stack, args).await
    }

    async fn operator_at(
        &self,
        s3: &str,
        folder: &TempDir,
        stack: &str,
        args: &[&str],
    ) -> (Option<i32>, String, String) {
        let arn = self.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap();
        let bucket = arn.replace("-object", "-bucket");
        let stacks = Aws::start(&[
            (
                "StackName=By-Outputs",
                200,
                aws::stack(
                    "By-Outputs",
                    &[("Other", "x"), ("ObjectMachineArn", arn), ("BucketMachineArn", &bucket)],
                ),
            ),
            ("StackName=Gone", 400, aws::refusal("ValidationError", "Stack with id Gone does not exist")),
            (
                "DescribeStacks",
                403,
                aws::refusal("AccessDenied", "not authorized to perform: cloudformation:DescribeStacks"),
            ),
        ])
        .await;
        let mut command = program(folder, args);
        command
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", &stacks.url)
            .env("TRANSLOAD_STACK", stack)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL_SFN", self.welcome["stepFunctions"]["endpoint"].as_str().unwrap())
            .env("AWS_ENDPOINT_URL_S3", s3)
            .env("AWS_SHARED_CREDENTIALS_FILE", self.welcome["source"]["credentials"].as_str().unwrap())
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let ran = command.output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ran.status.code(), text(ran.stdout), text(ran.stderr))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_machine_is_worked_with_by_the_same_commands() {
    let local = Local::start(&[]).await;
    let place = &local.welcome["source"];
    let file = local.folder.path().join("big");
    std::fs::write(&file, vec![7; 20 << 20]).unwrap();
    let put = format!("aws s3 cp big s3://quiet/big --endpoint-url {}", place["endpoint"].as_str().unwrap());
    let made = format!("aws s3 mb s3://quiet --endpoint-url {}", place["endpoint"].as_str().unwrap());
    local.shell(&[&made, &put]).await;
    let copy = [
        "copy",
        "global:s3://quiet/big",
        "china:s3://later/big",
        "--name",
        "first",
        "--part-size",
        "5MiB",
        "--whole-object-limit",
        "5MiB",
    ];
    let (code, _, said) = local.deployed(&copy).await;
    assert!(
        code == Some(1) && said.contains("DestinationNotFound") && said.contains("transload redrive first"),
        "{code:?} {said}"
    );
    local.shell(&[&local.at_destination("s3 mb s3://later")]).await;
    let (code, report, said) = local.deployed(&["redrive", "first"]).await;
    assert!(
        code == Some(0) && report.contains("SUCCEEDED") && said.contains("4/4 parts"),
        "{code:?} {report} {said}"
    );
    let parts = local.deployed(&["report", "first", "--output", "json"]).await.1;
    let parts: Value = serde_json::from_str(&parts).unwrap();
    assert_eq!(parts["partRecords"].as_array().map(Vec::len), Some(4), "{parts}");
    let (_, history, _) = local.deployed(&["history", "first", "--children"]).await;
    assert!(
        history.contains("ExecutionRedriven") && history.matches("TaskSucceeded").count() > 4,
        "{history}"
    );
    let (_, listed, _) = local.deployed(&["executions", "--status", "succeeded"]).await;
    assert!(listed.lines().count() == 2 && listed.contains("first"), "{listed}");
    let (_, described, _) = local.deployed(&["describe", "first"]).await;
    assert!(described.contains("redrives     1"), "{described}");
    let arn = local.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap();
    let states = local.welcome["stepFunctions"]["endpoint"].as_str().unwrap();
    let tag = format!(
        "aws stepfunctions tag-resource --resource-arn {arn} --tags key=transload:stack,value=Moves --endpoint-url {states}"
    );
    local.shell(&[&tag]).await;
    assert_eq!(local.of_stack("Moves", &["executions", "--status", "succeeded"]).await.1, listed);
    let (code, _, said) = local.of_stack("Other", &["executions"]).await;
    assert!(
        code == Some(3) && said.contains("transload:stack = Other") && said.contains("AccessDenied"),
        "{code:?} {said}"
    );
    let (code, _, said) = local.of_stack("Gone", &["executions"]).await;
    assert!(code == Some(3) && said.contains("there is no stack Gone in us-east-1"), "{code:?} {said}");
    // By its outputs, tag or no tag.
    assert_eq!(local.of_stack("By-Outputs", &["executions", "--status", "succeeded"]).await.1, listed);
    for (args, expected, word) in [
        (&["describe", "nobody"][..], 3, "ExecutionDoesNotExist"),
        (&["stop", "first"], 4, "found SUCCEEDED"),
        (&["redrive", "first"], 4, "ExecutionNotRedrivable"),
        (&["resume", "first"], 4, "expected an execution that runs or is paused, found SUCCEEDED"),
        (&["pause", "first"], 4, "found SUCCEEDED"),
        (&["resume"], 0, ""),
        (&["executions", "--stack", "arn:aws:states:x"], 2, "--stack: expected a stack's name"),
    ] {
        let (code, _, said) = local.deployed(args).await;
        assert!(code == Some(expected) && said.contains(word), "{args:?} {code:?} {said}");
    }
    local.interrupt().await;
}

/// Twenty small objects and a large one below `in/` of the source, one that nobody has below `out/` of the destination.
async fn many(local: &Local) {
    let folder = local.folder.path().join("many");
    std::fs::create_dir_all(folder.join("in")).unwrap();
    for n in 0..20 {
        std::fs::write(folder.join(format!("in/{n} b+c")), format!("object {n}")).unwrap();
    }
    std::fs::write(folder.join("in/large"), vec![7; 3 << 20]).unwrap();
    std::fs::write(folder.join("doomed"), "nobody's").unwrap();
    let endpoint = local.welcome["source"]["endpoint"].as_str().unwrap();
    local
        .shell(&[
            &format!("aws s3 mb s3://quiet --endpoint-url {endpoint}"),
            &format!("aws s3 cp many/in s3://quiet/in --recursive --endpoint-url {endpoint}"),
            &local.at_destination("s3 mb s3://later"),
            &local.at_destination("s3 cp many/doomed s3://later/out/doomed"),
        ])
        .await;
}

/// A table's text without the blanks between its columns.
fn words(table: &str) -> String {
    table.split_whitespace().collect::<Vec<_>>().join(" ")
}

const SYNC: [&str; 9] = [
    "global:s3://quiet/in/",
    "china:s3://later/out/",
    "--batch-object-limit",
    "1MiB",
    "--batch-objects",
    "8",
    "--delete",
    "--max-delete-percent",
    "100",
];

#[tokio::test(flavor = "multi_thread")]
async fn many_objects_of_a_deployed_machine_by_the_same_commands() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let local = Local::start(&[]).await;
    many(&local).await;
    let (code, planned, said) = local.deployed(&[&["plan"][..], &SYNC].concat()).await;
    assert_eq!(code, Some(0), "{planned} {said}");
    assert!(
        words(&planned).contains("to copy in batches 20 ") && said.starts_with("plan-"),
        "{planned} {said}"
    );

    // Whoever may not read the bucket is told where the report stands.
    let sync = [&["sync"][..], &SYNC, &["--name", "first"]].concat();
    let (code, done, said) = local.deployed(&sync).await;
    assert_eq!(code, Some(0), "{done} {said}");
    assert!(said.starts_with("sync-first\n"), "{said}");
    assert!(done.contains("s3://results/sync/sync-first-") && done.contains("not fetched"), "{done}");
    let listed = local.shell(&[&local.at_destination("s3 ls --recursive s3://later/out/")]).await;
    assert_eq!(listed.lines().count(), 21, "{listed}");
    assert!(!listed.contains("doomed"), "{listed}");

    fetched(&local).await;

    let (_, executions, _) = local.deployed(&["executions"]).await;
    // Both machines': the plan, the run, and the large object's own.
    assert_eq!(executions.lines().count(), 4, "{executions}");
    let history = local.of_stack("By-Outputs", &["history", "sync-first"]).await.1;
    assert!(history.contains("Report") && history.contains("MapRunStarted"), "{history}");
    for (args, expected, word) in [
        (&["redrive", "sync-first"][..], 4, "ExecutionNotRedrivable"),
        (&["describe", "sync-nobody"], 3, "ExecutionDoesNotExist"),
        (
            &["sync", "global:s3://quiet/in/", "china:s3://later/", "--batch-objects", "0"],
            2,
            "sync.batchObjects",
        ),
    ] {
        let (code, _, said) = local.deployed(args).await;
        assert!(code == Some(expected) && said.contains(word), "{args:?} {code:?} {said}");
    }
    local.interrupt().await;
}

/// What stands in the work bucket is put where the operator may read it: into the bucket of that name on the source's server.
async fn fetched(local: &Local) {
    let files = DirectoryFiles::new(local.folder.path().join("home of mine/results"), "results");
    let endpoint = local.welcome["source"]["endpoint"].as_str().unwrap();
    local.shell(&[&format!("aws s3 mb s3://results --endpoint-url {endpoint}")]).await;
    for file in files.list("sync/sync-first-").await.unwrap() {
        let bytes = collect(files.get(&file.name).await.unwrap().unwrap()).await.unwrap();
        std::fs::write(local.folder.path().join("file"), bytes).unwrap();
        let put = format!("aws s3 cp file 's3://results/{}' --endpoint-url {endpoint}", file.name);
        local.shell(&[&put]).await;
    }
    let operator = tempfile::tempdir().unwrap();
    let arn = local.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap();
    let (code, report, said) = local.operator(&operator, arn, &["report", "sync-first"]).await;
    assert_eq!(code, Some(0), "{report} {said}");
    let folder = operator.path().join("home of mine/reports/sync-first");
    assert!(report.contains(folder.join("report.html").to_str().unwrap()), "{report}");
    assert!(std::fs::read_to_string(folder.join("report.html")).unwrap().contains("quiet"));
    assert_eq!(std::fs::read_to_string(folder.join("objects.csv")).unwrap().lines().count(), 1 + 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_run_that_failed_is_redriven_by_a_name_that_says_nothing_of_its_machine() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let local = Local::start(&[]).await;
    many(&local).await;
    // As a schedule starts it: with a name of EventBridge's own.
    let arn =
        local.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap().replace("-object", "-bucket");
    let states = local.welcome["stepFunctions"]["endpoint"].as_str().unwrap();
    let request = json!({"source": {"location": "global", "bucket": "quiet", "prefix": "in/"},
        "destination": {"location": "china", "bucket": "much-later"}});
    std::fs::write(local.folder.path().join("request.json"), request.to_string()).unwrap();
    let start = format!(
        "aws stepfunctions start-execution --name 8f7a --state-machine-arn {arn} --input file://request.json --endpoint-url {states}"
    );
    local.shell(&[&start]).await;
    let described = async || local.deployed(&["describe", "8f7a"]).await.1;
    let ended = async {
        while described().await.contains("RUNNING") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends");
    assert!(described().await.contains("DestinationNotFound"), "{}", described().await);
    local.shell(&[&local.at_destination("s3 mb s3://much-later")]).await;
    // The other machine's ARN does as well.
    let (code, done, said) = local.of_stack(&arn, &["redrive", "8f7a"]).await;
    assert_eq!(code, Some(0), "{done} {said}");
    assert!(words(&done).contains("copied 21 3.00 MiB"), "{done}");
    let listed = local.shell(&[&local.at_destination("s3 ls --recursive s3://much-later")]).await;
    assert_eq!(listed.lines().count(), 21, "{listed}");
    local.interrupt().await;
}

#[tokio::test]
async fn what_can_not_be_served_is_refused() {
    let local = Local::start(&[]).await;
    let run = async |args: &[&str]| {
        let ran = program(&local.folder, args).output().await.unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let (code, said) = run(&["local", "--s3-port", "0", "--sfn-port", "0"]).await;
    assert_eq!(code, Some(4), "{said}");
    let rules = local.folder.path().join("rules.json");
    let other_home =
        ["local", "--home", "other", "--s3-port", "0", "--sfn-port", "0", "--rules", "rules.json"];
    for (text, expected) in [
        ("[", "EOF while parsing"),
        (
            r#"[{"Name": "r", "EventPattern": {"a": "b"}, "Targets": [{"Id": "t", "Arn": "arn:aws:states:r:a:stateMachine:m"}]}]"#,
            "InvalidEventPatternException: rule r: Event pattern is not valid. Reason: \"a\" must be an object or an array",
        ),
        (
            r#"[{"Name": "r", "EventPattern": {"a": ["b"]}, "Targets": [{"Id": "t", "Arn": "arn:aws:sqs:r:a:q"}]}]"#,
            "expected a state machine's, found arn:aws:sqs:r:a:q",
        ),
    ] {
        std::fs::write(&rules, text).unwrap();
        let (code, said) = run(&other_home).await;
        assert!(code == Some(2) && said.contains(expected), "{code:?} {said}");
    }
    let port = local.welcome["stepFunctions"]["endpoint"].as_str().unwrap().rsplit(':').next().unwrap();
    let (code, said) = run(&["local", "--home", "other", "--s3-port", "0", "--sfn-port", port]).await;
    assert!(code == Some(5) && said.contains("--sfn-port"), "{code:?} {said}");
    local.interrupt().await;
}
