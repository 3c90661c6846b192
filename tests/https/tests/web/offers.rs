//! What servers offer, and what is made of it: ranges or none, lengths or none, validators or none.

use odd_https::{Reply, Site};
use transload_wire::{Decision, ErrorName, Proof};

use crate::kit::{Kit, bytes};

#[tokio::test]
async fn a_server_with_ranges_and_a_strong_etag_is_read_in_parts() {
    let kit = Kit::of(Site::new(bytes(60))).await;
    assert_eq!(kit.copies(&bytes(60)).await, Proof::TransitChecksum);
    let asked = kit.asked();
    assert_eq!(asked[0], "HEAD");
    assert_eq!(asked.len(), 9, "one HEAD, and one GET for each of 8 parts: {asked:?}");
    assert!(asked.contains(&"GET bytes=56-59".to_owned()), "{asked:?}");
    for get in &kit.server.requests()[1..] {
        assert_eq!(get.header("if-match"), Some("\"first\""));
        assert_eq!(get.header("if-range"), Some("\"first\""));
        assert_eq!(get.header("accept-encoding"), Some("identity"));
        for never in ["authorization", "cookie", "x-amz-checksum-mode", "referer"] {
            assert_eq!(get.header(never), None);
        }
    }
    let facts = kit.world.destination.facts("photos-cn", "a").unwrap();
    assert_eq!(facts.attributes.content_type.as_deref(), Some("text/x"));
}

#[tokio::test]
async fn a_small_object_is_read_whole() {
    let kit = Kit::of(Site::new(bytes(16))).await;
    kit.copies(&bytes(16)).await;
    assert_eq!(kit.asked(), ["HEAD", "GET"]);
}

#[tokio::test]
async fn nothing_and_one_byte_arrive() {
    for len in [0, 1] {
        let kit = Kit::of(Site::new(bytes(len))).await;
        kit.copies(&bytes(len)).await;
        // Without HEAD, an empty object has no first byte to be asked for.
        let site = Site::new(bytes(len));
        let kit = Kit::new(
            move |request, _| if request.method == "HEAD" { Reply::status(405) } else { site.reply(request) },
        );
        kit.await.copies(&bytes(len)).await;
    }
}

/// A signed URL is mostly good for GET alone.
#[tokio::test]
async fn where_head_is_refused_a_get_of_one_byte_tells() {
    for status in [403, 405, 501] {
        let site = Site::new(bytes(60));
        let answer = move |request: &odd_https::Request, _| {
            if request.method == "HEAD" { Reply::status(status) } else { site.reply(request) }
        };
        let kit = Kit::new(answer).await;
        kit.copies(&bytes(60)).await;
        assert_eq!(kit.asked()[..2], ["HEAD", "GET bytes=0-0"]);
        assert_eq!(kit.asked().len(), 10);
    }
}

#[tokio::test]
async fn where_head_says_nothing_of_ranges_the_first_byte_shows() {
    let kit = Kit::of(Site { tells_ranges: false, ..Site::new(bytes(60)) }).await;
    kit.copies(&bytes(60)).await;
    assert_eq!(kit.asked()[..2], ["HEAD", "GET bytes=0-0"]);
}

#[tokio::test]
async fn http_without_ranges_one_worker_reads_one_stream() {
    for tells_ranges in [true, false] {
        let kit = Kit::of(Site { ranges: false, tells_ranges, ..Site::new(bytes(60)) }).await;
        let head = kit.head().await.unwrap();
        assert_eq!((head.decision, head.layout), (Decision::Copy, None));
        kit.copies(&bytes(60)).await;
        assert_eq!(kit.asked().last().unwrap(), "GET");
    }
}

#[tokio::test]
async fn http_without_ranges_more_than_one_request_takes_is_refused() {
    let kit = Kit::of(Site { ranges: false, ..Site::new(bytes(65)) }).await;
    let (name, message) = kit.fails().await;
    assert_eq!(name, ErrorName::PlanInvalid);
    assert!(message.contains("at most 64 bytes") && message.contains("found 65 bytes"), "{message}");
}

#[tokio::test]
async fn http_without_a_length_it_is_read_once_to_know_it() {
    let site = Site { ranges: false, length: false, tells_ranges: false, ..Site::new(bytes(60)) };
    let kit = Kit::of(site).await;
    let head = kit.head().await.unwrap();
    assert_eq!((head.source.size, head.decision), (60, Decision::Copy));
    kit.copies(&bytes(60)).await;
    assert_eq!(kit.asked()[..2], ["HEAD", "GET bytes=0-0"]);
}

