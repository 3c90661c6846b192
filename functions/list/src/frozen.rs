//! Writes the lists of work from a frozen plan instead of from listings: exactly what it says, and only if it is whole.

use transload_store::work::PlanReader;
use transload_wire::{
    Doomed, ErrorName, Failure, Found, Frozen, Mode, PlanCopy, PlanHead, PlanLine, SyncRequest, Tally,
};

use crate::judge::destination_key;
use crate::lister::World;
use crate::lock;

/// Where plans stand in the workflow's own bucket: nothing else there is read as one.
const FOLDER: &str = "plans/";

/// Reads a plan to its end. Nobody reads the lists before all of it was found to be as it was frozen.
pub(crate) async fn read(world: &World<'_>, plan: &Frozen) -> Result<(), Failure> {
    let request = &world.asked.request;
    if request.sync.mode == Mode::Plan {
        return refuse("plan", "none where sync.mode is plan", &plan.name);
    }
    if !plan.name.starts_with(FOLDER) {
        return refuse("plan.name", &format!("a name that begins with {FOLDER}"), &plan.name);
    }
    let Some(body) = world.work.get(&plan.name).await? else {
        return refuse(
            "plan.name",
            &format!("a file of bucket {}", world.work.bucket()),
            "none of that name",
        );
    };
    let mut reader = PlanReader::new("plan", body);
    let head = reader.head().await?;
    same(&head, request)?;
    while let Some(line) = reader.next().await? {
        hand_on(world, line)?;
        world.write(false).await?;
    }
    if reader.sha256() != Some(plan.sha256.as_str()) {
        let found = reader.sha256().unwrap_or_default();
        return refuse("plan.sha256", &format!("{} (as approved)", plan.sha256), found);
    }
    agree(world, &head.found)
}

fn refuse<T>(field: &str, expected: &str, found: &str) -> Result<T, Failure> {
    Err(ErrorName::InputInvalid.because(format!("{field}: expected {expected}, found {found}")))
}

/// What was approved is executed, and nothing else under its name.
fn same(head: &PlanHead, request: &SyncRequest) -> Result<(), Failure> {
    let planned = &head.request;
    for (field, planned, asked) in [
        ("source", &planned.source, &request.source),
        ("destination", &planned.destination, &request.destination),
    ] {
        if planned != asked {
            return refuse(field, &format!("{planned} (as planned)"), &asked.to_string());
        }
    }
    if planned.options != request.options {
        return refuse("options", "those that were planned with", "others");
    }
    if planned.sync.delete != request.sync.delete {
        return refuse("sync.delete", "what was planned with", "something else");
    }
    Ok(())
}

fn hand_on(world: &World<'_>, line: PlanLine) -> Result<(), Failure> {
    let mut lists = lock(&world.lists);
    match line {
        PlanLine::Copy(copy) => {
            let to = destination_key(world.asked, copy.key.as_str());
            match to {
                Some(to) => lists.copy(copy, to, None),
                None => outside(&copy),
            }
        }
        PlanLine::Delete(doomed) => {
            let to = destination_key(world.asked, doomed.source_key.as_str());
            if to.as_ref() != Some(&doomed.key) || world.asked.request.sync.delete.is_none() {
                return not_ours(&doomed);
            }
            lists.doom(&doomed)
        }
        PlanLine::Skip(skip) => lists.skip(skip),
        PlanLine::Plan(_) | PlanLine::End(_) => Ok(()),
    }
}

fn outside(copy: &PlanCopy) -> Result<(), Failure> {
    refuse("plan", "keys below the source's prefix that the destination can have", copy.key.as_str())
}

fn not_ours(doomed: &Doomed) -> Result<(), Failure> {
    let expected = "deletions that were asked for, of keys below the destination's prefix";
    refuse("plan", expected, doomed.key.as_str())
}

/// What the plan's head counts is what its lines are.
fn agree(world: &World<'_>, head: &Found) -> Result<(), Failure> {
    let mut lists = lock(&world.lists);
    let found = &mut lists.found;
    (found.listed, found.destination, found.present) = (head.listed, head.destination, head.present);
    let skipped = found.skipped.values().fold(Tally::default(), plus);
    let all =
        [found.present, skipped, found.parked, found.small, found.large].iter().fold(Tally::default(), plus);
    if all != head.listed || found.deletes != head.deletes {
        let told = |all: Tally, deletes: Tally| {
            format!("{} objects of {} bytes and {} deletions", all.objects, all.bytes, deletes.objects)
        };
        return refuse("plan", &told(head.listed, head.deletes), &told(all, found.deletes));
    }
    Ok(())
}

fn plus(sum: Tally, other: &Tally) -> Tally {
    Tally { objects: sum.objects + other.objects, bytes: sum.bytes + other.bytes }
}
