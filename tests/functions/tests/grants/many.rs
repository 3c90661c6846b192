//! Everything that a run over many objects asks of its two ends and of the workflow's own bucket, function by function. What
//! goes otherwise than it should is told, not asserted: without a right something has to.

use bytes::Bytes;
use serde_json::{Value, json};
use strict_s3::{Action, Answer, FaultPlan, Rule};
use transload_store::Deadline;
use transload_store::work::PlanWriter;
use transload_wire::{
    Batch, BatchOutput, Delete, DeleteInput, DeleteOutput, ErrorName, Failure, Found, ListInput, ListOutput,
    ObjectRecord, Outcome, PLAN_VERSION, PlanLine, ReportInput,
};

use crate::scenarios::{Ran, same, told};
use crate::setup::{Setup, Tags, WORK};

/// Objects that a report of several parts names: a row of its CSV has some hundred bytes, a part 8 MiB.
const ROWS: usize = 120_000;

/// An object that goes from the source while it is looked at.
const VANISHING: &str = "in/vanishing";

/// A run between two buckets.
struct Run<'a> {
    setup: &'a Setup,
    from: &'static str,
    to: &'static str,
}

/// A run between all pairs of buckets.
pub(crate) async fn all(setup: &Setup) -> Ran {
    for (from, to) in setup.buckets() {
        let run = Run { setup, from, to };
        run.prepare();
        run.handed().await?;
        let listed = run.listed().await?;
        let batches = run.batches(&listed).await?;
        run.later().await?;
        let deletes = run.deletes(&listed).await?;
        run.reported(&listed, &batches, &deletes).await?;
    }
    Ok(())
}

/// A report whose second part is refused for good.
pub(crate) async fn given_up(setup: &Setup) -> Ran {
    let run = Run { setup, from: "photos", to: "photos-cn" };
    let record = |n: usize| json!({"key": format!("in/{n:060}"), "outcome": "copied", "size": 1});
    let records: Vec<Value> = (0..ROWS).map(record).collect();
    let children: Vec<Value> = records.chunks(500).map(|some| json!({"records": some})).collect();
    let name = run.results("batches", &children);
    let found = json!({"objects": ROWS, "bytes": ROWS});
    let input = run.report_input(json!({"listed": found, "small": found, "batches": 1}), Some(&name), None);
    let refuse = Rule::on("UploadPart", Action::Answer(Answer::access_denied())).part(2);
    setup.work.set_faults(FaultPlan::none().rule(refuse));
    let failed = transload_report::handle(setup.files("report"), Deadline::NONE, input).await;
    setup.work.set_faults(FaultPlan::none());
    let Err(failure) = failed else { return Err("report: expected a failure, found none".to_owned()) };
    same(&failure.to_string(), failure.name, ErrorName::WorkDenied)?;
    same("uploads", setup.work.direct().uploads(WORK).len(), 0)
}

fn lines<T: serde::de::DeserializeOwned>(text: &[u8]) -> Vec<T> {
    serde_json::Deserializer::from_slice(text)
        .into_iter()
        .map(|line| line.expect("a line of a list"))
        .collect()
}

