//! Events of API Gateway in the shape that its documentation gives payload version 2.0: the page, the API by IAM, a posted body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use transload_browse::answer_gateway;

use crate::support::{Bench, input, machine};

fn event(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The same event for another path.
fn of(method: &str, path: &str) -> Value {
    let mut event = event(include_str!("events/page.json"));
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["method"] = json!(method);
    event
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_page_and_its_files_are_sent_with_what_keeps_others_out() {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let page = answer_gateway(&bench.world, event(include_str!("events/page.json"))).await;
    assert_eq!(page["statusCode"], 200);
    assert_eq!(page["headers"]["content-type"], "text/html; charset=utf-8");
    assert_eq!(page["headers"]["x-frame-options"], "DENY");
    let text = page["body"].as_str().unwrap();
    assert!(text.contains("<title>transload</title>") && !text.contains("{{key}}"), "{text}");
    let script = answer_gateway(&bench.world, of("GET", "/app.js")).await;
    assert_eq!(script["headers"]["content-type"], "text/javascript; charset=utf-8");
    for (method, path) in [("POST", "/"), ("GET", "/nothing.js"), ("GET", "/../app.js")] {
        let refused = answer_gateway(&bench.world, of(method, path)).await;
        assert_eq!((&refused["statusCode"], &body(&refused)["error"]), (&json!(404), &json!("NoSuchPath")));
    }
}

#[tokio::test]
async fn executions_are_listed_for_a_signed_request_and_started_by_a_posted_one() {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let mut start = of("POST", "/api/start");
    let asked = json!({"machine": machine("object"), "input": input()}).to_string();
    start["body"] = json!(STANDARD.encode(&asked));
    start["isBase64Encoded"] = json!(true);
    let started = answer_gateway(&bench.world, start.clone()).await;
    assert_eq!(started["statusCode"], 200, "{started}");
    let arn = body(&started)["executionArn"].as_str().unwrap().to_owned();
    bench.engine.wait(&arn).await.unwrap();
    start["body"] = json!(asked);
    start["isBase64Encoded"] = json!(false);
    assert_eq!(answer_gateway(&bench.world, start).await["statusCode"], 200, "as text too");
    let listed = answer_gateway(&bench.world, event(include_str!("events/iam.json"))).await;
    assert_eq!(listed["headers"]["cache-control"], "no-store");
    let arns = body(&listed)["executions"].as_array().unwrap().clone();
    assert!(arns.iter().any(|execution| execution["executionArn"] == arn.as_str()), "{arns:?}");
}

#[tokio::test]
async fn what_is_no_request_is_told_so() {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let mut broken = of("POST", "/api/stop");
    broken["body"] = json!("%");
    broken["isBase64Encoded"] = json!(true);
    for (event, field) in [(json!({"version": "1.0", "path": "/"}), "event"), (broken, "body")] {
        let refused = answer_gateway(&bench.world, event).await;
        assert_eq!((&refused["statusCode"], &body(&refused)["field"]), (&json!(400), &json!(field)));
    }
}

#[tokio::test]
async fn an_answer_that_lambda_would_lose_is_refused_and_a_smaller_one_is_sent() {
    // Quotes double in the document, and once more where that is a string in another.
    let long = json!({"Type": "Pass", "Result": {"parts": "\"".repeat(100_000)}, "End": true});
    let bench = Bench::new(long).await;
    let mut arns = Vec::new();
    for _ in 0..20 {
        arns.push(format!("arn={}", bench.ended().await.replace(':', "%3A")));
    }
    let parts = async |arns: &[String]| {
        let mut event = of("GET", "/api/parts");
        event["rawQueryString"] = json!(arns.join("&"));
        answer_gateway(&bench.world, event).await
    };
    let refused = parts(&arns).await;
    assert_eq!((&refused["statusCode"], &body(&refused)["error"]), (&json!(413), &json!("AnswerTooLong")));
    let sent = parts(&arns[..5]).await;
    assert_eq!(
        (&sent["statusCode"], body(&sent)["children"].as_array().map(Vec::len)),
        (&json!(200), Some(5))
    );
    assert!((1_000_000..6_000_000).contains(&sent.to_string().len()));
}
