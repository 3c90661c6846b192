//! `transload local --from-template`: what is wrong with a template is told in a line, with resource and property, before
//! anything is written. (A template that is synthesised is run by tests/stack.)

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// A folder as `cdk synth` writes it: one function, one machine, one rule.
struct Assembly(TempDir);

const KEY: &str = "abc.zip";

fn function() -> Value {
    json!({"Type": "AWS::Lambda::Function", "Properties": {
        "Architectures": [if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }],
        "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": KEY},
        "Environment": {"Variables": {"TRANSLOAD_LOCATIONS": {"Fn::Join": ["", [
            r#"{"locations":{"here":{"kind":"s3","region":"#, "\"", {"Ref": "AWS::Region"}, "\"}}}"]]}}},
        "Handler": "bootstrap", "MemorySize": 256, "Runtime": "provided.al2023", "Timeout": 30,
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }})
}

fn resources() -> Value {
    let definition =
        r#"{"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": "${Arn}", "End": true}}}"#;
    json!({
        "Role": {"Type": "AWS::IAM::Role"},
        "Function": function(),
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "DefinitionString": definition,
            "DefinitionSubstitutions": {"Arn": {"Fn::GetAtt": ["Function", "Arn"]}},
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        }},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "EventPattern": {"source": ["aws.s3"]},
            "Targets": [{"Arn": {"Ref": "Machine"}, "Id": "one"}],
        }},
    })
}

impl Assembly {
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let mut resources = resources();
        change(&mut resources);
        folder.write("moves.template.json", &json!({"Resources": resources}));
        let destinations = json!({"there": {"bucketName": "assets", "objectKey": KEY}});
        let source = json!({"path": "asset.abc", "packaging": "zip"});
        folder.write(
            "moves.assets.json",
            &json!({"files": {"abc": {"source": source, "destinations": destinations}}}),
        );
        let properties = json!({"templateFile": "moves.template.json"});
        let artifact = json!({"environment": "aws://unknown-account/eu-west-1", "properties": properties});
        folder.write("manifest.json", &json!({"artifacts": {"moves": artifact}}));
        folder.bootstrap(b"#!/bin/sh\nexit 1\n");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, json: &Value) {
        std::fs::write(self.path(name), json.to_string()).unwrap();
    }

    fn bootstrap(&self, bytes: &[u8]) {
        std::fs::create_dir_all(self.path("asset.abc")).unwrap();
        let path = self.path("asset.abc/bootstrap");
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    async fn run(&self, template: &str, home: &str) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args(["local", "--s3-port", "0", "--sfn-port", "0", "--output", "json", "--from-template"]);
        command.arg(self.path(template)).arg("--home").arg(self.path(home)).env_clear().kill_on_drop(true);
        let ran = tokio::time::timeout(std::time::Duration::from_secs(60), command.output());
        let ran = ran.await.expect("it ends").unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ran.status.code(), text(ran.stdout), text(ran.stderr))
    }

    /// It is refused with these words, in one line, and nothing was written.
    async fn refused(&self, expected: &str) {
        let (code, _, said) = self.run("moves.template.json", "home").await;
        assert!(code == Some(2) && said.contains(expected), "expected {expected:?}, found {code:?} {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(!self.path("home").exists(), "something was written");
    }
}

/// Sets a property of a resource.
fn with(resource: &'static str, property: &'static str, value: Value) -> Assembly {
    Assembly::new(move |all| all[resource]["Properties"][property] = value)
}