#[tokio::test]
async fn http_without_a_length_another_length_the_second_time_is_no_object() {
    let site = Site { ranges: false, length: false, etag: None, modified: None, ..Site::new(bytes(60)) };
    let longer = Site { bytes: bytes(61), ..site.clone() };
    let kit =
        Kit::new(move |request, turn| if turn < 2 { site.reply(request) } else { longer.reply(request) })
            .await;
    let (name, message) = kit.fails().await;
    assert_eq!(name, ErrorName::SourceBroken, "{message}");
}

#[tokio::test]
async fn http_a_length_of_2_to_the_64_is_refused() {
    let site = Site::new(bytes(60));
    let kit =
        Kit::new(move |request, _| site.reply(request).with("content-length", "18446744073709551616")).await;
    let (name, message) = kit.fails().await;
    // The HTTP client itself may refuse to read such an answer.
    assert!(matches!(name, ErrorName::SourceBroken | ErrorName::ConnectionLost), "{name}: {message}");
}

#[tokio::test]
async fn http_a_weak_etag_is_not_asked_for_and_the_date_is() {
    let kit = Kit::of(Site { etag: Some("W/\"weak\"".to_owned()), ..Site::new(bytes(60)) }).await;
    assert_eq!(kit.head().await.unwrap().source.etag.as_str(), "~modified/1994-11-06T08:49:37Z");
    kit.copies(&bytes(60)).await;
    let requests = kit.server.requests();
    let get = requests.last().unwrap();
    assert_eq!(get.header("if-match"), None);
    assert_eq!(get.header("if-unmodified-since"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
}

#[tokio::test]
async fn what_offers_less_is_held_by_less() {
    let base = Site { modified: None, ..Site::new(bytes(60)) };
    for (etag, pin) in [(Some("W/\"weak\"".to_owned()), "~weak/weak"), (None, "~size")] {
        let kit = Kit::of(Site { etag, ..base.clone() }).await;
        assert_eq!(kit.head().await.unwrap().source.etag.as_str(), pin);
        kit.copies(&bytes(60)).await;
    }
}

#[tokio::test]
async fn http_gzip_is_refused() {
    let site =
        Site { headers: vec![("content-encoding".to_owned(), "gzip".to_owned())], ..Site::new(bytes(60)) };
    let kit = Kit::of(site).await;
    let (name, message) = kit.fails().await;
    assert_eq!(name, ErrorName::Unsupported);
    assert!(message.contains("Content-Encoding identity") && message.contains("\"gzip\""), "{message}");
}

/// Told by HEAD as identity, and compressed when it is read.
#[tokio::test]
async fn f40_gzip_that_comes_later_is_refused() {
    let site = Site::new(bytes(16));
    let kit = Kit::new(move |request, _| {
        let reply = site.reply(request);
        if request.method == "GET" { reply.with("content-encoding", "br") } else { reply }
    });
    assert_eq!(kit.await.fails().await.0, ErrorName::Unsupported);
}

#[tokio::test]
async fn the_same_object_is_not_copied_again_where_its_etag_names_it() {
    let kit = Kit::of(Site::new(bytes(60))).await;
    kit.copies(&bytes(60)).await;
    let (outcome, asked) = (kit.run().await.unwrap(), kit.asked());
    assert!(outcome.record().is_none(), "{outcome:?}");
    assert_eq!(asked.last().unwrap(), "HEAD");
}

/// A date and a size are not enough to take what stands there for the same, nor is a query that may name the object.
#[tokio::test]
async fn where_less_is_known_each_execution_copies() {
    let weak = Kit::of(Site { etag: None, ..Site::new(bytes(60)) }).await;
    let mut named = Kit::of(Site::new(bytes(60))).await;
    let url = named.server.url("/get?id=1");
    named.read(&serde_json::json!({"url": url}));
    for kit in [weak, named] {
        kit.copies(&bytes(60)).await;
        assert!(!kit.head().await.unwrap().follow, "nothing is looked after that has no versions");
        let other = transload_function_tests::States::new(&kit.world, "other").run().await.unwrap();
        assert!(other.record().is_some(), "{other:?}");
    }
}
