//! Distributed Maps: children, batches, tolerance, results, counts, changes while they run.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use stepfunctions_local::*;

fn odd_fail(_: &str, event: Value) -> Result<Value, (String, String)> {
    match event.as_i64() {
        Some(n) if n % 2 == 1 => Err(("Odd".into(), format!("{n} is odd"))),
        _ => Ok(event),
    }
}

fn writer() -> Value {
    json!({"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "results", "Prefix": "out"}}})
}

#[tokio::test]
async fn children_have_histories_and_results_stay_in_order() {
    let world = World::new(|_, event| Ok(json!({"was": event}))).await;
    let ended = world.run(&each(json!({})), &json!({"items": [3, 1, 2]})).await;
    assert_eq!(parse(ended.output.as_ref()), json!([{"was": 3}, {"was": 1}, {"was": 2}]));
    let lines = world.lines(&ended.execution_arn).await;
    assert_eq!(
        lines,
        [
            "1<0 ExecutionStarted",
            "2<0 MapStateEntered",
            "3<2 MapStateStarted",
            "4<3 MapRunStarted",
            "5<4 MapRunSucceeded",
            "6<5 MapStateSucceeded",
            "7<4 MapStateExited",
            "8<7 ExecutionSucceeded"
        ]
    );
    let run = world.map_run(&ended.execution_arn).await;
    assert!(
        run.map_run_arn.starts_with("arn:aws:states:us-east-1:000000000000:mapRun:machine/Each:"),
        "{}",
        run.map_run_arn
    );
    assert_eq!((run.item_counts.total, run.item_counts.succeeded, run.execution_counts.succeeded), (3, 3, 3));
    let request = ListExecutions { map_run_arn: Some(run.map_run_arn), ..Default::default() };
    let children = world.engine.list_executions(request).await.unwrap().items;
    assert!(
        children[0]
            .execution_arn
            .starts_with("arn:aws:states:us-east-1:000000000000:execution:machine/Each:")
    );
    let lines = world.lines(&children[0].execution_arn).await;
    assert_eq!(lines.len(), 7);
    assert_eq!((lines[0].as_str(), lines[6].as_str()), ("1<0 ExecutionStarted", "7<6 ExecutionSucceeded"));
}

#[tokio::test]
async fn batches_respect_both_limits_and_carry_their_input() {
    let world = World::new(|_, event| Ok(event["Items"].clone())).await;
    let batcher = json!({"ItemBatcher": {"MaxItemsPerBatch": 3, "MaxInputBytesPerBatch": 60, "BatchInput": {"k": "{% 1 + 1 %}"}},
        "ItemSelector": {"n": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value %}"}, "MaxConcurrency": 1});
    world.run(&each(batcher), &json!({"items": [1, 2, 3, 4, 5, "a text that takes much room"]})).await;
    let events = world.events();
    assert!(events.iter().all(|e| e["BatchInput"] == json!({"k": 2})));
    let sizes: Vec<usize> = events.iter().map(|e| e["Items"].as_array().unwrap().len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 6);
    assert!(
        events.iter().all(|e| e["Items"].as_array().unwrap().len() == 1 || e.to_string().len() <= 60),
        "{events:?}"
    );
    assert_eq!(events[0]["Items"][0], json!({"n": 0, "v": 1}));
}

#[tokio::test]
async fn results_are_written_with_a_manifest() {
    let world = World::new(odd_fail).await;
    let settings = with(writer(), json!({"ToleratedFailureCount": 2}));
    let ended = world.run(&each(settings), &json!({"items": [0, 1, 2, 3, 4]})).await;
    let output = parse(ended.output.as_ref());
    let key = output["ResultWriterDetails"]["Key"].as_str().unwrap();
    assert!(key.starts_with("out/") && key.ends_with("/manifest.json"));
    let manifest = world.object(key).await;
    assert_eq!(
        (&manifest["DestinationBucket"], &manifest["MapRunArn"]),
        (&json!("results"), &output["MapRunArn"])
    );
    assert_eq!(manifest["ResultFiles"]["PENDING"], json!([]));
    let file = |kind: &str| manifest["ResultFiles"][kind][0]["Key"].as_str().unwrap().to_owned();
    let done = world.object(&file("SUCCEEDED")).await;
    let outputs: Vec<&str> = done.as_array().unwrap().iter().map(|r| r["Output"].as_str().unwrap()).collect();
    assert_eq!(outputs, ["0", "2", "4"], "Output is a text in these records");
    let failed = world.object(&file("FAILED")).await;
    assert_eq!(
        (&failed[0]["Error"], &failed[0]["Input"], &failed[0]["Status"]),
        (&json!("Odd"), &json!("1"), &json!("FAILED"))
    );
    assert_eq!(failed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn too_many_failures_end_the_run_and_leave_the_rest_pending() {
    let world = World::new(odd_fail).await;
    let settings = with(writer(), json!({"ToleratedFailureCount": 1, "MaxConcurrency": 1}));
    let ended = world.run(&each(settings), &json!({"items": [1, 0, 3, 2, 4]})).await;
    assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(world.events(), [json!(1), json!(0), json!(3)]);
    let lines = world.lines(&ended.execution_arn).await;
    assert_eq!(lines[4..], ["5<4 MapRunFailed", "6<5 MapStateFailed", "7<6 ExecutionFailed"]);
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.status, run.item_counts.failed, run.item_counts.pending), (Status::Failed, 2, 2));
    let pending = world.objects.keys("results").into_iter().find(|k| k.contains("PENDING_0")).unwrap();
    let pending = world.object(&pending).await;
    assert_eq!((&pending[0]["Input"], pending.as_array().unwrap().len()), (&json!("2"), 2));
}

#[tokio::test]
async fn percentage_is_of_all_items() {
    for (percent, status) in [(40, Status::Succeeded), (39, Status::Failed)] {
        let world = World::new(odd_fail).await;
        let ended = world
            .run(&each(json!({"ToleratedFailurePercentage": percent})), &json!({"items": [0, 1, 2, 3, 4]}))
            .await;
        assert_eq!(ended.status, status, "{percent}");
    }
}

#[tokio::test]
async fn without_a_writer_results_have_to_fit_and_nothing_catches_it() {
    // 2 brackets, two texts in quotes and a comma: exactly 262,144 bytes, then one more.
    for (length, status) in [(262_144 - 2 - 4 - 1, Status::Succeeded), (262_144 - 2 - 4, Status::Failed)] {
        let world = World::new(move |_, event| {
            let half = length / 2;
            Ok(json!("x".repeat(if event == 0 { half } else { length - half })))
        })
        .await;
        let mut definition =
            each(json!({"Next": "Done", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]}));
        definition["States"]["Each"].as_object_mut().unwrap().remove("End");
        definition["States"]["Done"] = json!({"Type": "Succeed"});
        let ended = world.run(&definition, &json!({"items": [0, 1]})).await;
        assert_eq!(ended.status, status, "{length}");
        if status == Status::Failed {
            assert_eq!(ended.error.as_deref(), Some("States.DataLimitExceeded"));
        }
    }
}

#[tokio::test]
async fn concurrency_can_be_raised_while_the_run_runs() {
    let world = World::new(odd_fail).await;
    let machine = world.machine(&each(json!({"MaxConcurrency": 1}))).await;
    let arn =
        world.start(&machine, &json!({"items": [{"hang": true}, {"hang": true}, {"hang": true}]})).await;
    let calls = |n: usize| {
        let functions = world.functions.clone();
        async move {
            while functions.calls.lock().unwrap().len() < n {
                tokio::task::yield_now().await;
            }
        }
    };
    calls(1).await;
    let run = world.map_run(&arn).await;
    assert_eq!((run.max_concurrency, run.execution_counts.running, run.execution_counts.pending), (1, 1, 2));
    let change = UpdateMapRun { max_concurrency: Some(3), ..Default::default() };
    world.engine.update_map_run(&run.map_run_arn, change).await.unwrap();
    calls(3).await;
    let run = world.map_run(&arn).await;
    assert_eq!((run.max_concurrency, run.execution_counts.running, run.execution_counts.pending), (3, 3, 0));
    world.engine.stop_execution(&arn, Some("Enough".into()), None).await.unwrap();
    let ended = world.engine.describe_execution(&arn).await.unwrap();
    assert_eq!((ended.status, ended.error.as_deref()), (Status::Aborted, Some("Enough")));
    let run = world.map_run(&arn).await;
    assert_eq!(
        (run.status, run.execution_counts.aborted, run.execution_counts.running),
        (Status::Aborted, 3, 0)
    );
    assert_eq!(world.lines(&arn).await.last().unwrap(), "5<4 ExecutionAborted");
}

#[tokio::test]
async fn items_come_out_of_json_lines() {
    let world = World::new(|_, event| Ok(event)).await;
    world.objects.put("results", "in.jsonl", "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}".into()).await.unwrap();
    let reader = json!({"ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Arguments": {"Bucket": "results", "Key": "in.jsonl"},
        "ReaderConfig": {"InputType": "JSONL", "MaxItems": 2}}});
    let mut definition = each(reader);
    definition["States"]["Each"].as_object_mut().unwrap().remove("Items");
    let ended = world.run(&definition, &json!({})).await;
    assert_eq!(parse(ended.output.as_ref()), json!([{"a": 1}, {"a": 2}]));
}
