//! Clients that we did not write, at both ends of a transfer: the AWS CLI puts and looks, boto3 compares.

use tokio::process::Command;

use crate::support::{Bench, DESTINATION, SECRETS, SOURCE, bytes};

/// A client's process with the keys of one place.
fn client(bench: &Bench, program: &str, args: &[&str], china: bool) -> Command {
    let (key, secret, region) =
        if china { ("AKIACHINA", SECRETS[1], "cn-north-1") } else { ("AKIAGLOBAL", SECRETS[0], "us-east-1") };
    let mut command = Command::new(program);
    command
        .args(args)
        .env("HOME", bench.path(""))
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env("AWS_DEFAULT_REGION", region)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .current_dir(bench.path(""));
    command
}

async fn output(mut command: Command) -> String {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a client is installed; said aloud where it is not.
pub(crate) async fn is_there(program: &str, args: &[&str]) -> bool {
    let there = Command::new(program).args(args).output().await.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("SKIPPED: {program} {} is not installed", args.join(" "));
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_puts_and_finds_the_object_with_its_etag() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let bench = Bench::new().await;
    let data = bytes((20 << 20) + 7, 41);
    std::fs::write(bench.path("file"), &data).unwrap();
    let (global, china) = (bench.global.endpoint(), bench.china.endpoint());
    let target = format!("s3://{SOURCE}/from-cli");
    let put = [
        "s3",
        "cp",
        "file",
        &target,
        "--endpoint-url",
        &global,
        "--metadata",
        "who=cli",
        "--content-type",
        "text/x-cli",
    ];
    output(client(&bench, "aws", &put, false)).await;
    bench.copy("from-cli", &["--preserve-etag"]).await.ok();
    bench.assert_same("from-cli", &data);
    let head =
        ["s3api", "head-object", "--bucket", DESTINATION, "--key", "from-cli", "--endpoint-url", &china];
    let head: serde_json::Value =
        serde_json::from_str(&output(client(&bench, "aws", &head, true)).await).unwrap();
    let source = bench.global.direct().get(SOURCE, "from-cli").unwrap();
    assert_eq!(head["ContentLength"], data.len());
    assert_eq!(head["ContentType"], "text/x-cli");
    assert_eq!(head["Metadata"]["who"], "cli");
    assert!(source.etag.ends_with("-3"), "the client sends 8 MiB parts: {}", source.etag);
    assert_eq!(head["ETag"], format!("\"{}\"", source.etag));
}

const COMPARE: &str = r#"
import boto3, hashlib, os, sys
from botocore.config import Config
def get(side):
    client = boto3.client("s3", endpoint_url=os.environ[side + "_URL"], region_name=os.environ[side + "_REGION"],
        aws_access_key_id=os.environ[side + "_KEY"], aws_secret_access_key=os.environ[side + "_SECRET"],
        config=Config(s3={"addressing_style": "path"}))
    answer = client.get_object(Bucket=os.environ[side + "_BUCKET"], Key="k")
    tags = client.get_object_tagging(Bucket=os.environ[side + "_BUCKET"], Key="k")["TagSet"]
    ours = {k: v for k, v in answer["Metadata"].items() if not k.startswith("transload-")}
    return hashlib.sha256(answer["Body"].read()).hexdigest(), answer["ContentType"], ours, sorted(t["Key"] + "=" + t["Value"] for t in tags)
one, other = get("GLOBAL"), get("CHINA")
assert one == other, (one, other)
print(*one)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_the_same_on_both_sides() {
    if !is_there("python3", &["-c", "import boto3"]).await {
        return;
    }
    let bench = Bench::new().await;
    bench.put_with(
        "k",
        &bytes(9 << 20, 42),
        &[("content-type", "a/b"), ("x-amz-meta-m", "v")],
        &[("t", "1")],
    );
    bench.copy("k", &["--whole-object-limit", "0"]).await.ok();
    let mut python = client(&bench, "python3", &["-c", COMPARE], false);
    let sides = [
        ("GLOBAL", &bench.global, "AKIAGLOBAL", SECRETS[0], SOURCE),
        ("CHINA", &bench.china, "AKIACHINA", SECRETS[1], DESTINATION),
    ];
    for (side, server, key, secret, bucket) in sides {
        let values =
            [("URL", server.endpoint()), ("REGION", server.region().to_owned()), ("KEY", key.to_owned())];
        for (name, value) in
            values.into_iter().chain([("SECRET", secret.to_owned()), ("BUCKET", bucket.to_owned())])
        {
            python.env(format!("{side}_{name}"), value);
        }
    }
    assert!(output(python).await.contains("t=1"));
}
