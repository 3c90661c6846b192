//! Map Runs: the service's pace, Express children, nesting, every form of ResultWriter, changes while they run.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use std::sync::Arc;
use stepfunctions_local::*;

fn express(mut definition: Value) -> Value {
    definition["States"]["Each"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = json!("EXPRESS");
    definition
}

/// Seconds of virtual time that `count` children take, as deployed or not.
async fn seconds(definition: &Value, count: u64, as_deployed: bool) -> f64 {
    let clock = VirtualClock::new(Timestamp::from_millis(START));
    let builder = Engine::builder().clock(Arc::new(clock.clone())).as_deployed(as_deployed);
    let engine = builder.open().await.unwrap();
    let request = CreateStateMachine {
        name: "machine".into(),
        definition: definition.to_string(),
        ..Default::default()
    };
    let machine = engine.create_state_machine(request).await.unwrap().state_machine_arn;
    let items: Vec<u64> = (0..count).collect();
    let request = StartExecution {
        state_machine_arn: machine,
        name: None,
        input: Some(json!({"items": items}).to_string()),
    };
    let arn = engine.start_execution(request).await.unwrap().execution_arn;
    let ended = engine.wait(&arn).await.unwrap();
    assert_eq!(ended.status, Status::Succeeded);
    (ended.stop_date.unwrap().millis() - START) as f64 / 1000.0
}

#[tokio::test]
async fn as_deployed_children_start_at_the_services_rate() {
    let mut definition = each(json!({}));
    definition["States"]["Each"]["ItemProcessor"]["States"]["Work"] = json!({"Type": "Pass", "End": true});
    let standard = seconds(&definition, 450, true).await;
    assert!((4.0..5.0).contains(&standard), "450 Standard children at 100 a second: {standard}");
    let fast = seconds(&express(definition.clone()), 450, true).await;
    assert!(fast < 1.0, "450 Express children at 1,000 a second: {fast}");
    let batched =
        with(definition["States"]["Each"].clone(), json!({"ItemBatcher": {"MaxItemsPerBatch": 10}}));
    let batched = seconds(&machine("Each", json!({"Each": batched})), 450, true).await;
    assert!(batched < 1.0, "45 batches: {batched}");
    let free = seconds(&definition, 450, false).await;
    assert!(free < 1.0, "{free}");
}

#[tokio::test]
async fn an_express_child_has_five_minutes_and_a_standard_one_has_as_long_as_it_takes() {
    let world = World::new(|_, event| Ok(event)).await;
    let mut definition = each(json!({"ToleratedFailureCount": 1}));
    definition["States"]["Each"]["ItemProcessor"]["States"]["Work"] =
        json!({"Type": "Wait", "Seconds": "{% $states.input %}", "End": true});
    let input = json!({"items": [299, 301]});
    let ended = world.run(&express(definition.clone()), &input).await;
    assert_eq!(parse(ended.output.as_ref()), json!([299]));
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.execution_counts.succeeded, run.execution_counts.timed_out), (1, 1));
    let world = World::new(|_, event| Ok(event)).await;
    let ended = world.run(&definition, &input).await;
    assert_eq!(parse(ended.output.as_ref()), input["items"]);
}

