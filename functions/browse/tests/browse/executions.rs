//! Executions from their start to their report, by requests alone.

use serde_json::{Value, json};

use crate::support::{Bench, input, machine};

/// Waits for good.
fn wait() -> Value {
    json!({"Type": "Wait", "Seconds": 90_000, "End": true})
}

/// So many children, each an execution of its own.
fn map_of(children: usize, child: &Value) -> Value {
    json!({"Type": "Map", "Label": "Parts", "MaxConcurrency": 2, "End": true,
        "QueryLanguage": "JSONata", "Items": (0..children).map(|n| json!({"parts": n.to_string()})).collect::<Vec<_>>(),
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Part", "States": {"Part": child}}})
}

#[tokio::test]
async fn one_is_started_looked_at_stopped_and_redriven() {
    let bench = Bench::new(wait()).await;
    let arn = bench.started().await;
    let of = [("arn", arn.as_str())];
    let described = Bench::ok(bench.get("/api/execution", &of).await);
    assert_eq!((&described["status"], &described["input"]), (&json!("RUNNING"), &json!(input().to_string())));
    let running = [("machine", &*machine("object")), ("status", "RUNNING")];
    let listed = Bench::ok(bench.get("/api/executions", &running).await);
    assert_eq!(listed["executions"][0]["executionArn"], arn.as_str());
    let definition = Bench::ok(bench.get("/api/definition", &of).await);
    let definition: Value = serde_json::from_str(definition["definition"].as_str().unwrap()).unwrap();
    assert_eq!(definition["States"]["S"]["Type"], "Wait");

    Bench::ok(bench.post("/api/stop", &json!({"arn": arn, "cause": "enough"})).await);
    let stopped = Bench::ok(bench.get("/api/execution", &of).await);
    assert_eq!((&stopped["status"], &stopped["cause"]), (&json!("ABORTED"), &json!("enough")));
    let report = Bench::ok(bench.get("/api/report", &of).await);
    assert_eq!((&report["status"], &report["redrivable"]), (&json!("ABORTED"), &json!(true)));
    Bench::ok(bench.post("/api/redrive", &json!({"arn": arn})).await);
    assert_eq!(Bench::ok(bench.get("/api/execution", &of).await)["status"], "RUNNING");
    let (status, body) = bench.post("/api/redrive", &json!({"arn": arn})).await;
    assert_eq!((status, &body["error"]), (409, &json!("ExecutionNotRedrivable")));
}

#[tokio::test]
async fn a_map_run_is_told_with_its_children_and_changed() {
    let bench = Bench::new(map_of(5, &json!({"Type": "Pass", "End": true}))).await;
    let arn = bench.ended().await;
    let runs = Bench::ok(bench.get("/api/map-runs", &[("arn", &arn)]).await);
    let run = &runs["mapRuns"][0];
    assert_eq!((&run["executionCounts"]["succeeded"], &run["maxConcurrency"]), (&json!(5), &json!(2)));
    let run = run["mapRunArn"].as_str().unwrap();
    let mut children = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = [("mapRun", run), ("limit", "2"), ("cursor", &*cursor)];
        let page = Bench::ok(bench.get("/api/children", &query).await);
        let arns = page["executions"].as_array().unwrap().iter();
        children.extend(arns.map(|child| child["executionArn"].as_str().unwrap().to_owned()));
        match page["nextToken"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(children.len(), 5);
    let query: Vec<(&str, &str)> = children.iter().map(|child| ("arn", child.as_str())).collect();
    let parts = Bench::ok(bench.get("/api/parts", &query).await);
    let mut asked: Vec<&str> =
        parts["children"].as_array().unwrap().iter().map(|c| c["asked"].as_str().unwrap()).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["0", "1", "2", "3", "4"]);
    assert_eq!(
        (&parts["children"][0]["status"], &parts["children"][0]["failures"]),
        (&json!("SUCCEEDED"), &json!([]))
    );
}

#[tokio::test]
async fn more_children_at_a_time_while_it_runs() {
    let bench = Bench::new(map_of(4, &wait())).await;
    let arn = bench.started().await;
    let run = loop {
        let runs = Bench::ok(bench.get("/api/map-runs", &[("arn", &arn)]).await);
        if runs["mapRuns"][0]["executionCounts"]["running"] == 2 {
            break runs["mapRuns"][0]["mapRunArn"].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    Bench::ok(bench.post("/api/concurrency", &json!({"mapRun": run, "maxConcurrency": 3})).await);
    loop {
        let runs = Bench::ok(bench.get("/api/map-runs", &[("arn", &arn)]).await);
        if runs["mapRuns"][0]["executionCounts"]["running"] == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for wrong in [0, 10_001, -1] {
        let (status, body) =
            bench.post("/api/concurrency", &json!({"mapRun": run, "maxConcurrency": wrong})).await;
        assert_eq!(
            (status, &body["field"], &body["found"]),
            (400, &json!("maxConcurrency"), &json!(wrong.to_string()))
        );
    }
}
