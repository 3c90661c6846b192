//! `transload import`: old settings become a config, old keys a secret, and the old table a list that is checked.

use std::path::Path;

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::support::{Bench, Ran, SECRETS};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";

fn write(bench: &Bench, name: &str, text: &str) -> String {
    std::fs::write(bench.path(name), text).unwrap();
    bench.path(name).to_str().unwrap().to_owned()
}

/// The files of an installation, as it has them.
fn old_files(bench: &Bench) -> [String; 4] {
    let jobs = r#"[
  {"src_bucket": "photos", "src_prefix": "", "des_bucket": "photos-cn", "des_prefix": ""},
  {"src_bucket": "videos.2026", "src_prefix": "raw/", "des_bucket": "videos-cn", "des_prefix": ""}
]"#;
    let keys = format!(
        "{{\"aws_access_key_id\": \"{ID}\", \"aws_secret_access_key\": \"{}\", \"region\": \"cn-north-1\"}}",
        SECRETS[1]
    );
    let settings = "; configure file\n\n[Basic]\n\nJobType = PUT\n# JobType = PUT | GET\ntable_queue_name = s3_migration_file_list\n\n\
                    [Mode]\nStorageClass = STANDARD\nResumableThreshold = 5\nMaxRetry = 20\nMaxThread = 20\nMaxParallelFile = 5\n\
                    JobTimeout = 3500\nJobsenderCompareVersionId = False\nUpdateVersionId = True\nGetObjectWithVersionId = True\n\n\
                    [Debug]\nCleanUnfinishedUpload = False\nLoggingLevel = INFO\nLocalProfileMode = False\nifVerifyMD5Twice = False\n\
                    ChunkSize = 5\n";
    [
        write(bench, "buckets.json", jobs),
        write(bench, "keys.json", &keys),
        write(bench, "config.ini", settings),
        write(
            bench,
            "ignore.txt",
            "photos/exact.mp4\nphotos/exact.*\nphotos/your_*\nelsewhere/*\n*/nobody/readme.md\n",
        ),
    ]
}

#[tokio::test]
async fn old_settings_become_a_config_that_the_app_takes() {
    let bench = Bench::new().await;
    let [jobs, keys, settings, ignored] = old_files(&bench);
    let mut args = vec!["import", "settings", &jobs, &keys, &settings, &ignored, "--region", "eu-west-1"];
    // The last pattern holds for every bucket, and one route has a prefix.
    let refused = bench.run(&args).await;
    assert!(refused.code() == 2 && refused.stdout.is_empty(), "{refused:#?}");
    assert!(
        refused.stderr.contains("left out: ignored \"*/nobody/readme.md\": [1] has a prefix"),
        "{}",
        refused.stderr
    );

    let out = bench.path("transload.config.json");
    args.extend(["--leave-out", "--out", out.to_str().unwrap()]);
    let ran = bench.run(&args).await.ok();
    for name in ["table_queue_name", "MaxRetry", "JobTimeout", "ifVerifyMD5Twice", "ChunkSize"] {
        assert!(ran.stderr.contains(&format!("not carried over: {name} = ")), "{name}: {}", ran.stderr);
    }
    let written = std::fs::read_to_string(&out).unwrap();
    // What the tests of the app make a template of.
    let on_record = Path::new(env!("CARGO_MANIFEST_DIR")).join("cdk/test/imported.config.json");
    let on_record: Value = serde_json::from_slice(&std::fs::read(on_record).unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), on_record);
    assert!(!(written + &ran.stdout + &ran.stderr).contains(SECRETS[1]));

    let again = bench.run(&args).await;
    assert!(again.code() == 2 && again.stderr.contains("--out"), "a file that is there stays: {again:#?}");
}

async fn import(bench: &Bench, aws: &Aws, args: &[&str]) -> Ran {
    let mut command = bench.command(args);
    let output = aws.lead(&mut command, SECRETS[0]).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!ran.stdout.contains(SECRETS[1]) && !ran.stderr.contains(SECRETS[1]), "{ran:#?}");
    ran
}

