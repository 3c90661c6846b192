//! What becomes of children's results: collected into the Map's own, or written to objects with a manifest.
use super::MapRun;
use crate::asl::{MapState, State, Transformation, Writer};
use crate::clock::Timestamp;
use crate::exec::{Failure, MAX_DATA, Scope, Trouble, View, json_size};
use crate::store::{COLUMNS, ExecutionRow};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// A result file is closed once it has this many bytes (the service allows 5 GB; memory here is the limit).
const FILE_BYTES: usize = 16 * 1024 * 1024;
/// Children read from the database at once.
const PAGE: i64 = 500;

/// Where results go.
pub(super) struct Target {
    bucket: String,
    prefix: String,
}

/// Evaluates the writer's arguments; `None` if it only transforms.
pub(super) fn target(view: &View<'_>, writer: &Writer) -> Result<Option<Target>, Failure> {
    let Some(template) = &writer.arguments else { return Ok(None) };
    let arguments = view.evaluate(template, "ResultWriter/Arguments")?;
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let bucket = text("Bucket");
    let bucket = bucket.ok_or_else(|| {
        view.runtime("The field 'Bucket' of the ResultWriter's arguments is required but was missing")
    })?;
    Ok(Some(Target { bucket, prefix: text("Prefix").unwrap_or_default() }))
}

async fn page(
    scope: &Scope,
    map_run: i64,
    succeeded: bool,
    after: i64,
) -> Result<Vec<ExecutionRow>, Trouble> {
    let wanted = if succeeded { "status = 'SUCCEEDED'" } else { "status <> 'SUCCEEDED'" };
    let sql = format!(
        "SELECT {COLUMNS} FROM executions WHERE map_run = ?1 AND child > ?2 AND {wanted} ORDER BY child LIMIT {PAGE}"
    );
    let rows = scope.run.engine.store.call(move |db| {
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map([map_run, after], ExecutionRow::read)?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    });
    Ok(rows.await?)
}

/// The outputs of all children in the order of their items, which have to fit into a state's result.
pub(super) async fn collect(
    scope: &Scope,
    state: &State,
    map: &MapState,
    map_run: &MapRun,
) -> Result<Value, Trouble> {
    let mode = map.writer.as_ref().map_or(Transformation::Compact, |w| w.transformation);
    let (mut results, mut size, mut after) = (Vec::new(), 2, -1);
    loop {
        let rows = page(scope, map_run.id, true, after).await?;
        let Some(last) = rows.last() else { break };
        after = last.child.unwrap_or(i64::MAX);
        for row in &rows {
            let found =
                if mode == Transformation::None { vec![record(row)] } else { shaped(output(row)?, mode) };
            size += found.iter().map(|v| json_size(v) + 1).sum::<usize>();
            results.extend(found);
        }
        // 1: a list of n results has n - 1 commas.
        if size > MAX_DATA + 1 {
            return Err(Failure { terminal: true, ..Failure::too_large(&state.name) }.into());
        }
    }
    Ok(Value::Array(results))
}

fn output(row: &ExecutionRow) -> Result<Value, Trouble> {
    let text = row.output.as_deref().unwrap_or("null");
    serde_json::from_str(text)
        .map_err(|e| crate::store::StoreError(format!("output of {}: {e}", row.arn)).into())
}

fn shaped(value: Value, mode: Transformation) -> Vec<Value> {
    match (value, mode) {
        (Value::Array(items), Transformation::Flatten) => items,
        (value, _) => vec![value],
    }
}

/// One child as the service's result files describe it.
fn record(row: &ExecutionRow) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
    let time = |millis: i64| json!(Timestamp::from_millis(millis).to_rfc3339());
    if let Some(cause) = &row.cause {
        put("Cause", json!(cause));
    }
    if let Some(error) = &row.error {
        put("Error", json!(error));
    }
    put("ExecutionArn", json!(row.arn));
    put("Input", json!(row.input));
    put("InputDetails", json!({"Included": true}));
    put("Name", json!(row.name));
    if let Some(output) = &row.output {
        put("Output", json!(output));
        put("OutputDetails", json!({"Included": true}));
    }
    put("RedriveCount", json!(row.redrives));
    put("StartDate", time(row.start));
    put("StateMachineArn", json!(row.machine));
    put("Status", json!(row.status));
    if let Some(stop) = row.stop {
        put("StopDate", time(stop));
    }
    Value::Object(map)
}