#[tokio::test]
async fn what_is_not_known_is_refused_by_resource_and_property() {
    let rows = [
        (
            with("Function", "MemorySize", json!({"Fn::ImportValue": "x"})),
            "Resources.Function.Properties.MemorySize: expected Ref, Fn::GetAtt, Fn::Join or Fn::Sub, found {\"Fn::ImportValue\":\"x\"}",
        ),
        (
            with("Function", "Layers", json!(["x"])),
            "Resources.Function.Properties.Layers: expected no such property",
        ),
        (
            with("Function", "Runtime", json!("nodejs22.x")),
            "Resources.Function.Properties.Runtime: expected provided.al2023",
        ),
        (
            with("Machine", "StateMachineType", json!("EXPRESS")),
            "Resources.Machine.Properties.StateMachineType: expected STANDARD, found \"EXPRESS\"",
        ),
        (
            with("Machine", "DefinitionSubstitutions", json!({})),
            "Resources.Machine.Properties.DefinitionString: expected a value for each placeholder in DefinitionSubstitutions, found none for Arn",
        ),
        (
            with("Machine", "DefinitionSubstitutions", json!({"Arn": {"Fn::GetAtt": ["Nobody", "Arn"]}})),
            "DefinitionSubstitutions.Arn.Fn::GetAtt: expected a resource of this template, found Nobody",
        ),
        (
            with("Machine", "StateMachineName", json!({"Ref": "Machine"})),
            "expected references that end (these lead back to themselves)",
        ),
        (
            with("Rule", "Targets", json!([{"Arn": "arn:aws:sqs:r:a:q", "Id": "one"}])),
            "Resources.Rule.Properties.Targets[0].Arn: expected a state machine of this template, found \"arn:aws:sqs:r:a:q\"",
        ),
        (
            with("Rule", "EventPattern", json!({"source": "aws.s3"})),
            "InvalidEventPatternException: rule moves-Rule: Event pattern is not valid",
        ),
        (
            with("Function", "Environment", json!({"Variables": {}})),
            "Resources.Function.Properties.Environment.Variables.TRANSLOAD_LOCATIONS: expected the locations, found none",
        ),
        (
            Assembly::new(|all| all["Rule"]["Condition"] = json!("IsProduction")),
            "Resources.Rule.Condition: expected no condition (none is evaluated here), found \"IsProduction\"",
        ),
    ];
    for (assembly, expected) in rows {
        assembly.refused(expected).await;
    }
}

#[tokio::test]
async fn a_program_that_would_not_start_here_or_there_is_refused() {
    let missing = Assembly::new(|_| ());
    std::fs::remove_dir_all(missing.path("asset.abc")).unwrap();
    missing
        .refused("Resources.Function.Properties.Code.S3Key: expected the asset's file beside the template")
        .await;

    let (here, there) = if cfg!(target_arch = "aarch64") { ("arm64", "x86_64") } else { ("x86_64", "arm64") };
    let foreign = Assembly::new(|_| ());
    let mut elf = [0; 64];
    elf[..4].copy_from_slice(b"\x7fELF");
    elf[18] = if here == "arm64" { 0x3e } else { 0xb7 };
    foreign.bootstrap(&elf);
    let expected = format!(
        "Resources.Function.Properties.Code: expected a bootstrap for this machine, {here} (build-lambdas --arch {here}), found one for {there}"
    );
    foreign.refused(&expected).await;

    let mislabelled = with("Function", "Architectures", json!([there]));
    elf[18] = if here == "arm64" { 0xb7 } else { 0x3e };
    mislabelled.bootstrap(&elf);
    let expected = format!(
        "Resources.Function.Properties.Architectures: expected {here}, as bootstrap is, found {there}"
    );
    mislabelled.refused(&expected).await;

    let neither = Assembly::new(|_| ());
    neither.bootstrap(b"MZ");
    neither.refused("expected a bootstrap that Linux runs (ELF), found another kind of file").await;
}

#[tokio::test]
async fn a_zip_without_a_bootstrap_is_refused() {
    let assembly = Assembly::new(|_| ());
    std::fs::remove_dir_all(assembly.path("asset.abc")).unwrap();
    // The end of an archive without entries.
    let mut empty = b"PK\x05\x06".to_vec();
    empty.resize(22, 0);
    std::fs::write(assembly.path("asset.abc"), empty).unwrap();
    assembly.refused("Resources.Function.Properties.Code: expected a zip with a file bootstrap").await;
    std::fs::write(assembly.path("asset.abc"), "no zip").unwrap();
    assembly.refused("Resources.Function.Properties.Code: expected a zip with a file bootstrap").await;
}

#[tokio::test]
async fn a_file_that_is_no_template_is_refused() {
    let assembly = Assembly::new(|_| ());
    let (code, _, said) = assembly.run("moves.json", "home").await;
    assert!(code == Some(2) && said.contains("expected a file NAME.template.json"), "{said}");
    let (code, _, said) = assembly.run("others.template.json", "home").await;
    assert!(code == Some(2) && said.contains("others.assets.json: No such file"), "{said}");
}

/// A definition that the service would refuse is known only once the engine reads it.
#[tokio::test]
async fn a_definition_that_is_none_is_refused() {
    let assembly = with("Machine", "DefinitionString", json!("{}"));
    assembly.write(
        "moves.template.json",
        &json!({"Resources": {
            "Role": {"Type": "AWS::IAM::Role"}, "Function": function(),
            "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
                "DefinitionString": "{}", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
        }}),
    );
    let (code, _, said) = assembly.run("moves.template.json", "home").await;
    assert!(code == Some(2) && said.contains("Resources.Machine: InvalidDefinition"), "{code:?} {said}");
}
