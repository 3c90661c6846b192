//! I1 to I6: what must hold after every case, whatever went wrong in it.

use std::fmt;

use serde_json::Value;
use stepfunctions_local::{Clock, Timestamp};
use strict_s3::{FaultPlan, StoredObject};
use transload_wire::TOKEN_METADATA;

use crate::builder::JANITOR;
use crate::ledger::Who;
use crate::places::CANARIES;
use crate::world::{Broken, Ended, Outcome, World};
use crate::{DESTINATION_BUCKET, SOURCE_BUCKET};

/// Requests for each part and each of a transfer's other steps, at most: five rounds, in each of them the retries of the
/// definition (8) times those of a worker (5), and as much again for the SDK's own.
const REQUESTS: u64 = 400;

/// Milliseconds for which an execution can be redriven: 14 days.
const REDRIVABLE: i64 = 14 * 86_400_000;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `I1` to `I6`.
    pub invariant: &'static str,
    /// The object.
    pub key: String,
    /// What was expected, and what was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.invariant, self.key, self.what)
    }
}

/// What was found so far.
struct Finding<'a> {
    world: &'a World,
    violations: Vec<Violation>,
}

impl Finding<'_> {
    fn add(&mut self, invariant: &'static str, key: &str, what: impl Into<String>) {
        self.violations.push(Violation { invariant, key: key.to_owned(), what: what.into() });
    }

    /// Records what was expected unless it holds.
    fn expect(&mut self, holds: bool, invariant: &'static str, key: &str, what: impl FnOnce() -> String) {
        if !holds {
            self.add(invariant, key, what());
        }
    }
}

impl World {
    /// [`violations`](Self::violations), as an error if there are any.
    ///
    /// # Errors
    /// The violations, or a broken world.
    pub async fn check(&self) -> Outcome<()> {
        let found = self.violations().await?;
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        if lines.is_empty() { Ok(()) } else { Err(Broken(lines.join("\n"))) }
    }

    /// Judges all transfers of this world by I1 to I6. Lets the janitor's 15 minutes pass first, not
    /// counting those in which Lambda has no worker for it. Then everything is
    /// mended, parked transfers are redriven, each transfer is given in once more, and all is judged again.
    ///
    /// # Errors
    /// A broken world.
    pub async fn violations(&self) -> Outcome<Vec<Violation>> {
        let executions = self.ledger().executions.clone();
        for (arn, _) in &executions {
            self.ended(arn).await?;
        }
        self.let_janitor_work().await;
        let mut finding = Finding { world: self, violations: Vec::new() };
        finding.judge(&executions).await?;
        if finding.violations.is_empty() {
            self.heal();
            finding.mend(&executions).await?;
        }
        finding.secrets()?;
        Ok(finding.violations)
    }

    /// Lets the time pass that the janitor has.
    async fn let_janitor_work(&self) {
        let mut left = JANITOR;
        while !left.is_zero() {
            let before = self.workers.exhausted("abort");
            self.advance(left).await;
            left = self.workers.exhausted("abort") - before;
        }
    }

    /// From now on nothing goes wrong any more.
    pub fn heal(&self) {
        self.network.heal();
        self.workers.heal();
        self.results.fail(0);
        self.source.set_faults(FaultPlan::none());
        self.destination.set_faults(FaultPlan::none());
    }

    fn versions(&self, key: &str) -> Vec<StoredObject> {
        self.direct().versions(DESTINATION_BUCKET, key)
    }

    /// The token that an execution writes into its object's metadata, and the ETag of the source's version that it pinned
    /// last; none if it did not come so far.
    async fn aim(&self, arn: &str) -> Outcome<Option<Aim>> {
        let mut aim = None;
        for event in self.history(arn).await? {
            let event = serde_json::to_value(&event).map_err(Broken::of)?;
            let head = &event["stateExitedEventDetails"]["assignedVariables"]["head"];
            if let Some(text) = head.as_str()
                && let Ok(head) = serde_json::from_str::<Value>(text)
                && let (Some(token), Some(etag)) = (head["token"].as_str(), head["source"]["etag"].as_str())
            {
                let etag = etag.trim_matches('"').to_owned();
                aim = Some(Aim { token: token.to_owned(), etag });
            }
        }
        Ok(aim)
    }
}

/// What an execution is about to write.
struct Aim {
    token: String,
    etag: String,
}

fn token_of(object: &StoredObject) -> Option<&str> {
    object.header(&format!("x-amz-meta-{TOKEN_METADATA}"))
}

