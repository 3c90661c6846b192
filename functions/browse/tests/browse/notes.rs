//! Notes on executions: many writers at once, and nothing that was answered is lost.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use transload_browse::Notes;

use crate::support::{Bench, machine};

fn arn(name: &str) -> String {
    format!("{}:{name}", machine("object").replace(":stateMachine:", ":execution:"))
}

async fn setup() -> (Bench, tempfile::TempDir) {
    let (mut setup, directory) = (Bench::new(json!({"Type": "Succeed"})).await, tempfile::tempdir().unwrap());
    setup.world.notes = Notes::in_directory(directory.path().to_owned());
    (setup, directory)
}

async fn texts(setup: &Bench, arn: &str) -> Vec<String> {
    let all = Bench::ok(setup.get("/api/notes", &[("arn", arn)]).await);
    all["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

async fn add(setup: &Bench, arn: &str, text: &str) -> Value {
    Bench::ok(setup.post("/api/notes", &json!({"arn": arn, "text": text})).await)["note"].clone()
}

fn only_file(directory: &Path) -> std::path::PathBuf {
    let files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_writers_at_once_lose_nothing() {
    let (setup, _directory) = setup().await;
    let (arn, other) = (arn("a"), arn("b"));
    let doomed = add(&setup, &arn, "doomed").await["id"].as_str().unwrap().to_owned();
    let mut all = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (world, arn, doomed) = (setup.world.clone(), arn.clone(), doomed.clone());
        all.spawn(async move {
            let query = vec![("arn".to_owned(), arn.clone()), ("id".to_owned(), doomed)];
            let path = "/api/notes".to_owned();
            let request = |method: &str, body: Value| transload_browse::Request {
                method: method.to_owned(),
                path: path.clone(),
                query: query.clone(),
                body: body.to_string().into_bytes(),
            };
            let body = json!({"arn": arn, "text": format!("note {n} \"of\" <b>many</b>\n\u{1f4dd}")});
            assert_eq!(transload_browse::handle(&world, &request("POST", body)).await.status, 200);
            // Readers and deleters come in between.
            let seen = transload_browse::handle(&world, &request("GET", Value::Null)).await.body;
            assert!(
                seen["notes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|note| { note["text"].as_str().unwrap().starts_with(&format!("note {n} ")) })
            );
            transload_browse::handle(&world, &request("DELETE", Value::Null)).await.body["deleted"]
                .as_u64()
                .unwrap()
        });
    }
    assert_eq!(all.join_all().await.iter().sum::<u64>(), 1, "one of them deleted it");
    let found = texts(&setup, &arn).await;
    let mut numbers: Vec<u32> =
        found.iter().map(|text| text.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    assert!(texts(&setup, &other).await.is_empty());
}

#[tokio::test]
async fn one_is_deleted_or_all_are() {
    let (setup, _directory) = setup().await;
    let arn = arn("a");
    let mut ids = Vec::new();
    for text in ["one", " two ", "three"] {
        ids.push(add(&setup, &arn, text).await["id"].as_str().unwrap().to_owned());
    }
    let deleted = |query: Vec<(&'static str, String)>| {
        let setup = &setup;
        async move {
            let query: Vec<(&str, &str)> =
                query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Bench::ok(setup.delete("/api/notes", &query).await)["deleted"].as_u64().unwrap()
        }
    };
    let one = vec![("arn", arn.clone()), ("id", ids[0].clone())];
    assert_eq!((deleted(one.clone()).await, deleted(one).await), (1, 0));
    assert_eq!(texts(&setup, &arn).await, ["two", "three"]);
    assert_eq!(deleted(vec![("arn", arn.clone())]).await, 2);
    assert!(texts(&setup, &arn).await.is_empty());
    add(&setup, &arn, "four").await;
    assert_eq!(texts(&setup, &arn).await, ["four"]);
}

/// A writer that died midway: its note was never answered, and does not spoil the next.
#[tokio::test]
async fn a_torn_line_is_cut_off() {
    let (setup, directory) = setup().await;
    let arn = arn("a");
    add(&setup, &arn, "whole").await;
    let path = only_file(directory.path());
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\": \"t").unwrap();
    assert_eq!(texts(&setup, &arn).await, ["whole"]);
    add(&setup, &arn, "behind").await;
    assert_eq!(texts(&setup, &arn).await, ["whole", "behind"]);
}

#[tokio::test]
async fn what_is_no_note_is_refused() {
    let (setup, directory) = setup().await;
    let good = arn("a");
    let post = async |body: Value| setup.post("/api/notes", &body).await;
    for (body, status, field) in [
        (json!({"arn": good, "text": "  "}), 400, "text"),
        (json!({"arn": good, "text": "x".repeat(4_097)}), 400, "text"),
        (json!({"arn": good, "text": "bell\u{7}"}), 400, "text"),
        (json!({"arn": arn("a").replace(":object:", ":other:"), "text": "x"}), 404, "arn"),
        (json!({"arn": good, "text": "x", "colour": "red"}), 400, "colour"),
    ] {
        let (found, answer) = post(body.clone()).await;
        assert_eq!((found, answer["field"].as_str()), (status, Some(field)), "{body}: {answer}");
    }
    assert_eq!(setup.get("/api/notes", &[]).await.0, 400);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing was written");
    // A name can not lead out of the directory.
    add(&setup, &arn("..%2F..%2Fx/../y"), "x").await;
    let file = only_file(directory.path());
    assert_eq!(file.parent().unwrap(), directory.path());
}

#[tokio::test]
async fn there_is_an_end_to_notes() {
    let (setup, directory) = setup().await;
    let arn = arn("a");
    add(&setup, &arn, "first").await;
    let path = only_file(directory.path());
    let line = |n: usize| format!("{{\"id\":\"{n}\",\"time\":0,\"text\":\"x\"}}\n");
    let lines: String = (0..499).map(line).collect();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(lines.as_bytes()).unwrap();
    let (status, answer) = setup.post("/api/notes", &json!({"arn": arn, "text": "x"})).await;
    assert_eq!((status, answer["error"].as_str()), (409, Some("TooManyNotes")));
    assert_eq!(texts(&setup, &arn).await.len(), 500);
}

#[tokio::test]
async fn without_a_directory_there_are_none() {
    let setup = Bench::new(json!({"Type": "Succeed"})).await;
    let (status, answer) = setup.get("/api/notes", &[("arn", &arn("a"))]).await;
    assert_eq!((status, answer["error"].as_str()), (404, Some("NotConfigured")));
    assert_eq!(Bench::ok(setup.get("/api/places", &[]).await)["notes"], false);
    assert!(Notes::parse(Some("relative")).is_err() && !Notes::parse(Some("")).unwrap().are_kept());
}

#[tokio::test]
async fn the_directory_is_made_with_the_first_note_but_not_where_nothing_is_mounted() {
    let (mut setup, mount) = setup().await;
    let notes = mount.path().join(".transload/notes");
    setup.world.notes = Notes::in_directory(notes.clone());
    let arn = arn("a");
    assert!(texts(&setup, &arn).await.is_empty() && !notes.exists(), "reading makes none");
    add(&setup, &arn, "first").await;
    assert_eq!(texts(&setup, &arn).await, ["first"]);
    assert_eq!(std::fs::metadata(&notes).unwrap().permissions().mode() & 0o777, 0o700);

    setup.world.notes = Notes::in_directory(mount.path().join("not-mounted/.transload/notes"));
    let (status, answer) = setup.post("/api/notes", &json!({"arn": arn, "text": "x"})).await;
    assert_eq!((status, answer["error"].as_str()), (502, Some("NotesUnavailable")), "{answer}");
    assert!(!mount.path().join("not-mounted").exists());
}
