//! A pack that nobody may trust: whatever byte of it is another, it does not hold, and what is no pack is refused by name.

use std::path::Path;

use serde_json::{Value, json};

use super::archive::{Writer, sha256};
use super::check::Check;
use super::manifest::{FORMAT, Listed, Manifest, VERSION};
use super::{Judgement, Look, Verdict, name, verify};

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:transload-object:x";

/// Files of an execution that was stopped before its first state.
fn files() -> Vec<(String, String)> {
    let definition = r#"{"States": {"Head": {"Type": "Task"}}}"#;
    let execution = json!({"executionArn": ARN, "status": "ABORTED", "input": "{}", "error": "Stopped"});
    let events = [
        json!({"id": 1, "previousEventId": 0, "timestamp": 1.0, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}}),
        json!({"id": 2, "previousEventId": 1, "timestamp": 1.5, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Head"}}),
        json!({"id": 3, "previousEventId": 2, "timestamp": 2.0, "type": "ExecutionAborted", "executionAbortedEventDetails": {"error": "Stopped"}}),
    ];
    let versions = json!({"machine": {"definitionSha256": sha256(definition.as_bytes())}, "functions": {}});
    let history: String = events.iter().map(|event| format!("{event}\n")).collect();
    [
        (name::README, "read me\n".to_owned()),
        (name::EXECUTION, execution.to_string()),
        (name::INPUT, "{}".to_owned()),
        (name::DEFINITION, definition.to_owned()),
        (name::HISTORY, history),
        (name::CHILDREN, String::new()),
        (name::MAP_RUNS, String::new()),
        (name::PARTS, String::new()),
        (name::CHECKSUMS, String::new()),
        (name::VERSIONS, versions.to_string()),
        (name::REPORT, "{}".to_owned()),
    ]
    .map(|(name, text)| (name.to_owned(), text))
    .into()
}

/// Packs files as they are packed, with a manifest of them.
fn packed(files: &[(String, String)], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pack");
    let mut writer = Writer::beside(&out).unwrap();
    for (name, text) in files {
        writer.file(name, text.as_bytes()).unwrap();
    }
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        format_version: VERSION,
        made_by: "a test".to_owned(),
        execution_arn: ARN.to_owned(),
        status: "ABORTED".to_owned(),
        redacted: Vec::new(),
        missing: Vec::new(),
        files: writer.listed().to_vec(),
    };
    let mut manifest = json!(manifest);
    edit(&mut manifest);
    writer.file(name::MANIFEST, manifest.to_string().as_bytes()).unwrap();
    let sums: String = writer.listed().iter().map(Listed::line).collect();
    writer.file(name::SUMS, sums.as_bytes()).unwrap();
    let (told, size) = writer.finish(&out).unwrap();
    let bytes = std::fs::read(&out).unwrap();
    assert_eq!((told, size), (sha256(&bytes), bytes.len() as u64));
    bytes
}

/// With one file changed, and sums that fit.
fn with(file: &str, edit: impl FnOnce(&str) -> String) -> Vec<u8> {
    let mut files = files();
    let (_, text) = files.iter_mut().find(|(name, _)| name == file).unwrap();
    *text = edit(text);
    packed(&files, |_| {})
}

async fn judged(bytes: &[u8]) -> Judgement {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    at(file.path()).await
}

async fn at(path: &Path) -> Judgement {
    verify(path, Look::Not("a test".to_owned())).await.unwrap()
}

/// The one check that failed, with its words.
async fn broken(bytes: &[u8]) -> (&'static str, String) {
    let judgement = judged(bytes).await;
    let failed = |check: &Check| check.verdict == Verdict::Failed;
    let mut found: Vec<Check> = judgement.checks.into_iter().filter(failed).collect();
    assert!(!judgement.holds && found.len() == 1, "{found:?}");
    found.pop().map(|check| (check.check, check.detail)).unwrap()
}