#[tokio::test]
async fn a_map_in_a_child_of_a_map_has_a_run_of_its_own() {
    let world = World::new(|_, event| Ok(event)).await;
    let mut inner = each(json!({"Items": "{% $states.input %}", "Label": "Inner"}))["States"]["Each"].clone();
    inner["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = json!("EXPRESS");
    let mut outer = each(json!({"Label": "Outer"}));
    outer["States"]["Each"]["ItemProcessor"]["StartAt"] = json!("Inner");
    outer["States"]["Each"]["ItemProcessor"]["States"] = json!({"Inner": inner});
    let ended = world.run(&outer, &json!({"items": [[1, 2], [], [3]]})).await;
    assert_eq!(parse(ended.output.as_ref()), json!([[1, 2], [], [3]]));
    let run = world.map_run(&ended.execution_arn).await;
    let request = ListExecutions { map_run_arn: Some(run.map_run_arn), ..Default::default() };
    let children = world.engine.list_executions(request).await.unwrap().items;
    assert_eq!(children.len(), 3);
    let inner = world.map_run(&children[0].execution_arn).await;
    assert_eq!((inner.status, inner.execution_counts.succeeded), (Status::Succeeded, 2));
    assert!(inner.map_run_arn.contains("/Inner:"), "{}", inner.map_run_arn);
    // An EXPRESS child cannot have a distributed Map.
    let refused = express(outer);
    let request =
        CreateStateMachine { name: "no".into(), definition: refused.to_string(), ..Default::default() };
    assert_eq!(world.engine.create_state_machine(request).await.unwrap_err().code, "InvalidDefinition");
}

/// The files of one kind, by their manifest.
async fn files(world: &World, output: &Value, kind: &str) -> Vec<String> {
    let manifest = world.object(output["ResultWriterDetails"]["Key"].as_str().unwrap()).await;
    let mut found = Vec::new();
    for file in manifest["ResultFiles"][kind].as_array().unwrap() {
        let body = world.objects.get("results", file["Key"].as_str().unwrap()).await.unwrap();
        assert_eq!(file["Size"], json!(body.len()), "{file}");
        found.push(String::from_utf8(body.to_vec()).unwrap());
    }
    found
}

#[tokio::test]
async fn every_form_of_result_writer() {
    let (input, none) = (json!({"items": [[1, 2], 3, []]}), json!([[1, 2], 3, []]));
    let flat = json!([1, 2, 3]);
    for (transformation, expected) in [("NONE", None), ("COMPACT", Some(&none)), ("FLATTEN", Some(&flat))] {
        for output_type in ["JSON", "JSONL"] {
            let config = json!({"Transformation": transformation, "OutputType": output_type});
            let world = World::new(|_, event| Ok(event)).await;
            // Without a place, the result stays in the state's output.
            let ended = world.run(&each(json!({"ResultWriter": {"WriterConfig": config}})), &input).await;
            let output = parse(ended.output.as_ref());
            match expected {
                Some(expected) => assert_eq!(&output, expected, "{config}"),
                None => assert_eq!(output[0]["Output"], "[1,2]", "{config}"),
            }
            // With one, it is in files.
            let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "results", "Prefix": "out"},
                "WriterConfig": config});
            let world = World::new(|_, event| Ok(event)).await;
            let ended = world.run(&each(json!({"ResultWriter": writer})), &input).await;
            let written = files(&world, &parse(ended.output.as_ref()), "SUCCEEDED").await;
            let values: Vec<Value> = match output_type {
                "JSON" => serde_json::from_str(&written[0]).unwrap(),
                _ => written[0].lines().map(|l| serde_json::from_str(l).unwrap()).collect(),
            };
            match expected {
                Some(expected) => assert_eq!(&Value::Array(values), expected, "{config}"),
                None => {
                    assert_eq!(values.len(), 3);
                    assert_eq!(
                        (&values[0]["Output"], &values[0]["Status"]),
                        (&json!("[1,2]"), &json!("SUCCEEDED"))
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn failed_children_are_written_whole_whatever_the_transformation() {
    let world = World::new(|_, event| match event == 2 {
        true => Err(("Two".into(), "2".into())),
        false => Ok(event),
    })
    .await;
    let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "results"},
        "WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}});
    let settings = json!({"ResultWriter": writer, "ToleratedFailurePercentage": 50});
    let ended = world.run(&each(settings), &json!({"items": [1, 2]})).await;
    let output = parse(ended.output.as_ref());
    let failed = files(&world, &output, "FAILED").await;
    let failed: Value = serde_json::from_str(&failed[0]).unwrap();
    assert_eq!((&failed[0]["Error"], &failed[0]["Input"]), (&json!("Two"), &json!("2")));
    assert!(
        !output["ResultWriterDetails"]["Key"].as_str().unwrap().starts_with('/'),
        "no prefix, no separator"
    );
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.item_counts.results_written, run.item_counts.failed), (2, 1));
}

#[tokio::test]
async fn tolerance_can_be_changed_while_the_run_runs() {
    for (change, status) in [
        (UpdateMapRun { tolerated_failure_count: Some(0), ..Default::default() }, Status::Failed),
        (UpdateMapRun { tolerated_failure_percentage: Some(30.0), ..Default::default() }, Status::Failed),
        (UpdateMapRun { tolerated_failure_count: Some(3), ..Default::default() }, Status::Running),
    ] {
        let world = World::new(|_, event| match event == 1 {
            true => Err(("One".into(), "".into())),
            false => Ok(event),
        })
        .await;
        let machine = world.machine(&each(json!({"ToleratedFailureCount": 2}))).await;
        let arn = world.start(&machine, &json!({"items": [1, {"hang": true}]})).await;
        let run = loop {
            tokio::task::yield_now().await;
            match world.engine.list_map_runs(&arn).await.unwrap().first() {
                Some(run) => {
                    let run = world.engine.describe_map_run(&run.map_run_arn).await.unwrap();
                    if run.item_counts.failed == 1 && run.item_counts.running == 1 {
                        break run;
                    }
                }
                None => continue,
            }
        };
        world.engine.update_map_run(&run.map_run_arn, change).await.unwrap();
        if status == Status::Running {
            assert_eq!(world.engine.describe_execution(&arn).await.unwrap().status, status);
            continue;
        }
        let ended = world.engine.wait(&arn).await.unwrap();
        assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
        let run = world.engine.describe_map_run(&run.map_run_arn).await.unwrap();
        assert_eq!((run.item_counts.failed, run.item_counts.aborted), (1, 1));
        let refused = world.engine.update_map_run(&run.map_run_arn, UpdateMapRun::default()).await;
        assert_eq!(refused.unwrap_err().code, "ValidationException", "only while it runs");
    }
}

#[tokio::test]
async fn a_retry_of_a_map_is_a_new_run_over_all_items() {
    let world = World::new(|_, event| match event == 2 {
        true => Err(("Two".into(), "".into())),
        false => Ok(event),
    })
    .await;
    let retry = json!({"MaxConcurrency": 1,
        "Retry": [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "MaxAttempts": 1}]});
    let ended = world.run(&each(retry), &json!({"items": [1, 2]})).await;
    assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(world.events(), [json!(1), json!(2), json!(1), json!(2)]);
    let runs = world.engine.list_map_runs(&ended.execution_arn).await.unwrap();
    assert_eq!(runs.len(), 2);
    assert_ne!(runs[0].map_run_arn, runs[1].map_run_arn);
}

