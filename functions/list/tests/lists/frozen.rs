//! Plans instead of lists, and lists from plans.

use serde_json::{Value, json};
use transload_store::Deadline;
use transload_store::work::{PlanWriter, WorkFiles};
use transload_wire::{
    ErrorName, Failure, Frozen, ListOutput, Mode, PLAN_VERSION, PlanHead, PlanLine, SyncRequest,
};

use crate::support::{World, Written, input};

const NAME: &str = "plans/frozen.jsonl";

fn sync() -> Value {
    json!({"delete": {"maxPercent": 100}, "exclude": ["02/**"], "batchObjects": 3, "batchObjectLimit": 8})
}

/// What a run that plans finds and writes.
async fn planned(world: &World) -> (ListOutput, Vec<PlanLine>) {
    let mut input = input(&sync());
    input.request.sync.mode = Mode::Plan;
    let output = world.call(Deadline::NONE, &input).await.unwrap();
    let mut lines = Vec::new();
    for (name, bytes) in world.files.all() {
        assert!(name.starts_with(&format!("{}plan/", output.work.prefix)), "{name}");
        let text = std::str::from_utf8(&bytes).unwrap();
        lines.extend(text.lines().map(|line| transload_wire::parse::<PlanLine>(line.as_bytes()).unwrap()));
        world.files.delete(&name).await.unwrap();
    }
    (output, lines)
}

fn head(output: &ListOutput) -> PlanHead {
    let request = input(&sync()).request;
    let created = "2026-01-01T00:00:00Z".to_owned();
    PlanHead { version: PLAN_VERSION, created, request, found: output.found.clone(), prices: None }
}

/// Puts a plan where the workflow reads it.
async fn frozen(world: &World, head: PlanHead, lines: &[PlanLine]) -> Frozen {
    let mut writer = PlanWriter::default();
    let mut bytes = writer.line(&PlanLine::Plan(Box::new(head))).unwrap().to_vec();
    for line in lines {
        bytes.extend_from_slice(&writer.line(line).unwrap());
    }
    let (end, sha256) = writer.end().unwrap();
    bytes.extend_from_slice(&end);
    world.files.put(NAME, bytes.into()).await.unwrap();
    Frozen { name: NAME.to_owned(), sha256 }
}

async fn execute(world: &World, request: SyncRequest) -> Result<(ListOutput, Written), Failure> {
    let mut input = input(&sync());
    input.request = request;
    let output = world.call(Deadline::NONE, &input).await?;
    world.files.delete(NAME).await.unwrap();
    let written = world.written(&output).await;
    Ok((output, written))
}

fn of(plan: Frozen) -> SyncRequest {
    SyncRequest { plan: Some(plan), ..input(&sync()).request }
}

#[tokio::test]
async fn a_plan_becomes_the_lists_that_a_comparison_would_have_written() {
    let world = World::mixed(1_000);
    let (output, lines) = planned(&world).await;
    assert!(lines.iter().any(|line| matches!(line, PlanLine::Delete(_))), "{lines:#?}");
    assert!(lines.iter().any(|line| matches!(line, PlanLine::Skip(_))), "{lines:#?}");
    let plan = frozen(&world, head(&output), &lines).await;
    let (executed, written) = execute(&world, of(plan)).await.unwrap();
    let asked = world.from.calls().len() + world.to.calls().len();

    let other = World::mixed(1_000);
    let (direct, expected) = other.list(sync()).await.unwrap();
    assert_eq!(written, expected);
    let mut found = direct.found.clone();
    assert_ne!(found.listing, Default::default());
    found.listing = Default::default();
    assert_eq!(executed.found, found, "the same counts, and no listing");
    assert_eq!(asked, 2, "the plan's own two pages");
    // The plan promised the same classes of size.
    assert_eq!(output.found.classes, direct.found.classes);
    assert_eq!(
        (output.found.batches, output.found.deletions),
        (direct.found.batches, direct.found.deletions)
    );
}

#[tokio::test]
async fn a_plan_that_is_not_what_was_approved_is_refused() {
    type Damage = fn(&mut PlanHead, &mut Vec<PlanLine>, &mut SyncRequest);
    let rows: [(Damage, &str); 9] = [
        (|_, _, request| request.plan.as_mut().unwrap().sha256 = "0".repeat(64), "plan.sha256: expected 000"),
        (|_, _, request| request.plan.as_mut().unwrap().name = "plans/other".to_owned(), "plan.name: "),
        (|_, _, request| request.plan.as_mut().unwrap().name = "sync/x".to_owned(), "plan.name: "),
        (|_, _, request| request.sync.mode = Mode::Plan, "plan: expected none"),
        (|_, _, request| request.source.prefix = "a".to_owned(), "source: expected global:s3://photos/a/"),
        (|_, _, request| request.options.copy_tags = false, "options: expected"),
        (|_, _, request| request.sync.delete = None, "sync.delete: expected"),
        (|_, lines, _| drop(lines.pop()), "plan: expected "),
        (|head, _, _| head.version = 2, "plan: line 1: expected plan.version 1, found 2"),
    ];
    for (damage, told) in rows {
        let world = World::mixed(1_000);
        let (output, mut lines) = planned(&world).await;
        let mut head = head(&output);
        let mut request = of(frozen(&world, head.clone(), &lines).await);
        damage(&mut head, &mut lines, &mut request);
        let sha256 = frozen(&world, head, &lines).await.sha256;
        if let Some(plan) = request.plan.as_mut().filter(|plan| !plan.sha256.starts_with("00")) {
            plan.sha256 = sha256;
        }
        let refused = execute(&world, request).await.unwrap_err();
        assert_eq!(refused.name, ErrorName::InputInvalid, "{refused}");
        assert!(refused.message.starts_with(told), "{refused}");
    }
}

#[tokio::test]
async fn keys_outside_of_the_prefixes_are_refused() {
    let world = World::mixed(1_000);
    let (output, lines) = planned(&world).await;
    for line in &lines {
        let mut lines = lines.clone();
        let at = lines.iter().position(|other| other == line).unwrap();
        match &mut lines[at] {
            PlanLine::Copy(copy) => copy.key = "elsewhere".parse().unwrap(),
            PlanLine::Delete(doomed) => doomed.key = "b/another".parse().unwrap(),
            _ => continue,
        }
        let plan = frozen(&world, head(&output), &lines).await;
        let refused = execute(&world, of(plan)).await.unwrap_err();
        assert_eq!(refused.name, ErrorName::InputInvalid, "{refused}");
    }
}
