//! The demo's third transfer: a bit flips between the source's disk and the worker, where no store can see it. The
//! comparison with the source's own checksum does, before the object appears.

use serde_json::{Value, json};
use strict_s3::{Action, FaultPlan, Rule};

use super::object::{Object, Origin};
use super::park::{broken, input, same};
use super::{Outline, run_to_end};
use crate::command::copy::new_name;
use crate::exit::Outcome;
use crate::machine::Machine;
use crate::places::Places;
use crate::table::{cut, pairs};

/// Bytes of the object: more than goes whole by default, so that it has parts.
const SIZE: u64 = 32 << 20;
/// Where in the second GET's body the bit is.
const OFFSET: u64 = 54_321;

/// Runs it, says what happened, and gives it as JSON.
///
/// # Errors
/// If the bit was not caught, or the transfer without it does not succeed.
pub(crate) async fn run(machine: &Machine, places: &Places, outline: &Outline) -> Outcome<Value> {
    let object =
        Object { key: "flipped.bin".to_owned(), size: SIZE, origin: Origin::Seed(outline.seed ^ 0xF11B) };
    object.put(&outline.store, &places.global).await?;
    places
        .global
        .server
        .set_faults(Rule::on("GetObject", Action::FlipResponse(OFFSET)).key(&object.key).nth(2));
    let caught = transfer(machine, places, outline, &object.key).await?;
    let error = caught.error.as_deref().unwrap_or_default();
    let direct = places.china.server.direct();
    let left = direct.get(places.china.bucket, &object.key).is_some()
        || !direct.uploads(places.china.bucket).is_empty();
    if error != "ChecksumMismatch" || left {
        return Err(broken(format!(
            "expected ChecksumMismatch and nothing at the destination, found {error:?}, left {left}"
        )));
    }
    places.global.server.set_faults(FaultPlan::none());
    let again = transfer(machine, places, outline, &object.key).await?;
    same(places, &object.key, &again).await?;
    outline.say("\nA bit flips between the source's disk and the worker.\n\n")?;
    let cause = crate::summary::message(caught.cause.as_deref().unwrap_or_default());
    outline.say(&pairs(&[
        ("execution", format!("{}  {}", caught.name, caught.status)),
        ("error", format!("{error}: {}", cut(&cause, 160))),
        ("destination", "no object, no upload".to_owned()),
        ("run again", format!("{}  {}, read back and the same", again.name, again.status)),
    ]))?;
    Ok(json!({"caught": caught, "again": again}))
}

async fn transfer(
    machine: &Machine,
    places: &Places,
    outline: &Outline,
    key: &str,
) -> Outcome<crate::report::Report> {
    let arn = machine.start(&new_name("demo-flipped"), input(places, outline, key)).await?;
    run_to_end(machine, &arn, outline).await
}