#[tokio::test]
async fn the_order_of_events_is_that_of_the_time_asked_for() {
    for (moment, follows) in [(None, 4), (Some(1_718_800_000_000), 5)] {
        let clock = VirtualClock::new(Timestamp::from_millis(START));
        let mut builder = Engine::builder().clock(Arc::new(clock));
        if let Some(moment) = moment {
            builder = builder.as_of(Timestamp::from_millis(moment));
        }
        let engine = builder.open().await.unwrap();
        let mut definition = each(json!({}));
        definition["States"]["Each"]["ItemProcessor"]["States"]["Work"] =
            json!({"Type": "Pass", "End": true});
        let request =
            CreateStateMachine { name: "m".into(), definition: definition.to_string(), ..Default::default() };
        let machine = engine.create_state_machine(request).await.unwrap().state_machine_arn;
        let request = StartExecution {
            state_machine_arn: machine,
            name: None,
            input: Some(json!({"items": [1]}).to_string()),
        };
        let arn = engine.start_execution(request).await.unwrap().execution_arn;
        engine.wait(&arn).await.unwrap();
        let events = engine.get_execution_history(&arn, HistoryOptions::default()).await.unwrap().items;
        let exited = events.iter().find(|e| e.kind == "MapStateExited").unwrap();
        assert_eq!(exited.previous_event_id, follows);
    }
}
