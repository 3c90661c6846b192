//! The demo's second transfer: it fails for good, is mended, and is redriven; only the missing parts are sent.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use strict_s3::{Action, Answer, FaultPlan, Rule};

use super::object::{Object, Origin};
use super::{Outline, run_to_end, verdict};
use crate::command::copy::new_name;
use crate::exit::{CliError, Exit, Outcome};
use crate::machine::Machine;
use crate::places::Places;
use crate::report::Report;
use crate::summary;
use crate::table::pairs;

/// Bytes of the second object: 12 parts of 8 MiB, so that it takes no time.
const SIZE: u64 = 96 << 20;
const PART: u64 = 8 << 20;
/// Parts after which the destination refuses.
const ACCEPTED: u64 = 5;

/// Parts that the destination had, and those that were sent to it after the redrive, with how often.
struct Account {
    present: BTreeSet<u32>,
    sent: BTreeMap<u32, u64>,
}

/// Runs it, says what happened, and gives it as JSON.
///
/// # Errors
/// If any of it was not as promised.
pub(crate) async fn run(machine: &Machine, places: &Places, outline: &Outline) -> Outcome<Value> {
    let object =
        Object { key: "parked.bin".to_owned(), size: SIZE, origin: Origin::Seed(outline.seed ^ 0xFA11) };
    object.put(&outline.store, &places.global).await?;
    let deny = Rule::on("UploadPart", Action::Answer(Answer::access_denied()))
        .key(&object.key)
        .from_nth(ACCEPTED + 1);
    places.china.server.set_faults(deny);
    let name = new_name("demo-parked");
    let arn = machine.start(&name, input(places, outline, &object.key)).await?;
    let failed = run_to_end(machine, &arn, outline).await?;
    let place = places.china.location;
    outline.say(&format!(
        "\nA transfer that fails for good: from its UploadPart no. {} on {place:?} denies access.\n\n",
        ACCEPTED + 1
    ))?;
    outline.say(&summary::lines(&failed))?;
    let present = parked(places, &object.key, &failed)?;

    places.china.server.set_faults(FaultPlan::none());
    places.china.server.clear_requests();
    machine.engine.redrive_execution(&arn).await?;
    let redriven = run_to_end(machine, &arn, outline).await?;
    let account = Account { present, sent: uploads(places, &object.key) };
    outline.say("\nMended, and redriven.\n\n")?;
    outline.say(&summary::lines(&redriven))?;
    outline.say(&pairs(&account.rows()))?;
    account.check(redriven.parts)?;
    same(places, &object.key, &redriven).await?;
    Ok(json!({"failed": failed, "redriven": redriven, "present": account.present, "sent": account.sent}))
}

pub(super) fn input(places: &Places, outline: &Outline, key: &str) -> String {
    json!({
        "source": {"location": places.global.location, "bucket": places.global.bucket, "key": key},
        "destination": {"location": places.china.location, "bucket": places.china.bucket, "key": key},
        // Two rounds a second apart, so that giving up does not take the minutes that are right elsewhere.
        "options": {"maxConcurrency": outline.workers, "partSize": PART, "rounds": 2, "backoffSeconds": 1},
    })
    .to_string()
}

/// The parts that wait at the destination, after a look at how the execution failed.
fn parked(places: &Places, key: &str, failed: &Report) -> Outcome<BTreeSet<u32>> {
    let error = failed.error.as_deref().unwrap_or_default();
    if failed.status != "FAILED" || error != "RoundsExhausted" {
        return Err(broken(format!(
            "expected FAILED with RoundsExhausted, found {} with {error:?}",
            failed.status
        )));
    }
    let uploads = places.china.server.direct().uploads(places.china.bucket);
    let upload = uploads.into_iter().find(|upload| upload.key == key);
    let upload = upload.ok_or_else(|| broken("expected the upload to be kept, found none".to_owned()))?;
    Ok(upload.parts.into_iter().map(|(number, _)| number).collect())
}

fn uploads(places: &Places, key: &str) -> BTreeMap<u32, u64> {
    let records = places.china.server.requests().into_iter();
    let of_parts = records.filter(|r| r.operation == "UploadPart" && r.key.as_deref() == Some(key));
    of_parts.filter_map(|r| r.part_number).fold(BTreeMap::new(), |mut sent, number| {
        *sent.entry(number).or_default() += 1;
        sent
    })
}

pub(super) async fn same(places: &Places, key: &str, redriven: &Report) -> Outcome {
    if redriven.status != "SUCCEEDED" {
        return Err(broken(format!("expected the transfer to succeed, found {}", redriven.status)));
    }
    let (source, destination) =
        (verdict::facts(&places.global, key).await?, verdict::facts(&places.china, key).await?);
    match source.differences(&destination).first() {
        Some(difference) => Err(broken(difference.clone())),
        None => Ok(()),
    }
}

pub(super) fn broken(what: String) -> CliError {
    CliError::new(Exit::Failed, format!("the demo: {what}"))
}

impl Account {
    fn rows(&self) -> [(&'static str, String); 2] {
        let list = |numbers: Vec<&u32>| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        [
            ("parts there", list(self.present.iter().collect())),
            (
                "parts sent",
                format!("{}  (by the destination's own records)", list(self.sent.keys().collect())),
            ),
        ]
    }

    /// Each missing part was sent once, and no other.
    fn check(&self, parts: u32) -> Outcome {
        let missing: BTreeMap<u32, u64> =
            (1..=parts).filter(|n| !self.present.contains(n)).map(|n| (n, 1)).collect();
        if self.sent == missing {
            return Ok(());
        }
        Err(broken(format!("expected UploadPart once for each of {missing:?}, found {:?}", self.sent)))
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    fn check(present: &[u32], sent: &[(u32, u64)]) -> bool {
        Account { present: present.iter().copied().collect(), sent: sent.iter().copied().collect() }
            .check(4)
            .is_ok()
    }

    #[test]
    fn a_part_that_was_there_or_sent_twice_or_not_sent_is_found() {
        assert!(check(&[1, 2], &[(3, 1), (4, 1)]));
        assert!(!check(&[1, 2], &[(2, 1), (3, 1), (4, 1)]));
        assert!(!check(&[1, 2], &[(3, 1), (4, 2)]));
        assert!(!check(&[1, 2], &[(3, 1)]));
    }
}
