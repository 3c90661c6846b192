//! Open uploads at destinations, and whose they are: an upload is ours if the history of an execution tells its id. What
//! another program uploads into the same bucket is never touched.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use stepfunctions_local::{ListExecutions, Timestamp};
use transload_abort::handle as release;
use transload_store::location::ConfiguredStores;
use transload_store::{Deadline, Stores};
use transload_wire::{
    AbortInput, BucketName, Destination, LocationName, ObjectKey, TransferRequest, Upload, UploadId,
};

use crate::exit::{CliError, Outcome};
use crate::place::Place;
use crate::report::redrivable;
use crate::view::{View, text};
pub(crate) use standing::Standing;

/// A bucket that is looked at, and below which prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) location: LocationName,
    pub(crate) bucket: BucketName,
    pub(crate) prefix: String,
}

/// An open upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Open {
    /// Where.
    pub(crate) destination: Destination,
    /// Its id.
    pub(crate) upload_id: UploadId,
    /// When it was made, ISO 8601 in UTC.
    pub(crate) initiated: String,
    /// The execution that knows it; of several the one that may go on with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution: Option<String>,
    /// Whether it is needed.
    #[serde(flatten)]
    pub(crate) standing: Standing,
    /// Whether it was released now.
    pub(crate) aborted: bool,
}

/// An execution that may have made uploads.
struct Candidate {
    arn: String,
    destination: Destination,
    listed: Value,
}

/// All open uploads of a place; without one, of all buckets that executions wrote to.
///
/// # Errors
/// The API's, the stores', [`Exit::Usage`](crate::exit::Exit::Usage) for a location that is not configured.
pub(crate) async fn find(
    view: &View,
    stores: &ConfiguredStores,
    place: Option<&Place>,
) -> Outcome<Vec<Open>> {
    let list = ListExecutions { state_machine_arn: Some(view.machine_arn()), ..ListExecutions::default() };
    let mut open = match place {
        Some(place) => listed(stores, &spot(place)).await?,
        None => Vec::new(),
    };
    if place.is_some() && open.is_empty() {
        return Ok(open);
    }
    let candidates = candidates(view, view.executions(list).await?, place.map(|_| open.as_slice())).await?;
    if place.is_none() {
        for spot in spots(&candidates) {
            open.extend(listed(stores, &spot).await?);
        }
    }
    judge(view, &mut open, &candidates).await?;
    Ok(open)
}

/// What is typed as a key is a prefix here.
fn spot(place: &Place) -> Spot {
    let (location, bucket) = place.bucket();
    Spot { location, bucket, prefix: place.end().prefix }
}

/// The buckets that executions wrote to. One that is not configured any more can not be asked; the caller is told by name.
fn spots(candidates: &[Candidate]) -> BTreeSet<Spot> {
    let spot = |candidate: &Candidate| Spot {
        location: candidate.destination.location.clone(),
        bucket: candidate.destination.bucket.clone(),
        prefix: String::new(),
    };
    candidates.iter().map(spot).collect()
}

/// The executions whose input names a destination; with `open`, those that ran when one of these uploads was made.
async fn candidates(view: &View, executions: Vec<Value>, open: Option<&[Open]>) -> Outcome<Vec<Candidate>> {
    let mut found = Vec::new();
    for listed in executions {
        if open.is_some_and(|open| !open.iter().any(|upload| ran_at(&listed, &upload.initiated))) {
            continue;
        }
        let arn = text(&listed, "executionArn").to_owned();
        let described = view.describe(&arn).await?;
        // An input that was refused made no upload.
        let request: Option<TransferRequest> = serde_json::from_str(text(&described, "input")).ok();
        if let Some(request) = request {
            found.push(Candidate { arn, destination: request.destination, listed });
        }
    }
    Ok(found)
}

/// Clocks of the store and of the workflow may differ by this much before S3 refuses requests.
const SKEW_SECONDS: f64 = 900.0;

/// Whether an execution may have made an upload at that time. A redrive may have, long after its first end.
fn ran_at(execution: &Value, initiated: &str) -> bool {
    let at = |seconds: f64| seconds_text(seconds);
    let start = execution["startDate"].as_f64().unwrap_or_default();
    let redriven = execution["redriveCount"].as_u64().unwrap_or_default() > 0;
    let stop = execution["stopDate"].as_f64().filter(|_| !redriven);
    let second = initiated.get(..19).unwrap_or(initiated);
    *second >= *at(start - SKEW_SECONDS) && stop.is_none_or(|stop| *second <= *at(stop + SKEW_SECONDS))
}