impl Finding<'_> {
    async fn judge(&mut self, executions: &[(String, String)]) -> Outcome<()> {
        let mut keys: Vec<&String> = executions.iter().map(|(_, key)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in &keys {
            self.object(key)?;
        }
        let mut parked = Vec::new();
        for (arn, key) in executions {
            let ended = self.world.ended(arn).await?;
            self.success(&ended, key).await?;
            if ended.parked {
                parked.push(key.clone());
            }
        }
        self.uploads(&parked, executions).await?;
        self.effort(executions);
        Ok(())
    }

    /// I1: whole versions only, with their metadata.
    fn object(&mut self, key: &str) -> Outcome<()> {
        let entries = self.world.ledger().entries.get(key).cloned().unwrap_or_default();
        for object in self.world.versions(key) {
            let bytes = object.bytes().map_err(Broken::of)?;
            let ours = token_of(&object).is_some();
            let who = if ours { Who::Source } else { Who::Rival };
            let known = entries.iter().any(|entry| entry.who == who && entry.bytes == bytes);
            self.expect(known, "I1", key, || {
                format!("expected a whole version of {who:?}, found {} bytes that nobody wrote", bytes.len())
            });
            let colour = object.header("x-amz-meta-colour");
            let kept = object.header("content-type") == Some("text/x") && colour == Some("red");
            self.expect(!ours || kept, "I1", key, || {
                format!("expected the source's metadata, found {:?}", object.headers)
            });
        }
        Ok(())
    }

    /// I2: success if and only if the object was there and was this transfer's.
    async fn success(&mut self, ended: &Ended, key: &str) -> Outcome<()> {
        let versions = self.world.versions(key);
        let at = format!("{} {}", ended.arn, ended.states.join(" "));
        match (ended.status.as_str(), ended.output["status"].as_str()) {
            ("SUCCEEDED", Some("copied")) => {
                let token = ended.output["token"].as_str().unwrap_or_default();
                let stands = versions.iter().any(|object| token_of(object) == Some(token));
                let etag = ended.output["result"]["etag"].as_str().unwrap_or_default().trim_matches('"');
                let replaced = self.world.ledger().was_replaced(key, etag);
                self.expect(stands || replaced, "I2", key, || {
                    format!("{at}: success is reported, and no object bears the token {token} or did")
                });
                if let Some(object) = versions.iter().find(|object| token_of(object) == Some(token)) {
                    self.pinned(ended, key, object)?;
                }
            }
            ("SUCCEEDED", Some("skipped")) => {
                self.expect(!versions.is_empty(), "I2", key, || {
                    format!("{at}: skipped, and nothing is there")
                });
            }
            ("FAILED", _) if !ended.parked => {
                let aim = self.world.aim(&ended.arn).await?;
                // Executions with the same input have the same token: another one may have been luckier.
                let lucky = self.world.ledger().has_success(key);
                // Its object was proven then, and the source was another by that time: it failed over the newer version.
                let went_on = ended.states.iter().any(|state| state == "Pause");
                let ours = match aim {
                    Some(aim) if !lucky && !went_on => self.was_there(key, &aim, &ended.arn).await?,
                    _ => false,
                };
                self.expect(!ours, "I2", key, || {
                    format!(
                        "{at}: {} is reported, and this transfer's object is there: {}",
                        ended.error, ended.cause
                    )
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether what stands is what an execution was about to write, and stood there when it ended: with its token, and of the
    /// version that it pinned last. It may have written an older one before the source was overwritten; and a worker that was
    /// given up, because the engine died or waited no longer, may write when all is over.
    async fn was_there(&self, key: &str, aim: &Aim, arn: &str) -> Outcome<bool> {
        let Some(object) = self.world.arrived(key) else { return Ok(false) };
        let bytes = object.bytes().map_err(Broken::of)?;
        let entries = self.world.ledger().entries.get(key).cloned().unwrap_or_default();
        let pinned = entries.iter().any(|entry| entry.etag == aim.etag && entry.bytes == bytes);
        let ended = self.world.engine().describe_execution(arn).await.map_err(Broken::of)?.stop_date;
        let in_time =
            ended.is_none_or(|ended| Timestamp::from(object.last_modified).millis() <= ended.millis());
        Ok(pinned && in_time && token_of(&object) == Some(aim.token.as_str()))
    }

    /// I1: exactly the version that was pinned.
    fn pinned(&mut self, ended: &Ended, key: &str, object: &StoredObject) -> Outcome<()> {
        let etag = ended.output["source"]["etag"].as_str().unwrap_or_default().trim_matches('"').to_owned();
        let bytes = object.bytes().map_err(Broken::of)?;
        let entries = self.world.ledger().entries.get(key).cloned().unwrap_or_default();
        let is = entries.iter().any(|entry| entry.etag == etag && entry.bytes == bytes);
        self.expect(is, "I1", key, || format!("expected the bytes of source version {etag}, found others"));
        Ok(())
    }

    /// I3: no upload without somebody who still wants it. One that holds nothing and that nobody was told of (the answer
    /// that named it was lost) is left to the bucket's lifecycle rule: nothing tells whose it is.
    async fn uploads(&mut self, parked: &[String], executions: &[(String, String)]) -> Outcome<()> {
        for upload in self.world.uploads() {
            let mut told = false;
            for (arn, _) in executions.iter().filter(|(_, key)| *key == upload.key) {
                let history = serde_json::to_string(&self.world.history(arn).await?).map_err(Broken::of)?;
                told |= history.contains(&upload.upload_id);
            }
            let wanted = parked.contains(&upload.key) || (upload.parts.is_empty() && !told);
            self.expect(wanted, "I3", &upload.key, || {
                format!(
                    "expected no open upload, found {} with {} parts",
                    upload.upload_id,
                    upload.parts.len()
                )
            });
        }
        Ok(())
    }

    /// I4: no more requests than the retries allow.
    fn effort(&mut self, executions: &[(String, String)]) {
        let parts = |key: &String| {
            let entries = self.world.ledger().entries.get(key).cloned().unwrap_or_default();
            let longest = entries.iter().map(|entry| entry.bytes.len() as u64).max().unwrap_or_default();
            longest / self.world.options["partSize"].as_u64().unwrap_or(1).max(1) + 8
        };
        let most: u64 = executions.iter().map(|(_, key)| parts(key) * REQUESTS).sum();
        let found = self.world.network.exchanges();
        self.expect(found <= most, "I4", "all", || {
            format!("expected at most {most} requests, found {found}")
        });
    }

    /// I6, and what parked transfers are for: with nothing in the way all come to the same end.
    async fn mend(&mut self, executions: &[(String, String)]) -> Outcome<()> {
        for (arn, key) in executions {
            let ended = self.world.ended(arn).await?;
            if ended.parked && self.may_be_redriven(arn).await? {
                if let Err(error) = self.world.redrive(arn).await {
                    self.add("I4", key, format!("{arn}: expected {} to be redrivable: {error}", ended.error));
                    continue;
                }
                let again = self.world.ended(arn).await?;
                self.expect(!again.parked, "I2", key, || {
                    format!(
                        "{arn}: expected an end after a redrive with nothing in the way, found {} again: {}",
                        again.error, again.cause
                    )
                });
            }
        }
        let mut replays = Vec::new();
        for (arn, key) in executions {
            if replays.iter().all(|(_, k)| k != key) {
                // The second one is the same for all keys: one of them is enough.
                let times = if replays.is_empty() { 2 } else { 1 };
                replays.push((self.replay(arn, key, times).await?, key.clone()));
            }
        }
        self.world.let_janitor_work().await;
        let all: Vec<_> = executions.iter().cloned().chain(replays).collect();
        self.judge(&all).await
    }

    /// The service allows it for 14 days after the end.
    async fn may_be_redriven(&self, arn: &str) -> Outcome<bool> {
        let described = self.world.engine().describe_execution(arn).await.map_err(Broken::of)?;
        let ended = described.stop_date.map_or(0, |date| date.millis());
        Ok(Clock::now(&self.world.time).millis() - ended < REDRIVABLE)
    }

    /// Gives an execution's input in once more, or oftener.
    async fn replay(&mut self, arn: &str, key: &str, times: u32) -> Outcome<String> {
        let described = self.world.engine().describe_execution(arn).await.map_err(Broken::of)?;
        let input: Value = serde_json::from_str(&described.input).map_err(Broken::of)?;
        let mut last = String::new();
        let newest = self.world.source.direct().get(SOURCE_BUCKET, key);
        let newest = newest.map(|object| object.bytes()).transpose().map_err(Broken::of)?;
        for time in 1..=times {
            let again = self.world.start_with(&input).await?;
            let ended = self.world.ended(&again).await?;
            let plain = input["options"]["overwrite"].is_null() && input["source"]["versionId"].is_null();
            if let (Some(newest), true) = (&newest, plain) {
                let stands =
                    self.world.arrived(key).map(|object| object.bytes()).transpose().map_err(Broken::of)?;
                let same = ended.status == "SUCCEEDED" && stands.as_ref() == Some(newest);
                self.expect(same, "I6", key, || {
                    format!(
                        "replay {time} with nothing in the way: {} {} {}",
                        ended.status, ended.error, ended.cause
                    )
                });
                let skipped = ended.output["status"] == "skipped";
                self.expect(time == 1 || skipped, "I6", key, || {
                    format!("expected the second replay to find nothing to do, found {}", ended.output)
                });
            }
            last = again;
        }
        Ok(last)
    }

    /// I5: the canaries stand nowhere.
    fn secrets(&mut self) -> Outcome<()> {
        let places = [
            ("the trace", self.world.trace.text().into_bytes()),
            ("the engine's database", self.world.stored()?),
            ("the Map Runs' results", self.world.results.contents()),
        ];
        for (place, bytes) in places {
            let text = String::from_utf8_lossy(&bytes);
            for canary in CANARIES {
                let found = text.contains(canary);
                self.expect(!found, "I5", "all", || format!("found {}... in {place}", &canary[..6]));
            }
        }
        Ok(())
    }
}
