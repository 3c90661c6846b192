//! Classic notifications: what each record starts, what is ignored by name, and what is an error by field.

use serde_json::{Value, json};

use crate::script::{Outcome, World};

fn record(event: &str, key: &str, sequencer: &str) -> Value {
    json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": event,
           "s3": {"bucket": {"name": "photos"}, "object": {"key": key, "size": 3, "sequencer": sequencer}}})
}

/// Messages as EventBridge Pipes hands them over.
fn messages(bodies: &[Value]) -> Value {
    let message = |(n, body): (usize, &Value)| json!({"messageId": format!("m{n}"), "receiptHandle": "x", "body": body.to_string()});
    bodies.iter().enumerate().map(message).collect()
}

fn started(outcome: &Outcome) -> Vec<String> {
    let output = outcome.output();
    output["started"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_record_of_every_message_starts_a_transfer() {
    let world = World::new(&[]).await;
    let one = json!({"Records": [record("ObjectCreated:Put", "in/a", "01"), record("ObjectRemoved:Delete", "in/b", "02")]});
    let two = json!({"Records": [record("ObjectCreated:CompleteMultipartUpload", "in/c", "03")]});
    let outcome = world.notify(&messages(&[one, two])).await;
    let names = started(&outcome);
    assert_eq!(names.len(), 3, "{}", outcome.output());
    let mut asked = Vec::new();
    for name in &names {
        world.transfer(name).await;
    }
    for call in world.calls("head") {
        let request = &call["request"];
        assert_eq!(request["options"], json!({"delete": true, "copyTags": false}));
        assert_eq!((&request["route"], &request["source"]["location"]), (&json!("photos"), &json!("global")));
        assert_eq!(request["source"]["key"], request["destination"]["key"]);
        assert_eq!(request["destination"]["bucket"], "photos-cn");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        asked.push((text(&request["source"]["key"]), text(&request["event"])));
    }
    asked.sort();
    let expected = [("in/a", "created"), ("in/b", "deleted"), ("in/c", "created")];
    assert_eq!(asked, expected.map(|(key, event)| (key.to_owned(), event.to_owned())));
}

#[tokio::test]
async fn a_message_that_comes_twice_starts_nothing_twice() {
    let world = World::new(&[]).await;
    let batch = messages(&[json!({"Records": [record("ObjectCreated:Put", "in/a", "01")]})]);
    let first = started(&world.notify(&batch).await);
    world.transfer(&first[0]).await;
    let again = world.notify(&batch).await.output();
    assert_eq!((&again["started"], &again["known"]), (&json!([]), &json!([first[0]])));
    let newer = json!({"Records": [record("ObjectCreated:Put", "in/a", "02")]});
    let newer = started(&world.notify(&newer).await);
    assert!(newer.len() == 1 && newer != first, "another write of the key is another transfer");
}

#[tokio::test]
async fn keys_are_decoded_once() {
    let keys = [
        ("in/a+b", "in/a b"),
        ("in/a%2Bb", "in/a+b"),
        ("in/100%25", "in/100%"),
        ("in/%252F", "in/%2F"),
        ("in/%E2%82%AC%F0%9F%9A%80", "in/\u{20ac}\u{1f680}"),
        ("in/x//y=%22", "in/x//y=\""),
    ];
    for (raw, key) in keys {
        let world = World::new(&[]).await;
        let outcome = world.notify(&json!({"Records": [record("s3:ObjectCreated:Copy", raw, "01")]})).await;
        world.transfer(&started(&outcome)[0]).await;
        assert_eq!(world.calls("head")[0]["request"]["source"]["key"], key, "{raw}");
    }
}

#[tokio::test]
async fn what_is_of_no_concern_is_ignored_by_name() {
    let world = World::new(&[]).await;
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"});
    let mut elsewhere = record("ObjectCreated:Put", "in/a", "01");
    elsewhere["s3"]["bucket"]["name"] = "others".into();
    let records =
        [elsewhere, record("ObjectCreated:Put", "out/a", "01"), record("ObjectTagging:Put", "in/a", "01")];
    let outcome = world.notify(&messages(&[test, json!({"Records": records})])).await;
    let expected = [
        "message m0: s3:TestEvent",
        "message m1: Records[0]: bucket others",
        "message m1: Records[1]: a key outside of the prefix",
        "message m1: Records[2]: ObjectTagging:Put",
    ];
    assert_eq!(outcome.output(), json!({"started": [], "known": [], "ignored": expected}));
}

#[tokio::test]
async fn what_can_not_be_read_is_an_error_by_field_after_the_rest_was_started() {
    let bad = |pointer: &str, value: Value| {
        let mut record = record("ObjectCreated:Put", "in/a", "01");
        *record.pointer_mut(pointer).unwrap() = value;
        record
    };
    let rows = [
        (bad("/eventName", json!(7)), "eventName: expected a name such as ObjectCreated:Put, found number"),
        (bad("/s3/bucket", json!({})), "s3.bucket.name: expected a name, found none"),
        (bad("/s3/object/key", json!("")), "s3.object.key: expected an encoded key, found an empty one"),
        (bad("/s3/object", json!({"sequencer": "1"})), "s3.object.key: expected an encoded key, found none"),
        (
            bad("/s3/object/key", json!("in/5%")),
            "s3.object.key: expected % before two hexadecimal digits, found in/5%",
        ),
        (bad("/s3/object/key", json!("in/%FF")), "s3.object.key: expected UTF-8 behind its percent signs"),
        (bad("/s3/object/sequencer", Value::Null), "s3.object.sequencer: expected text, found null"),
        (json!("record"), "eventName: expected a name such as ObjectCreated:Put, found none"),
    ];
    for (row, expected) in rows {
        let world = World::new(&[]).await;
        let good = record("ObjectCreated:Put", "in/good", "01");
        let outcome = world.notify(&json!({"Records": [row, good]})).await;
        assert_eq!(
            (outcome.error(), outcome.cause()),
            ("InputInvalid", format!("Records[0].{expected}").as_str())
        );
        while world.calls("head").is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.calls("head")[0]["request"]["source"]["key"], "in/good");
    }
}

#[tokio::test]
async fn a_message_without_records_is_an_error() {
    let world = World::new(&[]).await;
    let batch =
        json!([{"messageId": "m0", "body": "no json"}, {"messageId": "m1", "body": "{\"Records\": {}}"}]);
    let outcome = world.notify(&batch).await;
    assert_eq!(
        outcome.cause(),
        "message m0: body: expected JSON; message m1: Records: expected a list of records, found object"
    );
}