/// `2026-11-21T11:08:12`: to the second, as listings have it.
pub(crate) fn seconds_text(seconds: f64) -> String {
    let text = Timestamp::from_millis((seconds * 1000.0) as i64).to_rfc3339();
    text.get(..19).unwrap_or(&text).to_owned()
}

/// The open uploads below a prefix.
async fn listed(stores: &ConfiguredStores, spot: &Spot) -> Outcome<Vec<Open>> {
    let store = stores.open(&spot.location)?;
    let (mut open, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_uploads(&spot.bucket, &spot.prefix, after.as_ref()).await;
        let page = page.map_err(|error| {
            CliError::trouble(format!("open uploads of {}:s3://{}", spot.location, spot.bucket), error)
        })?;
        open.extend(page.uploads.into_iter().map(|upload| Open {
            destination: destination(spot, upload.key),
            upload_id: upload.id,
            initiated: upload.initiated,
            execution: None,
            standing: Standing::Unknown,
            aborted: false,
        }));
        match page.next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(open),
        }
    }
}

fn destination(spot: &Spot, key: ObjectKey) -> Destination {
    Destination { location: spot.location.clone(), bucket: spot.bucket.clone(), key }
}

/// Gives each upload the execution that knows it. Histories are read only of executions that write a key with an upload.
async fn judge(view: &View, open: &mut [Open], candidates: &[Candidate]) -> Outcome {
    let mut by_key: BTreeMap<String, Vec<&mut Open>> = BTreeMap::new();
    for upload in open {
        by_key.entry(upload.destination.to_string()).or_default().push(upload);
    }
    for candidate in candidates {
        let Some(uploads) = by_key.get_mut(&candidate.destination.to_string()) else { continue };
        let history = view.history(&candidate.arn).await?;
        let ids = ids(&history);
        let again = redrivable(text(&candidate.listed, "status"), &history);
        let standing = Standing::of(&candidate.listed, again, Timestamp::from(std::time::SystemTime::now()));
        for upload in uploads.iter_mut().filter(|upload| ids.contains(upload.upload_id.as_str())) {
            if standing > upload.standing {
                upload.standing = standing.clone();
                upload.execution = Some(candidate.arn.clone());
            }
        }
    }
    Ok(())
}

/// Ids of the uploads that tasks of an execution told.
fn ids(history: &[Value]) -> BTreeSet<String> {
    let outputs = history.iter().filter_map(|event| event["taskSucceededEventDetails"]["output"].as_str());
    let outputs = outputs.filter_map(|output| serde_json::from_str::<Value>(output).ok());
    outputs.filter_map(|output| output["Payload"]["upload"]["uploadId"].as_str().map(str::to_owned)).collect()
}

/// Releases an upload, unless its execution was redriven meanwhile. Whether it is gone.
///
/// # Errors
/// The destination's.
pub(crate) async fn abort(view: &View, stores: &ConfiguredStores, upload: &Open) -> Outcome<bool> {
    let Some(execution) = &upload.execution else { return Ok(false) };
    if text(&view.describe(execution).await?, "status") == "RUNNING" {
        return Ok(false);
    }
    let input = AbortInput {
        destination: upload.destination.clone(),
        upload: Some(Upload { upload_id: upload.upload_id.clone(), checksum_algorithm: None }),
        token: None,
        route: None,
    };
    Ok(release(stores, Deadline::NONE, input).await?.aborted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ids, ran_at};

    #[test]
    fn an_upload_is_known_by_the_outputs_of_tasks() {
        let output = |id: &str| json!({"Payload": {"upload": {"uploadId": id}}}).to_string();
        let event = |output: String| json!({"type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output}});
        let other = json!({"type": "TaskFailed", "taskFailedEventDetails": {"cause": output("c")}});
        let history = [event(output("a")), event("no JSON".to_owned()), other, event(output("b"))];
        assert_eq!(ids(&history).into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn an_execution_made_no_upload_before_it_began_nor_after_it_ended() {
        let ended = json!({"startDate": 1_795_259_292.0, "stopDate": 1_795_262_892.0, "redriveCount": 0});
        let redriven = json!({"startDate": 1_795_259_292.0, "stopDate": 1_795_262_892.0, "redriveCount": 1});
        // It began at 11:08:12 and ended an hour later.
        for (initiated, by_ended, by_redriven) in [
            ("2026-11-21T10:00:00.000Z", false, false),
            ("2026-11-21T11:00:00Z", true, true),
            ("2026-11-21T11:30:00.000Z", true, true),
            ("2026-11-21T12:20:00.000Z", true, true),
            ("2026-11-21T13:00:00.000Z", false, true),
        ] {
            assert_eq!(
                (ran_at(&ended, initiated), ran_at(&redriven, initiated)),
                (by_ended, by_redriven),
                "{initiated}"
            );
        }
    }
}
