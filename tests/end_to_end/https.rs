//! From a URL, by the program, with real workers and the real definition. The signature in the URL shows up nowhere.

use odd_https::{End, Reply, Server, Site};
use serde_json::{Value, json};

use crate::support::{Bench, DESTINATION, PART, Ran, bytes, found_in};

/// In the query of every URL here.
pub(crate) const CANARY: &str = "CANARY4711SIGNATURE";

const FLAGS: [&str; 4] = ["--part-size", "262144", "--whole-object-limit", "262144"];

/// Lets the workers read this server.
pub(crate) fn trust(bench: &Bench, server: &Server) {
    let pem = bench.path("ca.pem");
    std::fs::write(&pem, server.pem()).unwrap();
    let locations = bench.path("locations.toml");
    let text = std::fs::read_to_string(&locations).unwrap();
    let more = format!("\n[https]\nprivate_hosts = [\"localhost\"]\nca_file = {pem:?}\n");
    std::fs::write(locations, text + &more).unwrap();
}

async fn copy(bench: &Bench, url: &str, key: &str, workers: &str) -> Ran {
    let destination = format!("china:s3://{DESTINATION}/{key}");
    let places = ["copy", url, &destination, "--max-concurrency", workers];
    let args: Vec<&str> = places.into_iter().chain(FLAGS).collect();
    bench.run(&args).await
}

pub(crate) fn signed(server: &Server) -> String {
    server.url(&format!("/dir/file.bin?X-Amz-Signature={CANARY}"))
}

