//! The comparison itself, held against answers that were damaged: whatever is changed must be seen, and what a recording
//! leaves open must not.
use super::archive;
use super::verdict::judge;
use serde_json::{Value, json};

/// A case, and the line that its own recording makes.
struct Recorded {
    case: Value,
    line: Value,
}

impl Recorded {
    /// An execution, with what a case says beside its history.
    fn execution(events: &Value, more: &Value) -> Self {
        let mut case = json!({"id": "c", "kind": "execution", "expected": {"h": {"events": events}},
            "runs": [{"run": 0, "history_key": "h", "result": {"status": "SUCCEEDED"}}]});
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Self { case, line: json!({"id": "c", "run": 0, "history": events}) }
    }

    /// Calls that were answered as recorded.
    fn calls(answers: &Value, more: &Value) -> Self {
        let mut case = json!({"id": "c", "kind": "api", "expected": answers});
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Self { case, line: json!({"id": "c", "run": 0, "responses": answers}) }
    }

    /// Whether the line, changed, still counts as recorded.
    fn holds(&self, change: impl FnOnce(&mut Value)) -> bool {
        let mut line = self.line.clone();
        change(&mut line);
        judge(&self.case, &[line]).is_ok()
    }

    /// Whether a change is seen.
    fn sees(&self, change: impl FnOnce(&mut Value)) -> bool {
        assert_eq!(judge(&self.case, std::slice::from_ref(&self.line)), Ok(()), "the recording itself");
        !self.holds(change)
    }
}

fn event(id: u64, cause: u64, kind: &str, details: &Value) -> Value {
    let mut event = json!({"id": id, "previousEventId": cause, "timestamp": "timestamp", "type": kind});
    event.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    event
}

fn entered(id: u64, cause: u64, name: &str) -> Value {
    let details =
        json!({"stateEnteredEventDetails": {"name": name, "input": {"a": [1, null, "{\"b\": 2}"]}}});
    event(id, cause, "PassStateEntered", &details)
}

fn small() -> Recorded {
    let end = json!({"executionSucceededEventDetails": {"output": {"at": "date", "n": 1}}});
    let events = json!([
        event(1, 0, "ExecutionStarted", &json!({})),
        entered(2, 0, "A"),
        event(3, 2, "ExecutionSucceeded", &end),
    ]);
    Recorded::execution(&events, &json!({}))
}

