//! What is wrong with a request is told by field, expected and found; what is not there is 404.

use serde_json::{Value, json};

use crate::support::{Bench, input, machine};

async fn refused(bench: &Bench, change: impl Fn(&mut Value)) -> (u16, Value) {
    let mut body = json!({"machine": machine("object"), "input": input()});
    change(&mut body);
    bench.post("/api/start", &body).await
}

#[tokio::test]
async fn inputs_are_held_against_what_the_first_state_takes() {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let cases: [(&str, Value, &str, u16); 7] = [
        ("/input/source/bucket", json!(""), "source.bucket", 400),
        ("/input/source/location", json!("mars"), "source.location", 400),
        ("/input/destination/location", json!("mars"), "destination.location", 400),
        (
            "/input/destination",
            json!({"location": "global", "bucket": "photos", "key": "a"}),
            "destination",
            400,
        ),
        ("/input", json!("text"), "input", 400),
        ("/machine", json!(machine("other")), "machine", 404),
        ("/name", json!(7), "name", 400),
    ];
    for (at, value, field, wanted) in cases {
        let (status, body) = refused(&bench, |body| {
            body["name"] = json!("x");
            *body.pointer_mut(at).unwrap() = value.clone();
        })
        .await;
        assert_eq!((status, body["field"].as_str()), (wanted, Some(field)), "{at}: {body}");
        assert!(!body["expected"].as_str().unwrap().is_empty() && body["found"].is_string(), "{at}: {body}");
    }
    let (status, body) =
        refused(&bench, |body| body["input"]["options"] = json!({"maxConcurrency": 0})).await;
    assert_eq!((status, &body["found"]), (400, &json!("0")), "{body}");
    let (status, body) = refused(&bench, |body| {
        body["machine"] = json!(machine("bucket"));
        body["input"] = json!({"source": {"location": "global", "bucket": "photos"},
            "destination": {"location": "china", "bucket": "photos-cn"}, "sync": {"listers": 0}});
    })
    .await;
    assert_eq!((status, &body["field"]), (400, &json!("sync.listers")), "{body}");
    let list = [("machine", &*machine("object"))];
    let listed = Bench::ok(bench.get("/api/executions", &list).await);
    assert_eq!(listed["executions"], json!([]), "something was started all the same");
}

#[tokio::test]
async fn what_is_not_there_or_not_ours_is_not_found() {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let stem = "arn:aws:states:us-east-1:000000000000";
    for tail in ["execution:object:none", "execution:other:none", "execution:object", "stateMachine:object"] {
        let arn = format!("{stem}:{tail}");
        for path in [
            "/api/execution",
            "/api/history",
            "/api/definition",
            "/api/map-runs",
            "/api/report",
            "/api/parts",
        ] {
            let (status, body) = bench.get(path, &[("arn", &arn)]).await;
            assert_eq!(
                (status, &body["error"]),
                (404, &json!("ExecutionDoesNotExist")),
                "{path} {arn}: {body}"
            );
        }
        for path in ["/api/stop", "/api/redrive"] {
            let (status, body) = bench.post(path, &json!({"arn": arn})).await;
            assert_eq!(status, 404, "{path} {arn}: {body}");
        }
    }
    let run = format!("{stem}:mapRun:object/Parts:none");
    assert_eq!(bench.get("/api/children", &[("mapRun", &run)]).await.0, 404);
    assert_eq!(bench.post("/api/concurrency", &json!({"mapRun": run, "maxConcurrency": 1})).await.0, 404);
    assert_eq!(bench.get("/api/nothing", &[]).await.0, 404);
    assert_eq!(bench.post("/api/execution", &json!({})).await.0, 404);
}

#[tokio::test]
async fn parameters_are_checked() {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let arn = bench.ended().await;
    let object = machine("object");
    for (path, query, field) in [
        ("/api/executions", vec![("machine", object.as_str()), ("status", "DONE")], "status"),
        ("/api/executions", vec![("machine", object.as_str()), ("limit", "0")], "limit"),
        ("/api/executions", vec![], "machine"),
        ("/api/history", vec![("arn", arn.as_str()), ("order", "up")], "order"),
        ("/api/history", vec![("arn", arn.as_str()), ("limit", "1001")], "limit"),
        ("/api/parts", vec![("arn", arn.as_str()); 51], "arn"),
    ] {
        let (status, body) = bench.get(path, &query).await;
        assert_eq!((status, body["field"].as_str()), (400, Some(field)), "{path}: {body}");
    }
    let cursor = [("machine", object.as_str()), ("cursor", "made up")];
    assert_eq!(bench.get("/api/executions", &cursor).await.0, 400);
}