#[tokio::test]
async fn whatever_byte_is_changed_it_does_not_hold() {
    let whole = packed(&files(), |_| {});
    assert!(judged(&whole).await.holds, "{:?}", judged(&whole).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pack");
    for at_byte in 0..whole.len() {
        let mut bytes = whole.clone();
        // Another bit each time, and now and then all of them.
        bytes[at_byte] ^= if at_byte % 9 == 8 { 0xff } else { 1 << (at_byte % 9) };
        std::fs::write(&path, &bytes).unwrap();
        let judgement = at(&path).await;
        assert!(!judgement.holds, "byte {at_byte} was changed");
    }
}

#[tokio::test]
async fn what_is_cut_or_longer_does_not_hold() {
    let whole = packed(&files(), |_| {});
    for len in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let (check, why) = broken(&whole[..len]).await;
        assert!(check == "archive" && why.contains("it was cut"), "{len}: {why}");
    }
    let (check, why) = broken(&[&whole[..], b"\0"].concat()).await;
    assert!(check == "archive" && why.contains("more bytes"), "{why}");
}

/// Another header in place of the first, with a sum that fits.
fn header(edit: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = packed(&files(), |_| {});
    edit(&mut bytes[..512]);
    bytes[148..156].copy_from_slice(b"        ");
    let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

fn put(at: usize, text: &'static [u8]) -> impl FnOnce(&mut [u8]) {
    move |header: &mut [u8]| header[at..at + text.len()].copy_from_slice(text)
}

#[tokio::test]
async fn archives_that_want_more_than_to_be_read_are_refused() {
    for (what, bytes) in [
        ("a name that leads out", header(put(0, b"../../etc"))),
        ("an absolute name", header(put(0, b"/etc/pass"))),
        ("another name", header(put(0, b"README.TXT"))),
        ("a symbolic link", header(put(156, b"2"))),
        ("a folder", header(put(156, b"5"))),
        ("a sparse file", header(put(156, b"S"))),
        ("an owner", header(put(108, b"0001750"))),
        ("a time", header(put(136, b"14000000000"))),
        ("a program", header(put(100, b"0000755"))),
        ("8 GiB that are not there", header(put(124, b"77777777777"))),
        ("a size that is none", header(put(124, b"-1"))),
        ("gzip", [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[7; 2_000]].concat()),
        ("zip", [&b"PK\x03\x04\x14\0\0\0\x08\0"[..], &[7; 2_000]].concat()),
        ("nothing", Vec::new()),
    ] {
        let (check, why) = broken(&bytes).await;
        assert!(
            check == "archive" && why.contains("expected") || why.contains("it was cut"),
            "{what}: {check} {why}"
        );
    }
    // A folder is no file, and neither is a pipe that never ends.
    for path in ["/", "/dev/zero"] {
        assert!(!at(Path::new(path)).await.holds, "{path}");
    }
}

#[tokio::test]
async fn files_twice_or_out_of_order_are_refused() {
    let whole = packed(&files(), |_| {});
    let first = &whole[..1024];
    let twice = [first, &whole[..]].concat();
    let (_, why) = broken(&twice).await;
    assert!(why.contains("expected the next of a pack's files, found README.txt"), "{why}");
    let swapped = [&whole[1024..2048], first, &whole[2048..]].concat();
    let (_, why) = broken(&swapped).await;
    assert!(why.contains("found README.txt"), "{why}");
}

#[tokio::test]
async fn manifests_that_do_not_fit_are_refused_by_what_they_say() {
    for (edit, check, words) in [
        (
            |manifest: &mut Value| manifest["formatVersion"] = json!(2),
            "manifest",
            "expected formatVersion 1, found 2",
        ),
        (|manifest: &mut Value| manifest["format"] = json!("zip"), "manifest", "expected format"),
        (|manifest: &mut Value| manifest["colour"] = json!("red"), "manifest", "unknown field `colour`"),
        (
            |manifest: &mut Value| manifest["files"][0]["size"] = json!(3),
            "files",
            "README.txt: expected 3 bytes",
        ),
        (
            |manifest: &mut Value| manifest["files"][0]["sha256"] = json!(""),
            "files",
            "README.txt: expected SHA-256",
        ),
        (
            |manifest: &mut Value| drop(manifest["files"].as_array_mut().unwrap().remove(0)),
            "files",
            "README.txt: it is in the pack",
        ),
        (
            |manifest: &mut Value| manifest["files"][10]["name"] = json!("work/x"),
            "files",
            "work/x: it is in the manifest",
        ),
        (|manifest: &mut Value| manifest["status"] = json!("SUCCEEDED"), "execution", "expected"),
    ] as [(fn(&mut Value), &str, &str); 8]
    {
        let (found, why) = broken(&packed(&files(), edit)).await;
        assert!(found == check && why.contains(words), "{found}: {why}");
    }
    let mut fewer = files();
    fewer.retain(|(name, _)| name != name::PARTS);
    let (check, why) = broken(&packed(&fewer, |_| {})).await;
    assert!(check == "files" && why.starts_with("parts.jsonl: expected a file"), "{why}");
}

/// Sums that fit say only that the files are those that were packed.
#[tokio::test]
async fn files_that_contradict_each_other_do_not_hold() {
    let replace = |from: &'static str, to: &'static str| move |text: &str| text.replacen(from, to, 1);
    let deep = |_: &str| "[".repeat(100_000);
    let long = |_: &str| format!("{{\"a\": \"{}\"}}\n", "x".repeat(5 << 20));
    for (bytes, check, words) in [
        (with(name::INPUT, |_| "{\"a\":1}".to_owned()), "input", "expected the input of execution.json"),
        (with(name::INPUT, |_| "{".to_owned()), "documents", "input.json: EOF"),
        (with(name::REPORT, deep), "documents", "report.json: "),
        (with(name::PARTS, long), "documents", "parts.jsonl, line 1: expected at most 4 MiB"),
        (with(name::PARTS, |_| "{}".to_owned()), "documents", "expected its end"),
        (with(name::DEFINITION, |text| format!("{text} ")), "definition", "expected SHA-256"),
        (
            with(name::HISTORY, replace("\"id\":2", "\"id\":4")),
            "histories",
            "event 2: expected this id, found 4",
        ),
        (
            with(name::HISTORY, replace("\"previousEventId\":1", "\"previousEventId\":2")),
            "histories",
            "event 2: expected an earlier event",
        ),
        (with(name::HISTORY, replace("1.5", "0.5")), "histories", "event 2: its time is before"),
        (
            with(name::HISTORY, replace("Head", "Tail")),
            "histories",
            "the definition has no Task state \"Tail\"",
        ),
        (
            with(name::HISTORY, replace("ExecutionAborted", "ExecutionFailed")),
            "histories",
            "expected the end of an execution that is ABORTED",
        ),
        (with(name::HISTORY, replace("Stopped", "Paused")), "histories", "its error is not the execution's"),
        (with(name::HISTORY, |_| String::new()), "histories", "expected events, found none"),
        (with(name::PARTS, |_| "{}\n".to_owned()), "records", "parts.jsonl, line 1"),
        (with(name::CHECKSUMS, |_| "{}\n".to_owned()), "records", "checksums.jsonl, line 1"),
        (with(name::CHILDREN, |_| "{\"event\":{}}\n".to_owned()), "histories", "an event of no execution"),
        (
            with(name::VERSIONS, replace("\"functions\":{}", "\"functions\":{\"f\":{}}")),
            "records",
            "its functions are not those",
        ),
    ] {
        let (found, why) = broken(&bytes).await;
        assert!(found == check && why.contains(words), "{found}: {why}, expected {check}: {words}");
    }
}

#[test]
fn nothing_is_written_over_and_names_have_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pack");
    std::fs::write(&out, "precious").unwrap();
    let mut writer = Writer::beside(&out).unwrap();
    writer.file(name::README, b"").unwrap();
    for wrong in [name::README, "work/../x", "elsewhere", "work/a b", &format!("work/{}", "x".repeat(101))] {
        assert!(writer.begin(wrong).is_err(), "{wrong}");
    }
    // A name of two pieces in the header.
    writer.file(&format!("work/{}/{}", "x".repeat(140), "y".repeat(90)), b"long").unwrap();
    assert!(writer.finish(&out).is_err());
    assert_eq!(std::fs::read(&out).unwrap(), b"precious");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}
