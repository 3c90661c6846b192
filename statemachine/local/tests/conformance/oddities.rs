//! The runner with cases that are not as they should be: it says so in one line and gives no line of answers, or says in
//! the answers what the engine said.
use super::runner;
use serde_json::{Value, json};

fn run(case: Value) -> runner::Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(runner::run(case, false))
}

#[test]
fn what_cannot_be_run_is_told_in_one_line() {
    let odd = [
        json!({"id": "c", "kind": "weird"}),
        json!({"id": "c"}),
        json!([]),
        json!({"id": "c", "kind": "execution"}),
        json!({"id": "c", "kind": "api"}),
        json!({"id": "c", "kind": "execution", "runs": [{}], "s3": {"b": {"k": {"base64": "@\n@"}}}}),
        json!({"id": "c", "kind": "create_error", "state_machines": [{"name": "bad name"}]}),
    ];
    for case in odd {
        let done = run(case.clone());
        let trouble = done.trouble.unwrap_or_else(|| panic!("{case} was run"));
        assert!(done.lines.is_empty() && !trouble.contains('\n'), "{trouble}");
    }
}

#[test]
fn odd_runs_and_steps_are_answered_as_the_engine_does() {
    let pass = json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}});
    let runs = json!([1, {"definition": 3}, {"run": 2, "definition": pass, "input": [1]}]);
    let done = run(json!({"id": "c", "kind": "execution", "runs": runs, "lambdas": [1], "recorded": 7}));
    let ends: Vec<&Value> = done.lines.iter().map(|l| &l["describe"]["status"]).collect();
    assert_eq!(ends, [&Value::Null, &Value::Null, &json!("SUCCEEDED")], "{:?}", done.trouble);
    assert_eq!(done.lines[1]["error"]["code"], "InvalidDefinition");

    let call = |op: Value, args: Value| json!({"service": "stepfunctions", "op": op, "args": args, "expected_key": "k"});
    let steps = [
        json!(1),
        json!({}),
        json!({"service": "wait", "op": 5, "args": {"executionArn": "nowhere"}}),
        call(json!(null), json!({})),
        call(json!("\u{e9}a__b"), json!({"a": "{{1.x"})),
        call(json!("list_state_machines"), json!("text")),
        call(json!("list_state_machines"), json!({"__paginated__": true})),
    ];
    let done = run(json!({"id": "c", "kind": "api", "steps": steps}));
    assert_eq!(done.lines[0]["responses"]["k"]["stateMachines"], json!([]), "{:?}", done.trouble);
}