/// Files of one kind being written.
struct Files<'a> {
    scope: &'a Scope,
    target: &'a Target,
    folder: String,
    kind: &'static str,
    lines: bool,
    body: Vec<u8>,
    written: Vec<Value>,
}

impl<'a> Files<'a> {
    fn new(scope: &'a Scope, target: &'a Target, folder: &str, kind: &'static str, lines: bool) -> Self {
        Self { scope, target, folder: folder.to_owned(), kind, lines, body: Vec::new(), written: Vec::new() }
    }

    async fn add(&mut self, value: &Value) -> Result<(), Trouble> {
        let separator: &[u8] = match (self.lines, self.body.is_empty()) {
            (true, _) => b"",
            (false, true) => b"[",
            (false, false) => b",",
        };
        self.body.extend_from_slice(separator);
        self.body.extend_from_slice(value.to_string().as_bytes());
        if self.lines {
            self.body.push(b'\n');
        }
        if self.body.len() >= FILE_BYTES { self.close().await } else { Ok(()) }
    }

    async fn close(&mut self) -> Result<(), Trouble> {
        if self.body.is_empty() {
            return Ok(());
        }
        if !self.lines {
            self.body.push(b']');
        }
        let extension = if self.lines { "jsonl" } else { "json" };
        let key = format!("{}/{}_{}.{extension}", self.folder, self.kind, self.written.len());
        let body = Bytes::from(std::mem::take(&mut self.body));
        self.written.push(json!({"Key": key, "Size": body.len()}));
        put(self.scope, self.target, &key, body).await
    }
}

async fn put(scope: &Scope, target: &Target, key: &str, body: Bytes) -> Result<(), Trouble> {
    let done = scope.run.engine.objects.put(&target.bucket, key, body).await;
    done.map_err(|e| {
        Failure::new("States.ResultWriterFailed", format!("s3://{}/{key}: {e}", target.bucket)).into()
    })
}

/// Writes the result files and their manifest; the Map's result says where.
pub(super) async fn export(
    scope: &Scope,
    map: &MapState,
    map_run: &MapRun,
    target: &Target,
    pending: &[Value],
) -> Result<Value, Trouble> {
    let (lines, mode) =
        map.writer.as_ref().map_or((false, Transformation::None), |w| (w.lines, w.transformation));
    let prefix = target.prefix.trim_end_matches('/');
    let run = crate::arn::last(&map_run.arn);
    let folder = if prefix.is_empty() { run.to_owned() } else { format!("{prefix}/{run}") };
    let mut files = Map::new();
    // What did not succeed is never transformed, so that nothing is lost.
    for (kind, succeeded, mode) in [("FAILED", false, Transformation::None), ("SUCCEEDED", true, mode)] {
        let mut out = Files::new(scope, target, &folder, kind, lines);
        let mut after = -1;
        loop {
            let rows = page(scope, map_run.id, succeeded, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.child.unwrap_or(i64::MAX);
            for row in &rows {
                let values =
                    if mode == Transformation::None { vec![record(row)] } else { shaped(output(row)?, mode) };
                for value in &values {
                    out.add(value).await?;
                }
            }
        }
        out.close().await?;
        files.insert(kind.to_owned(), Value::Array(out.written));
    }
    let mut out = Files::new(scope, target, &folder, "PENDING", lines);
    for input in pending {
        out.add(
            &json!({"Input": input.to_string(), "InputDetails": {"Included": true}, "Status": "PENDING"}),
        )
        .await?;
    }
    out.close().await?;
    files.insert("PENDING".to_owned(), Value::Array(out.written));
    manifest(scope, map_run, target, &folder, files).await
}

async fn manifest(
    scope: &Scope,
    map_run: &MapRun,
    target: &Target,
    folder: &str,
    files: Map<String, Value>,
) -> Result<Value, Trouble> {
    let manifest =
        json!({"DestinationBucket": target.bucket, "MapRunArn": map_run.arn, "ResultFiles": files});
    let key = format!("{folder}/manifest.json");
    put(scope, target, &key, Bytes::from(manifest.to_string())).await?;
    {
        let mut body = map_run.body();
        body.items.results_written =
            body.items.succeeded + body.items.failed + body.items.timed_out + body.items.aborted;
        body.children.results_written =
            body.children.succeeded + body.children.failed + body.children.timed_out + body.children.aborted;
    }
    Ok(json!({"MapRunArn": map_run.arn, "ResultWriterDetails": {"Bucket": target.bucket, "Key": key}}))
}