/// Whether every read came with the signature.
fn all_signed(server: &Server) -> bool {
    server.requests().iter().all(|request| request.target.contains(CANARY))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_url_is_copied_in_parts_and_its_query_is_nowhere() {
    let (bench, data) = (Bench::new().await, bytes(5 * PART + 7, 1));
    let site = Site::new(data.clone());
    // Not by the turn: parts are read at the same time, and the last one is shorter than the cut.
    let cut = std::sync::atomic::AtomicBool::new(false);
    let server = Server::start(move |request, _| {
        let reply = site.reply(request);
        let second = request.header("range") == Some("bytes=262144-524287");
        let first_time = second && !cut.swap(true, std::sync::atomic::Ordering::Relaxed);
        if first_time { reply.ending(End::Cut(1_000)) } else { reply }
    })
    .await
    .unwrap();
    trust(&bench, &server);
    let ran = copy(&bench, &signed(&server), "file.bin", "4").await.ok();
    bench.assert_same("file.bin", &data);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(shown.contains("/dir/file.bin?…") && !shown.contains(CANARY), "{shown}");
    assert!(all_signed(&server));
    // One HEAD, one GET for each of 6 parts, one more for the part that was cut.
    assert_eq!(server.requests().len(), 8, "{:?}", server.requests());
    let name = bench.run(&["executions", "--output", "json"]).await.json()["executions"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    for args in [vec!["report", &name], vec!["history", &name, "--output", "json"], vec!["describe", &name]] {
        let ran = bench.run(&args).await.ok();
        assert!(!ran.stdout.contains(CANARY), "{args:?}: {}", ran.stdout);
    }
    let found = found_in(&bench.home(), CANARY);
    assert!(found.is_empty(), "the query is in {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_redriven_with_the_query_that_was_kept() {
    let (bench, data) = (Bench::new().await, bytes(5 * PART, 2));
    let site = Site::new(data.clone());
    let expired = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let over = std::sync::Arc::clone(&expired);
    let server = Server::start(move |request, turn| {
        let refused = turn > 2 && over.load(std::sync::atomic::Ordering::Relaxed);
        if refused { Reply::status(403) } else { site.reply(request) }
    })
    .await
    .unwrap();
    trust(&bench, &server);
    // One after another, so that the first parts have arrived when a read is refused.
    let ran = copy(&bench, &signed(&server), "file.bin", "1").await;
    assert!(ran.code() != 0 && ran.stderr.contains("SourceAccessDenied"), "{ran:#?}");
    assert!(!format!("{ran:?}").contains(CANARY));
    let kept = found_in(&bench.home(), CANARY);
    assert!(kept.len() == 1 && kept[0].parent().unwrap().ends_with("queries"), "{kept:?}");
    let arrived = bench.taken();
    expired.store(false, std::sync::atomic::Ordering::Relaxed);
    let name = bench.run(&["executions", "--output", "json"]).await.json()["executions"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.run(&["redrive", &name]).await.ok();
    bench.assert_same("file.bin", &data);
    assert!(!arrived.is_empty() && arrived.len() < 5, "{arrived:?}");
    let sent = bench.sent();
    assert!(
        arrived.iter().all(|part| sent[part] == 1),
        "what had arrived was not sent again: {arrived:?}, {sent:?}"
    );
}

/// A URL in an input stands there; what the states hand on does not repeat it.
#[tokio::test(flavor = "multi_thread")]
async fn an_inline_query_is_in_the_input_and_in_no_output() {
    for (event, len) in [(false, 3 * PART), (true, 1_000), (true, 3 * PART)] {
        let (bench, data) = (Bench::new().await, bytes(len, 3));
        let site = Site::new(data.clone());
        let server = Server::start(move |request, _| site.reply(request)).await.unwrap();
        trust(&bench, &server);
        // As its forerunner was told, with a location named as the Region.
        let locations = bench.path("locations.toml");
        let text = std::fs::read_to_string(&locations).unwrap();
        std::fs::write(&locations, text.replace("locations.china", "locations.cn-north-1")).unwrap();
        let mut input = if event {
            json!({"source_url": signed(&server), "target_object_name": "a/b", "target_region": "cn-north-1",
                   "target_bucket_name": DESTINATION})
        } else {
            json!({"source": {"url": signed(&server)},
                   "destination": {"location": "cn-north-1", "bucket": DESTINATION, "key": "a/b"}})
        };
        input["options"] = json!({"partSize": PART, "wholeObjectLimit": PART});
        std::fs::write(bench.path("input.json"), input.to_string()).unwrap();
        let ran = bench.run(&["copy", "--input", "input.json", "--name", "inline"]).await.ok();
        assert!(!ran.stdout.contains(CANARY), "{}", ran.stdout);
        bench.assert_same("a/b", &data);
        assert!(all_signed(&server));
        let history = bench.run(&["history", "inline", "--output", "json"]).await.ok().json();
        let events = history["events"].as_array().unwrap_or_else(|| panic!("{history}"));
        let outputs: Vec<&Value> = events.iter().flat_map(outputs).collect();
        assert!(outputs.len() > 2, "{history}");
        assert!(outputs.iter().all(|output| !output.to_string().contains(CANARY)), "{outputs:?}");
    }
}

/// What an event of the history says that came out of a state.
fn outputs(event: &Value) -> Vec<&Value> {
    let details = event.as_object().into_iter().flat_map(|event| event.values());
    details.filter_map(|details| details.get("output")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_url_is_told_without_its_query() {
    let bench = Bench::new().await;
    for (url, told) in [
        (format!("http://example.com/f?{CANARY}"), "expected https"),
        (format!("https://u:{CANARY}@example.com/f"), "user or password"),
        (format!("https://169.254.169.254/?{CANARY}"), "expected a public address"),
        (format!("https://localhost:1/?{CANARY}"), "expected a public address"),
        (format!("https://example.com/a b?{CANARY}"), "percent-encoded"),
    ] {
        let ran = copy(&bench, &url, "k", "4").await;
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code() != 0 && shown.contains(told) && !shown.contains(CANARY), "{url}: {shown}");
    }
    bench.assert_nothing_left("k");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_ranges_and_length_is_copied_by_one_worker() {
    let (bench, data) = (Bench::new().await, bytes(3 * PART, 5));
    let site = Site { ranges: false, length: false, tells_ranges: false, ..Site::new(data.clone()) };
    let server = Server::start(move |request, _| site.reply(request)).await.unwrap();
    trust(&bench, &server);
    let destination = format!("china:s3://{DESTINATION}");
    let ran = bench.run(&["copy", &server.url("/dir/name.bin"), &destination]).await.ok();
    bench.assert_same("name.bin", &data);
    assert!(ran.stdout.contains("SUCCEEDED"), "{}", ran.stdout);
}