#[tokio::test]
async fn old_keys_go_into_a_secret_and_nowhere_else() {
    let bench = Bench::new().await;
    let made = json!({"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:transload/china-a", "Name": "transload/china"});
    let aws =
        Aws::start(&[("CreateSecret", 200, made.to_string()), ("PutSecretValue", 200, made.to_string())])
            .await;
    let lines = write(&bench, "key", &format!("{ID}\n{}\n", SECRETS[1]));
    let args = ["import", "credentials", &lines, "--secret", "transload/china"];
    let ran = import(&bench, &aws, &args).await.ok();
    assert_eq!(ran.stdout, "secret transload/china in us-east-1 holds the keys\n");
    assert!(ran.stderr.contains("delete"), "{}", ran.stderr);
    let body =
        |request: &String| serde_json::from_str::<Value>(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let sent = body(&aws.seen()[0]);
    let held: Value = serde_json::from_str(sent["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(held, json!({"aws_access_key_id": ID, "aws_secret_access_key": SECRETS[1]}));
    assert!(sent["Name"] == "transload/china" && sent["ClientRequestToken"].as_str().unwrap().len() >= 32);

    let [_, keys, ..] = old_files(&bench);
    let args = [
        "import",
        "credentials",
        &keys,
        "--secret",
        "transload/china",
        "--replace",
        "--region",
        "eu-west-1",
        "--output",
        "json",
    ];
    let ran = import(&bench, &aws, &args).await.ok();
    assert_eq!(ran.json()["region"], "eu-west-1");
    let seen = aws.seen();
    let sent = body(&seen[1]);
    assert!(seen[1].contains("/eu-west-1/secretsmanager/") && sent["SecretId"] == "transload/china");
    assert!(sent["SecretString"].as_str().unwrap().contains("cn-north-1"), "its Region is kept");
}

#[tokio::test]
async fn a_secret_that_is_there_is_not_overwritten_by_accident() {
    let bench = Bench::new().await;
    let exists = json!({"__type": "ResourceExistsException", "Message": format!("quoted {}", SECRETS[1])});
    let aws = Aws::start(&[("CreateSecret", 400, exists.to_string())]).await;
    let lines = write(&bench, "key", &format!("{ID}\n{}\n", SECRETS[1]));
    let args = ["import", "credentials", &lines, "--secret", "transload/china"];
    let ran = import(&bench, &aws, &args).await;
    assert!(ran.code() == 1 && ran.stderr.contains("--replace puts the keys into it"), "{ran:#?}");
    let wrong = write(&bench, "wrong", SECRETS[1]);
    let ran = import(&bench, &aws, &["import", "credentials", &wrong, "--secret", "a"]).await;
    assert!(ran.code() == 2 && ran.stderr.contains("found 1 lines") && aws.seen().len() == 1, "{ran:#?}");
}

fn item(key: &str, size: usize, status: &[&str]) -> Value {
    json!({"Key": {"S": format!("photos/{key}")}, "Size": {"N": size.to_string()}, "desBucket": {"S": "photos-cn"},
           "desKey": {"S": key}, "lastTimeProgress": {"N": "100"}, "jobStatus": {"SS": status}, "tryTimes": {"N": "1"}})
}

#[tokio::test]
async fn the_old_table_is_read_and_checked() {
    let bench = Bench::new().await;
    bench.china.direct().put("photos-cn", "there", vec![1; 10]);
    bench.china.direct().put("photos-cn", "short", vec![1; 9]);
    let items = [
        item("there", 10, &["DONE"]),
        item("short", 10, &["DONE"]),
        item("gone", 10, &["DONE"]),
        item("never", 10, &["ERR"]),
    ];
    let scan = json!({"Items": items, "Count": 4, "ScannedCount": 4, "ConsumedCapacity": null});
    let scan = write(&bench, "scan.json", &scan.to_string());
    let ran = bench.run(&["import", "table", &scan]).await.ok();
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = json!({"key": "photos/there", "size": 10, "done": true, "destination": {"bucket": "photos-cn", "key": "there"}});
    assert_eq!((lines.len(), &lines[0], &lines[3]["done"]), (4, &first, &json!(false)));
    assert_eq!(ran.stderr, "3 done, 1 not done\n");

    let ran = bench.run(&["import", "table", &scan, "--check", "china"]).await;
    let there: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["there"].clone())
        .collect();
    assert_eq!(there, [json!("same"), json!({"otherSize": 9}), json!("missing"), Value::Null]);
    assert!(
        ran.code() == 1 && ran.stderr.contains("2 objects that were done are not there as they were"),
        "{ran:#?}"
    );
    assert!(bench.run(&["import", "table", &scan, "--check", "mars"]).await.code() == 3);
    let refused = bench.run(&["import", "table", &write(&bench, "empty.json", "{}")]).await;
    assert!(refused.code() == 2 && refused.stderr.contains("expected Items, found none"), "{refused:#?}");
}
