//! Item readers: what each kind of object gives as items, where the items say they are from, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use std::io::Write;
use stepfunctions_local::*;

/// A key and what is behind it.
type Stored = (&'static str, Vec<u8>);

fn gz(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn md5(bytes: &[u8]) -> String {
    use md5::Digest;
    md5::Md5::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A Map that reads, in JSONata; its children hand on what they get.
fn reads(action: &str, arguments: Value, config: Value) -> Value {
    let reader = json!({"ItemReader": {"Resource": format!("arn:aws:states:::s3:{action}"), "Arguments": arguments,
        "ReaderConfig": config}});
    let mut definition = each(reader);
    definition["States"]["Each"].as_object_mut().unwrap().remove("Items");
    definition
}

/// Its children get the item and where it is from.
fn with_source(mut definition: Value) -> Value {
    let selector =
        json!({"v": "{% $states.context.Map.Item.Value %}", "s": "{% $states.context.Map.Item.Source %}"});
    definition["States"]["Each"]["ItemSelector"] = selector;
    definition
}

async fn run(definition: &Value, objects: &[Stored]) -> DescribeExecution {
    let world = World::new(|_, event| Ok(event)).await;
    for (key, body) in objects {
        world.objects.put("results", key, body.clone().into()).await.unwrap();
    }
    world.run(definition, &json!({"bucket": "results", "three": 3})).await
}

fn inventory(files: Value) -> Vec<u8> {
    json!({"sourceBucket": "from", "destinationBucket": "arn:aws:s3:::results", "version": "2016-11-30",
        "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size", "files": files})
    .to_string()
    .into_bytes()
}

fn manifest() -> Value {
    reads(
        "getObject",
        json!({"Bucket": "{% $states.input.bucket %}", "Key": "manifest.json"}),
        json!({"InputType": "MANIFEST", "ManifestType": "S3_INVENTORY"}),
    )
}

#[tokio::test]
async fn an_inventory_is_read_through_its_manifest() {
    let (first, second) =
        (gz("\"from\",\"a b\",\"1\"\n\"from\",\"c\",\"2\"\n"), gz("\"from\",\"d\",\"3\"\n"));
    let files = json!([{"key": "data/1.csv.gz", "size": first.len(), "MD5checksum": md5(&first)},
        {"key": "data/2.csv.gz", "size": second.len(), "MD5checksum": md5(&second)}]);
    let objects = [("manifest.json", inventory(files)), ("data/1.csv.gz", first), ("data/2.csv.gz", second)];
    let ended = run(&with_source(manifest()), &objects).await;
    let row = |key: &str, size: &str| json!({"Bucket": "from", "Key": key, "Size": size});
    let expected = json!([
        {"v": row("a b", "1"), "s": "S3://results/data/1.csv.gz"},
        {"v": row("c", "2"), "s": "S3://results/data/1.csv.gz"},
        {"v": row("d", "3"), "s": "S3://results/data/2.csv.gz"}]);
    assert_eq!(parse(ended.output.as_ref()), expected);
    // The kind of manifest may be left out, and items may be limited across files.
    let mut limited = manifest();
    limited["States"]["Each"]["ItemReader"]["ReaderConfig"] = json!({"InputType": "MANIFEST", "MaxItems": 1});
    let ended = run(&limited, &objects).await;
    assert_eq!(parse(ended.output.as_ref()), json!([row("a b", "1")]));
}

#[tokio::test]
async fn an_inventory_that_is_not_whole_fails_the_reader() {
    let file = gz("\"from\",\"a\",\"1\"\n");
    let wrong = json!([{"key": "1.csv.gz", "size": 1, "MD5checksum": md5(b"something else")}]);
    let orc = String::from_utf8(inventory(json!([]))).unwrap().replace("\"CSV\"", "\"ORC\"").into_bytes();
    let cases: [(Vec<Stored>, &str); 5] = [
        (vec![("manifest.json", inventory(wrong)), ("1.csv.gz", file)], "expected MD5"),
        (vec![("manifest.json", inventory(json!([{"key": "gone.csv"}])))], "NoSuchKey"),
        (
            vec![("manifest.json", inventory(json!([{"key": "1.csv.gz"}]))), ("1.csv.gz", b"plain".to_vec())],
            "no GZIP file",
        ),
        (vec![("manifest.json", orc)], "as CSV only, found ORC"),
        (vec![("manifest.json", b"[]".to_vec())], "no manifest"),
    ];
    for (objects, expected) in cases {
        let ended = run(&manifest(), &objects).await;
        assert_eq!(ended.error.as_deref(), Some("States.ItemReaderFailed"), "{expected}");
        assert!(ended.cause.as_ref().unwrap().contains(expected), "{expected}: {:?}", ended.cause);
    }
}

#[tokio::test]
async fn all_objects_of_a_listing_are_loaded_and_flattened() {
    let objects = [
        ("in/1.jsonl", b"{\"n\":1}\n{\"n\":2}\n".to_vec()),
        ("in/2.jsonl.gz", gz("{\"n\":3}\n")),
        ("in/3.jsonl", Vec::new()),
        ("in/4.jsonl", b"{\"n\":4}".to_vec()),
        ("other", b"no json".to_vec()),
    ];
    let arguments = json!({"Bucket": "results", "Prefix": "in/"});
    let config = json!({"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSONL"});
    let ended = run(&with_source(reads("listObjectsV2", arguments.clone(), config)), &objects).await;
    let item = |n: u64, key: &str| json!({"v": {"n": n}, "s": format!("S3://results/in/{key}")});
    let expected = json!([item(1, "1.jsonl"), item(2, "1.jsonl"), item(3, "2.jsonl.gz"), item(4, "4.jsonl")]);
    assert_eq!(parse(ended.output.as_ref()), expected);
    let config = json!({"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSONL", "MaxItems": "{% $states.input.three %}"});
    let ended = run(&reads("listObjectsV2", arguments, config), &objects).await;
    assert_eq!(parse(ended.output.as_ref()), json!([{"n": 1}, {"n": 2}, {"n": 3}]));
}

#[tokio::test]
async fn csv_and_json_are_flattened_too_and_a_listing_is_not() {
    let objects = [("in/1", b"a,b\n1,2\n3,4\n".to_vec()), ("in/2", b"a,b\n5,6\n".to_vec())];
    let arguments = json!({"Bucket": "results", "Prefix": "in/"});
    let config =
        json!({"Transformation": "LOAD_AND_FLATTEN", "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"});
    let ended = run(&reads("listObjectsV2", arguments.clone(), config), &objects).await;
    let expected = json!([{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": "5", "b": "6"}]);
    assert_eq!(parse(ended.output.as_ref()), expected);
    let json = [("in/1", br#"{"x":[1,2]}"#.to_vec()), ("in/2", br#"{"x":[3]}"#.to_vec())];
    let config = json!({"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON", "ItemsPointer": "/x"});
    let ended = run(&reads("listObjectsV2", arguments.clone(), config), &json).await;
    assert_eq!(parse(ended.output.as_ref()), json!([1, 2, 3]));
    let ended =
        run(&with_source(reads("listObjectsV2", arguments, json!({"Transformation": "NONE"}))), &objects)
            .await;
    let listed = parse(ended.output.as_ref());
    assert_eq!((&listed[1]["v"]["Key"], &listed[1]["v"]["Size"]), (&json!("in/2"), &json!(8)));
    assert_eq!(listed[1]["s"], "S3://results");
}

#[tokio::test]
async fn a_packed_object_is_unpacked_and_the_states_own_items_say_so() {
    let arguments = json!({"Bucket": "results", "Key": "in.json.gz"});
    let ended =
        run(&reads("getObject", arguments, json!({"InputType": "JSON"})), &[("in.json.gz", gz("[7]"))]).await;
    assert_eq!(parse(ended.output.as_ref()), json!([7]));
    let world = World::new(|_, event| Ok(event)).await;
    let ended = world.run(&with_source(each(json!({}))), &json!({"items": [1]})).await;
    assert_eq!(parse(ended.output.as_ref()), json!([{"v": 1, "s": "STATE_DATA"}]));
}

#[tokio::test]
async fn paths_give_every_number_of_a_json_path_map() {
    let world = World::new(|_, event| match event["Items"].as_array() {
        Some(items) if items.contains(&json!({"n": 3})) => Err(("Three".into(), "".into())),
        _ => Ok(event["Items"].clone()),
    })
    .await;
    let lines: Vec<String> = (0..9).map(|n| json!({"n": n}).to_string()).collect();
    world.objects.put("results", "in", lines.join("\n").into()).await.unwrap();
    let definition = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "Label": "Each",
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
            "ReaderConfig": {"InputType": "JSONL", "MaxItemsPath": "$.most"}},
        "ItemBatcher": {"MaxItemsPerBatchPath": "$.batch", "MaxInputBytesPerBatchPath": "$.bytes"},
        "MaxConcurrencyPath": "$.parallel",
        "ToleratedFailurePercentagePath": "$.percent", "ToleratedFailureCountPath": "$.count",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, "StartAt": "Work",
            "States": {"Work": {"Type": "Task", "End": true, "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f"}}}}}});
    let input = json!({"bucket": "results", "key": "in", "most": 5, "batch": 2, "bytes": 1000, "parallel": 1,
        "percent": 40, "count": 2});
    let ended = world.run(&definition, &input).await;
    assert_eq!(parse(ended.output.as_ref()), json!([[{"n": 0}, {"n": 1}], [{"n": 4}]]));
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.max_concurrency, run.tolerated_failure_count), (1, 2));
    assert_eq!(run.tolerated_failure_percentage, 40.0);
    assert_eq!((run.item_counts.total, run.item_counts.failed, run.execution_counts.total), (5, 2, 3));
    let mut strict = input.clone();
    strict["count"] = json!(1);
    let ended = world.run(&definition, &strict).await;
    assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_when_the_machine_is_made() {
    let get = |config: Value| reads("getObject", json!({"Bucket": "b", "Key": "k"}), config);
    let list = |config: Value| reads("listObjectsV2", json!({"Bucket": "b"}), config);
    let cases = [
        (get(json!({"InputType": "PARQUET"})), "The InputType PARQUET is not supported"),
        (
            get(json!({"InputType": "MANIFEST", "ManifestType": "ATHENA_DATA"})),
            "ATHENA_DATA is not supported",
        ),
        (
            get(json!({"InputType": "JSONL", "ManifestType": "S3_INVENTORY"})),
            "Field 'ManifestType' is not supported",
        ),
        (
            get(json!({"InputType": "JSONL", "ItemsPointer": "/a"})),
            "ItemsPointer belongs to the InputType JSON",
        ),
        (get(json!({"InputType": "JSON", "ItemsPointer": "a"})), "not a valid JSONPointer"),
        (
            get(json!({"InputType": "JSON", "Transformation": "NONE"})),
            "Field 'Transformation' is not supported",
        ),
        (list(json!({"Transformation": "LOAD_AND_FLATTEN"})), "'InputType' is required"),
        (
            list(json!({"Transformation": "LOAD_AND_FLATTEN", "InputType": "MANIFEST"})),
            "cannot be read as MANIFEST",
        ),
        (list(json!({"InputType": "JSON"})), "Field 'InputType' is not supported"),
    ];
    let world = World::new(|_, event| Ok(event)).await;
    for (definition, expected) in cases {
        let request =
            CreateStateMachine { name: "m".into(), definition: definition.to_string(), ..Default::default() };
        let refused = world.engine.create_state_machine(request).await.unwrap_err();
        assert_eq!(refused.code, "InvalidDefinition");
        assert!(refused.message.contains(expected), "{expected}: {}", refused.message);
    }
}

#[tokio::test]
async fn a_version_or_anything_else_that_is_not_known_is_not_ignored() {
    let arguments = json!({"Bucket": "results", "Key": "k", "VersionId": "1"});
    let ended =
        run(&reads("getObject", arguments, json!({"InputType": "JSON"})), &[("k", b"[1]".to_vec())]).await;
    assert_eq!(ended.error.as_deref(), Some("States.Runtime"));
    assert!(ended.cause.unwrap().contains("'VersionId'"));
    let arguments = json!({"Bucket": "results", "Key": "k.zst"});
    let ended = run(&reads("getObject", arguments, json!({"InputType": "JSON"})), &[("k.zst", vec![])]).await;
    assert!(ended.cause.unwrap().contains("ZSTD"));
}