impl Run<'_> {
    fn put(&self, key: &str, text: &str) {
        let tags = vec![("team".to_owned(), "maps".to_owned())];
        let put =
            self.setup.source.direct().put_with(self.from, key, text.to_owned(), Default::default(), tags);
        put.expect("a bucket");
    }

    /// New, grown, changed to as many bytes, lost on the way, gone from the source; and a list that a call has left.
    fn prepare(&self) {
        for key in ["in/new", "in/grown", "in/changed", "in/lost"] {
            self.put(key, &format!("new bytes of {key}"));
        }
        let there = |key: &str, text: &str| {
            self.setup.destination.direct().put(self.to, key, text.to_owned()).expect("a bucket");
        };
        there("in/grown", "less");
        there("in/changed", "old bytes of in/changed");
        there("in/doomed", "nobody's");
        self.put(VANISHING, "new bytes");
        there(VANISHING, "old bytes");
        self.setup
            .work
            .direct()
            .put(WORK, &format!("{}batches/0009-left.jsonl", self.prefix()), "x\n")
            .expect("a bucket");
    }

    fn tree(&self, side: &str) -> Value {
        let (location, bucket) = if side == "source" { ("global", self.from) } else { ("china", self.to) };
        json!({"location": location, "bucket": bucket, "prefix": "in/"})
    }

    fn options(&self) -> Value {
        match self.setup.circumstances.tags {
            Tags::Copied => json!({}),
            Tags::Given => json!({"tags": {"given": "yes"}}),
            Tags::None => json!({"copyTags": false}),
        }
    }

    fn request(&self) -> Value {
        let at = self.setup.circumstances;
        let sync = json!({
            "compare": if at.looks { "checksum" } else { "size" },
            "versions": if at.listed { "listed" } else { "off" },
            "delete": {"maxPercent": 100},
        });
        json!({"source": self.tree("source"), "destination": self.tree("destination"),
            "options": self.options(), "sync": sync})
    }

    fn execution(&self) -> Value {
        let id = format!("arn:aws:states:eu-west-1:111111111111:execution:transload-bucket:{}", self.from);
        json!({"id": id, "startTime": "2026-01-31T12:00:00.000Z", "redriveCount": 0})
    }

    fn prefix(&self) -> String {
        format!("sync/{}-20260131120000000/", self.from)
    }

    /// What people hand in: a frozen plan, here of nothing, and where single objects may be looked at a manifest.
    async fn handed(&self) -> Ran {
        let plan = json!({"version": PLAN_VERSION, "created": "2026-01-31T12:00:00Z", "request": self.request(),
            "found": {}});
        let mut writer = PlanWriter::default();
        let head = PlanLine::Plan(Box::new(read(&plan)));
        let head = writer.line(&head).map_err(|failure| failure.to_string())?;
        let (end, sha256) = writer.end().map_err(|failure| failure.to_string())?;
        let plan = [head, end].concat();
        let frozen = json!({"plan": {"name": "plans/frozen.jsonl", "sha256": sha256}});
        same("planned", self.found("plans/frozen.jsonl", plan.into(), &frozen).await?.listed.objects, 0)?;
        if self.setup.circumstances.looks {
            let lines = "{\"key\": \"in/new\"}\n{\"key\": \"in/grown\"}\n{\"key\": \"in/nobody\"}\n";
            let manifest = json!({"manifest": {"name": "manifests/mine", "form": "jsonl"}, "sync": {"compare": "checksum"}});
            let found = self.found("manifests/mine", lines.into(), &manifest).await?;
            same("named", (found.listed.objects, found.small.objects), (3, 2))?;
        }
        Ok(())
    }

    /// What List finds with this file instead of by listing.
    async fn found(&self, name: &str, text: Bytes, more: &Value) -> Result<Found, String> {
        self.setup.work.direct().put(WORK, name, text).expect("a bucket");
        let mut request = self.request();
        for (field, value) in more.as_object().into_iter().flatten() {
            request[field] = value.clone();
        }
        let mut execution = self.execution();
        execution["startTime"] = json!("2026-01-31T11:00:00.000Z");
        let input: ListInput = read(&json!({"request": request, "execution": execution}));
        let files = self.setup.files("list");
        let listed =
            transload_list::handle(&self.setup.of("list"), files.as_ref(), Deadline::NONE, input).await;
        Ok(told(name, listed)?.found)
    }

    async fn listed(&self) -> Result<ListOutput, String> {
        let input: ListInput = read(&json!({"request": self.request(), "execution": self.execution()}));
        let (source, from) = (self.setup.source.direct(), self.from);
        let vanish = Action::hook(move |_| {
            source.delete(from, VANISHING);
        });
        let vanish = Rule::on("HeadObject", vanish).key(VANISHING).first(1);
        self.setup.destination.set_faults(FaultPlan::none().rule(vanish));
        let files = self.setup.files("list");
        let listed =
            transload_list::handle(&self.setup.of("list"), files.as_ref(), Deadline::NONE, input).await;
        let listed = told("list", listed)?;
        let small = if self.setup.circumstances.looks { 5 } else { 3 };
        same("small", listed.found.small.objects, small)?;
        same("deletes", listed.found.deletes.objects, 1)?;
        same("prefix", listed.work.prefix.as_str(), self.prefix().as_str())?;
        same("lists that a call has left", self.lists("batches/").len(), 1)?;
        Ok(listed)
    }

    /// The texts of the lists in a folder.
    fn lists(&self, folder: &str) -> Vec<Vec<u8>> {
        let (work, prefix) = (self.setup.work.direct(), format!("{}{folder}", self.prefix()));
        let keys = work.keys(WORK).into_iter().filter(|key| key.starts_with(&prefix));
        let text = |key: String| work.get(WORK, &key).and_then(|file| file.bytes().ok()).unwrap_or_default();
        keys.map(|key| text(key).to_vec()).collect()
    }

    async fn batch(&self, objects: Value, tries: u32) -> Result<BatchOutput, Failure> {
        let input = json!({"source": self.tree("source"), "destination": self.tree("destination"),
            "options": self.options(), "inFlight": 1, "objects": objects, "execution": self.execution(), "tries": tries});
        transload_batch::handle(&self.setup.of("batch"), Deadline::NONE, read(&input)).await
    }

    /// What was listed is sent; of one object the answer is lost.
    async fn batches(&self, listed: &ListOutput) -> Result<Vec<ObjectRecord>, String> {
        let lost = Rule::on("PutObject", Action::CommitThenReset).key("in/lost").first(1);
        self.setup.destination.set_faults(FaultPlan::none().rule(lost));
        let mut records = Vec::new();
        for list in self.lists("batches/") {
            for Batch { objects } in lines(&list) {
                let sent = self.batch(json!(objects), 0).await;
                let left = sent.as_ref().map(|sent| sent.left.clone()).unwrap_or_default();
                records.extend(told("batch", sent)?.records);
                if !left.is_empty() {
                    let items: Vec<_> = left.into_iter().map(|one| one.item).collect();
                    let again = told("batch, again", self.batch(json!(items), 1).await)?;
                    same("left", again.left.len(), 0)?;
                    records.extend(again.records);
                }
            }
        }
        self.setup.destination.set_faults(FaultPlan::none());
        same("records", records.len() as u64, listed.found.small.objects)?;
        for record in &records {
            // A version that was listed stays.
            if record.key.as_str() == VANISHING {
                let stays = self.setup.circumstances.listed && self.from.ends_with("-versioned");
                let expected = if stays { Outcome::Copied } else { Outcome::Skipped };
                same(&format!("{record:?}"), record.outcome, expected)?;
                continue;
            }
            let fine = matches!(record.outcome, Outcome::Copied | Outcome::Present);
            same(&format!("{record:?}"), fine, true)?;
            self.arrived(record.key.as_str())?;
        }
        Ok(records)
    }

    fn arrived(&self, key: &str) -> Ran {
        let there = self.setup.destination.direct().get(self.to, key);
        let bytes = there.as_ref().and_then(|object| object.bytes().ok());
        same(key, bytes.as_deref(), Some(format!("new bytes of {key}").as_bytes()))?;
        let expected: &[(&str, &str)] = match self.setup.circumstances.tags {
            Tags::Copied => &[("team", "maps")],
            Tags::Given => &[("given", "yes")],
            Tags::None => &[],
        };
        let tags = there.map(|object| object.tags).unwrap_or_default();
        let tags: Vec<_> = tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        same("tags", tags.as_slice(), expected)
    }

    /// Objects that are not as they were listed: one that another call has sent, one that changed, one that went away.
    async fn later(&self) -> Ran {
        self.put("in/changed later", "new bytes of in/changed later");
        let item = |key: &str| json!({"key": key, "size": 1, "etag": "0123456789abcdef0123456789abcdef"});
        for (key, tries, expected) in [
            ("in/new", 1, Outcome::Present),
            ("in/changed later", 0, Outcome::Copied),
            ("in/gone", 0, Outcome::Skipped),
            ("in/gone", 1, Outcome::Skipped),
        ] {
            let sent = told(key, self.batch(json!([item(key)]), tries).await)?;
            let outcomes: Vec<_> = sent.records.iter().map(|record| record.outcome).collect();
            same(&format!("{key}: {:?}", sent.records), outcomes, vec![expected])?;
        }
        self.arrived("in/changed later")
    }

    async fn deletes(&self, listed: &ListOutput) -> Result<Vec<ObjectRecord>, String> {
        let mut records = Vec::new();
        for list in self.lists("deletes/") {
            for Delete { objects } in lines(&list) {
                let input: DeleteInput = read(&json!({"source": self.tree("source"),
                    "destination": self.tree("destination"), "options": self.options(), "inFlight": 1,
                    "objects": objects, "execution": self.execution()}));
                let deleted = transload_delete::handle(&self.setup.of("delete"), Deadline::NONE, input).await;
                let DeleteOutput { records: deleted, .. } = told("delete", deleted)?;
                records.extend(deleted);
            }
        }
        same("records", records.len() as u64, listed.found.deletes.objects)?;
        same("deleted", records.iter().all(|record| record.outcome == Outcome::Deleted), true)?;
        same("there", self.setup.destination.direct().get(self.to, "in/doomed").is_none(), true)?;
        Ok(records)
    }

    /// A Map's result files with these children's outputs, as Step Functions writes them; the name of their manifest.
    fn results(&self, kind: &str, outputs: &[Value]) -> String {
        let folder = format!("{}results/{kind}/run/", self.prefix());
        let child = |output: &Value| {
            let text = output.to_string();
            json!({"Status": "SUCCEEDED", "Output": text, "StopDate": "2026-01-31T12:00:01Z"}).to_string()
                + "\n"
        };
        let children: String = outputs.iter().map(child).collect();
        let file = format!("{folder}SUCCEEDED_0.jsonl");
        let manifest =
            json!({"ResultFiles": {"SUCCEEDED": [{"Key": file, "Size": 1}], "FAILED": [], "PENDING": []}});
        let name = format!("{folder}manifest.json");
        let work = self.setup.work.direct();
        work.put(WORK, &file, children).expect("a bucket");
        work.put(WORK, &name, manifest.to_string()).expect("a bucket");
        name
    }

    fn report_input(&self, found: Value, batches: Option<&str>, deletes: Option<&str>) -> ReportInput {
        let round =
            json!({"prefix": self.prefix(), "redriveCount": 0, "batches": batches, "deletes": deletes});
        read(
            &json!({"request": self.request(), "execution": self.execution(), "sync": self.request()["sync"],
            "work": {"bucket": WORK, "prefix": self.prefix()}, "found": found, "rounds": [round]}),
        )
    }

    async fn reported(&self, listed: &ListOutput, batches: &[ObjectRecord], deletes: &[ObjectRecord]) -> Ran {
        let batches = self.results("batches", &[json!({"records": batches})]);
        let deletes = self.results("deletes", &[json!({"records": deletes})]);
        let input = self.report_input(json!(listed.found), Some(&batches), Some(&deletes));
        let report = transload_report::handle(self.setup.files("report"), Deadline::NONE, input).await;
        let report = told("report", report)?;
        same("deleted", report.counts.deleted.objects, 1)?;
        same("files", self.lists("report/").len(), 3)
    }
}

/// A mistake in the test itself ends it.
pub(crate) fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    transload_wire::parse(value.to_string().as_bytes()).unwrap_or_else(|failure| panic!("{failure}: {value}"))
}