fn events(line: &mut Value) -> &mut Vec<Value> {
    line["history"].as_array_mut().unwrap()
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn a_history_counts_event_by_event() {
    let small = small();
    assert!(small.sees(|l| events(l).swap(0, 1)), "order");
    assert!(small.sees(|l| events(l)[1]["id"] = json!(7)), "id");
    assert!(small.sees(|l| events(l)[2]["previousEventId"] = json!(1)), "cause");
    assert!(small.sees(|l| events(l)[1]["type"] = json!("PassStateExited")), "type");
    assert!(small.sees(|l| drop(events(l).remove(1))), "an event less");
    assert!(small.sees(|l| events(l).insert(1, entered(2, 0, "A"))), "an event more");
    assert!(small.sees(|l| remove(l, "history")), "none at all");
    assert!(small.sees(|l| *l = json!({"id": "c", "run": 1})), "no such run");
}

#[test]
fn members_count_on_both_sides() {
    let small = small();
    assert!(small.sees(|l| events(l)[1]["stateEnteredEventDetails"]["more"] = json!(1)));
    assert!(small.sees(|l| remove(&mut events(l)[1]["stateEnteredEventDetails"], "name")));
    assert!(small.sees(|l| remove(&mut events(l)[0], "timestamp")));
    assert!(small.sees(|l| events(l)[0]["timestamp"] = Value::Null));
    assert!(small.holds(|l| events(l)[1]["more"] = Value::Null), "a member without a value is none");
}

#[test]
fn texts_are_compared_as_documents() {
    let small = small();
    let input = |text: &str| {
        let text = json!(text);
        move |l: &mut Value| events(l)[1]["stateEnteredEventDetails"]["input"] = text
    };
    assert!(small.holds(input(r#"{ "a" : [1.0, null, "{ \"b\":2 }"] }"#)), "spacing and 1.0");
    assert!(small.sees(input(r#"{"a": [2, null, "{\"b\": 2}"]}"#)), "a number");
    assert!(small.sees(input(r#"{"a": ["1", null, "{\"b\": 2}"]}"#)), "a string for a number");
    assert!(small.sees(input(r#"{"a": [1, null, 2]}"#)), "a number for a string");
    assert!(small.sees(input(r#"{"a": [1, "{\"b\": 2}"]}"#)), "nulls count inside");
    assert!(small.sees(input(r#"{"a": [1, null, {"b": 2}]}"#)), "an object for its text");
    assert!(small.sees(input(r#"{"a": [1, null, "{\"b\": 3}"]}"#)), "inside of the inner text");
    assert!(small.sees(input(r#"{"a": [1, null, "{\"b\": 2"]}"#)), "a text that is no document");
    let output = |l: &mut Value, at: &str| {
        events(l)[2]["executionSucceededEventDetails"]["output"] = json!({"at": at, "n": 1});
    };
    assert!(small.holds(|l| output(l, "2026-01-31T12:00:00.123Z")), "a moment");
    assert!(small.holds(|l| output(l, "timestamp")), "whatever");
}

#[test]
fn moments_inside_of_texts_are_replaced_and_others_stay() {
    let of = |message: &str| json!({"k": {"message": message}});
    let told = Recorded::calls(&of("from date on"), &json!({}));
    assert!(told.holds(|l| l["responses"] = of("from 2026-01-31T12:00:00Z on")));
    assert!(told.sees(|l| l["responses"] = of("from 2026-13-31T12:00:00Z on")), "there is no 13th month");
    assert!(told.sees(|l| l["responses"] = of("from 2026-01-31 on")), "a day is no moment");
}

#[test]
fn a_placeholder_has_one_value() {
    let id = "[0-9a-f]{4}";
    let answers = json!({"a": {"arn": "x:<id:1>/<id:2>", "same": "<id:1>"}, "b": ["<id:2>"], "t": "<any>", "u": "<any>"});
    let tokens = |same: &str| {
        json!({"placeholders": [{"token": "<id:1>", "pattern": id, "same_value": same},
            {"token": "<id:2>", "pattern": id, "same_value": "case"},
            {"token": "<any>", "pattern": "[a-z]+", "same_value": "any"}]})
    };
    let fill = |one: &'static str, again: &'static str, two: &'static str| {
        move |l: &mut Value| {
            l["responses"] =
                json!({"a": {"arn": format!("x:{one}/00ab"), "same": again}, "b": [two], "t": "t", "u": "u"});
        }
    };
    let recorded = Recorded::calls(&answers, &tokens("case"));
    assert!(recorded.holds(fill("12ab", "12ab", "00ab")));
    assert!(recorded.sees(fill("12ab", "12ac", "00ab")), "another value");
    assert!(recorded.sees(fill("12ab", "12ab", "00ac")), "another value in a later answer");
    assert!(recorded.sees(fill("12abc", "12abc", "00ab")), "not what the pattern says");
    assert!(recorded.sees(|l| l["responses"]["t"] = json!("T")), "not what the pattern says");
    assert!(
        Recorded::calls(&answers, &tokens("any")).holds(fill("12ab", "12ac", "00ab")),
        "any value each time"
    );
}

#[test]
fn words_stand_for_values_only_as_words() {
    let tokens = json!({"placeholders": [{"token": "name", "pattern": "[a-z]+", "same_value": "case"}],
        "wildcards": ["X-Id"]});
    let recorded =
        Recorded::calls(&json!({"a": "my name is", "b": "surname", "c": "X-Id", "d": "is X-Id"}), &tokens);
    let answered = |name: &str, value: Value| recorded.holds(|l| l["responses"][name] = value);
    assert!(answered("a", json!("my cat is")));
    assert!(!answered("a", json!("your cat is")));
    assert!(!answered("b", json!("surcat")), "a part of a word");
    assert!(answered("c", json!(["anything"])), "a wildcard is the whole of a value");
    assert!(!answered("c", Value::Null), "but there must be one");
    assert!(!answered("d", json!("is anything")), "and not a part");
}

/// Two branches, the first a state longer. `swapped`: the events of the second come first.
fn branches(swapped: bool) -> Value {
    let [a, b, a2] = if swapped { [5, 4, 6] } else { [4, 5, 6] };
    let named = |id, cause, name: &str| {
        let mut event = entered(id, cause, name);
        event["stateEnteredEventDetails"]["input"] = json!([format!("id of {}", &name[..1])]);
        event
    };
    let mut events = vec![
        event(1, 0, "ExecutionStarted", &json!({})),
        event(2, 0, "ParallelStateEntered", &json!({})),
        event(3, 2, "ParallelStateStarted", &json!({})),
        named(a, 3, "A"),
        named(b, 3, "B"),
        named(a2, a, "A2"),
        event(7, if swapped { b } else { a2 }, "ParallelStateSucceeded", &json!({})),
        event(8, 7, "ExecutionSucceeded", &json!({"executionSucceededEventDetails": {"output": "[]"}})),
    ];
    events.sort_by_key(|e| e["id"].as_u64());
    json!(events)
}

#[test]
fn branches_may_interleave_but_not_change_their_causes() {
    let token = |text: &str| json!({"token": text, "pattern": "[a-z]{4}", "same_value": "case"});
    let more = json!({"concurrent": true, "placeholders": [token("id of A"), token("id of B")]});
    let recorded = Recorded::execution(&branches(false), &more);
    assert!(recorded.holds(|l| l["history"] = branches(true)));
    let alone = Recorded::execution(&branches(false), &json!({}));
    assert!(alone.sees(|l| l["history"] = branches(true)), "only where branches run side by side");
    let other = |change: fn(&mut Vec<Value>)| {
        !recorded.holds(|l| {
            l["history"] = branches(true);
            change(events(l));
        })
    };
    let filled = |a: &'static str, b: &'static str, a2: &'static str| {
        recorded.holds(|l| {
            l["history"] = branches(true);
            for (at, id) in [(4, a), (3, b), (5, a2)] {
                events(l)[at]["stateEnteredEventDetails"]["input"] = json!([id]);
            }
        })
    };
    assert!(filled("aaaa", "bbbb", "aaaa"), "what a wrong order has found is forgotten");
    assert!(!filled("aaaa", "bbbb", "bbbb"), "another value further on in a branch");
    assert!(!filled("aaaa", "bbbb", "a"), "no such value further on in a branch");
    assert!(other(|e| e[5]["previousEventId"] = json!(4)), "A2 after B");
    assert!(other(|e| e[3]["previousEventId"] = json!(2)), "B outside of the branches");
    assert!(other(|e| e[3] = entered(4, 3, "C")), "another state");
    assert!(other(|e| e[7]["previousEventId"] = json!(5)), "an end that follows from a branch");
    assert!(other(|e| e[4]["id"] = json!(4)), "an id twice");
    assert!(other(|e| e[3]["previousEventId"] = json!(9)), "a cause that comes later");
    assert!(other(|e| drop(e.remove(5))), "an event less");
}

#[test]
fn branches_without_places_are_sets() {
    let mut sorted = branches(false);
    for event in &mut sorted.as_array_mut().unwrap()[3..6] {
        event["id"] = json!([0]);
        event["previousEventId"] = json!(0);
    }
    let exit = |cause| event(8, cause, "ParallelStateExited", &json!({}));
    sorted.as_array_mut().unwrap().swap(3, 5);
    sorted[6] = exit(7);
    let full = |swapped: bool| {
        let mut full = branches(swapped);
        full.as_array_mut().unwrap().insert(7, exit(7));
        full[8]["id"] = json!(8);
        full
    };
    let recorded = Recorded {
        line: json!({"history": full(false)}),
        ..Recorded::execution(&sorted, &json!({"normalise": ["parallel_sort"]}))
    };
    assert!(recorded.holds(|l| l["history"] = full(true)));
    assert!(recorded.sees(|l| events(l)[4] = entered(5, 3, "C")), "another state");
    assert!(recorded.sees(|l| drop(events(l).remove(4))), "an event less");
    assert!(recorded.sees(|l| events(l)[7]["id"] = json!(9)), "the rest keeps its places");
}

#[test]
fn errors_count_by_code_and_message() {
    let error = json!({"code": "InvalidName", "message": "Invalid Name: 'a b'"});
    let more =
        json!({"expected_errors": {"k": error, "own": {"code": "ParamValidation", "client_side": true}}});
    let recorded = Recorded {
        line: json!({"responses": {"k": error}}),
        ..Recorded::calls(&json!({"k": {}, "own": {}}), &more)
    };
    assert!(recorded.sees(|l| l["responses"]["k"]["code"] = json!("InvalidArn")));
    assert!(recorded.sees(|l| l["responses"]["k"]["message"] = json!("Invalid Name: 'a'")));
    assert!(recorded.sees(|l| l["responses"]["k"]["message"] = Value::Null));
    assert!(recorded.sees(|l| l["responses"]["k"] = json!({})), "it succeeded");
    assert!(recorded.sees(|l| remove(&mut l["responses"], "k")), "no answer");
    let refused = Recorded {
        case: json!({"kind": "create_error", "expected_errors": {"k": error}}),
        line: json!({"run": 0, "error": error}),
    };
    assert!(refused.sees(|l| l["error"]["code"] = json!("InvalidDefinition")));
    assert!(refused.sees(|l| l["error"] = Value::Null), "it was created");
}

#[test]
fn lists_of_references_are_sorted_and_nothing_else() {
    let answers = json!({"k": {"variableReferences": {"S": ["a", "b"]}, "others": ["a", "b"]}});
    let recorded = Recorded::calls(&answers, &json!({"normalise": ["sort_variable_references"]}));
    assert!(recorded.holds(|l| l["responses"]["k"]["variableReferences"]["S"] = json!(["b", "a"])));
    assert!(recorded.sees(|l| l["responses"]["k"]["others"] = json!(["b", "a"])));
    assert!(recorded.sees(|l| l["responses"]["k"]["variableReferences"]["S"] = json!(["a"])));
}

#[test]
fn the_recorded_end_counts() {
    let mut small = small();
    small.case["runs"][0]["result"]["output"] = json!({"at": "date", "n": 1});
    small.case["runs"][0]["describe_key"] = json!("d");
    small.case["expected"]["d"] = json!({"status": "SUCCEEDED", "name": "n"});
    small.line["describe"] = small.case["expected"]["d"].clone();
    assert!(small.sees(|l| l["describe"]["name"] = json!("m")));
    small.case["runs"][0]["case_index"] = json!(3);
    let output = |l: &mut Value, n: u64| {
        events(l)[2]["executionSucceededEventDetails"]["output"] =
            json!(json!({"at": "date", "n": n}).to_string());
    };
    assert!(small.holds(|l| drop(events(l).remove(1))), "only the output was recorded");
    assert!(small.sees(|l| output(l, 2)));
    small.case["runs"][0]["result"] = json!({"status": "SUCCEEDED"});
    assert!(small.sees(|l| events(l)[2]["type"] = json!("ExecutionFailed")));
}

/// Every event of every recorded history, given another place, cause or type: seen each time, unless the recording
/// itself leaves that open.
#[test]
fn no_recorded_history_can_be_changed_unseen() {
    let mut changed = 0;
    for case in archive::cases() {
        let open = case["concurrent"] == true || !case["normalise"].is_null() || case["kind"] != "execution";
        let keys = case["runs"].as_array().into_iter().flatten().filter_map(|r| r["history_key"].as_str());
        for key in keys.filter(|_| !open) {
            let events = case["expected"][key]["events"].as_array().unwrap();
            let mut alone = Recorded::execution(&json!(events), &json!({}));
            for name in ["placeholders", "wildcards"] {
                alone.case[name] = case[name].clone();
            }
            alone.case["runs"][0]["result"] = Value::Null;
            assert!(alone.holds(|_| {}), "{}", case["id"]);
            for at in 0..events.len() {
                let kind = "PassStateAborted";
                for (name, value) in
                    [("id", json!(999)), ("previousEventId", json!(999)), ("type", json!(kind))]
                {
                    assert!(!alone.holds(|l| l["history"][at][name] = value), "{} {at} {name}", case["id"]);
                    changed += 1;
                }
            }
        }
    }
    assert!(changed > 5_000, "only {changed} changes were tried");
}
