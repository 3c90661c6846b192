//! Reads that break, lie or come too late.

use odd_https::{End, Reply, Request, Site};
use transload_wire::ErrorName;

use crate::kit::{Kit, bytes};

/// The reply to all requests but one, which is counted from the first GET.
async fn nth(at: usize, site: Site, fault: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> Kit {
    Kit::new(move |request, turn| {
        let reply = site.reply(request);
        if turn == at { fault(reply) } else { reply }
    })
    .await
}

#[tokio::test]
async fn f01_a_connection_that_is_cut_before_an_answer_is_made_again() {
    let site = Site::new(bytes(60));
    let kit = nth(3, site, |reply| reply.ending(End::Cut(0))).await;
    kit.copies(&bytes(60)).await;
}

/// What has arrived stays: only the rest is asked for, in the same PUT.
#[tokio::test]
async fn f02_a_reset_midway_is_read_on_from_there() {
    let kit = nth(1, Site::new(bytes(60)), |reply| reply.ending(End::Cut(3))).await;
    let outcome = kit.run().await.unwrap();
    assert_eq!(kit.world.copied(), Some(bytes(60)));
    let (asked, record) = (kit.asked(), outcome.record().unwrap());
    assert_eq!(asked.len(), 10, "{asked:?}");
    // Parts of eight bytes are read at the same time, and any of them may be the one.
    let rests = (0..60).step_by(8).map(|start| format!("GET bytes={}-{}", start + 3, (start + 7).min(59)));
    assert_eq!(rests.filter(|rest| asked.contains(rest)).count(), 1, "{asked:?}");
    assert_eq!(record.requests.get("UploadPart"), None, "Complete sends no part");
}

/// A server without ranges is read from its start, and what was there is thrown away.
#[tokio::test]
async fn f02_a_reset_midway_without_ranges_is_read_on_by_skipping() {
    let kit =
        nth(1, Site { ranges: false, ..Site::new(bytes(60)) }, |reply| reply.ending(End::Cut(31))).await;
    kit.copies(&bytes(60)).await;
    assert_eq!(kit.asked(), ["HEAD", "GET", "GET"]);
}

/// Nothing says that the second stream is the same: the worker begins anew, and with it the PUT.
#[tokio::test]
async fn f02_without_ranges_and_validator_nothing_is_pieced_together() {
    let base = Site { ranges: false, etag: None, modified: None, ..Site::new(bytes(60)) };
    let other = Site { bytes: bytes(60).iter().rev().copied().collect(), ..base.clone() };
    let expected = other.bytes.clone();
    let kit = Kit::new(move |request, turn| match turn {
        0 | 1 => base.reply(request),
        2 => base.reply(request).ending(End::Cut(31)),
        _ => other.reply(request),
    })
    .await;
    let outcome = kit.run().await;
    match outcome {
        Ok(_) => assert_eq!(kit.world.copied(), Some(expected), "never a mix"),
        Err(failure) => assert_eq!((failure.name, kit.world.copied()), (ErrorName::RangeIgnored, None)),
    }
}

#[tokio::test]
async fn f03_a_stall_is_ended_and_read_on() {
    let kit = nth(2, Site::new(bytes(60)), |reply| reply.ending(End::Stall(2))).await;
    kit.copies(&bytes(60)).await;
}

#[tokio::test]
async fn f04_a_range_answered_by_the_whole_object_is_refused() {
    let site = Site::new(bytes(60));
    let whole = Site { ranges: false, ..Site::new(bytes(60)) };
    let answer = move |request: &Request, _| {
        if request.method == "HEAD" { site.reply(request) } else { whole.reply(request) }
    };
    assert_eq!(Kit::new(answer).await.fails().await.0, ErrorName::RangeIgnored);
}

#[tokio::test]
async fn f05_a_wrong_range_is_asked_for_once_more_and_then_refused() {
    for wrong in ["bytes 1-8/60", "bytes 0-7/61", "bytes 0-8/60", "items 0-7/60", "bytes 0-7/*"] {
        let kit = nth(1, Site::new(bytes(60)), move |reply| reply.with("content-range", wrong)).await;
        kit.copies(&bytes(60)).await;
        let site = Site::new(bytes(60));
        let kit = Kit::new(move |request, _| {
            let reply = site.reply(request);
            if reply.status == 206 { reply.with("content-range", wrong) } else { reply }
        });
        let (name, message) = kit.await.fails().await;
        assert_eq!(name, ErrorName::SourceBroken, "{wrong}: {message}");
        assert!(message.contains("Content-Range bytes"), "{message}");
    }
}

#[tokio::test]
async fn f05_a_short_answer_that_says_so_is_refused() {
    let site = Site::new(bytes(60));
    let kit = Kit::new(move |request, _| {
        let mut reply = site.reply(request);
        if reply.status == 206 {
            reply.body.pop();
            reply = reply.clone().with("content-length", reply.body.len().to_string());
        }
        reply
    });
    assert_eq!(kit.await.fails().await.0, ErrorName::SourceBroken);
}

#[tokio::test]
async fn f09_f40_an_etag_that_changes_midway_is_another_object() {
    for conditions in [true, false] {
        let before = Site { conditions, ..Site::new(bytes(60)) };
        let after = Site { bytes: vec![9; 60], etag: Some("\"second\"".to_owned()), ..before.clone() };
        let kit = Kit::new(
            move |request, turn| if turn < 4 { before.reply(request) } else { after.reply(request) },
        )
        .await;
        let (name, message) = kit.fails().await;
        assert_eq!(name, ErrorName::SourceChanged, "conditions {conditions}: {message}");
    }
}

#[tokio::test]
async fn f09_a_date_that_changes_midway_is_another_object() {
    for conditions in [true, false] {
        let before = Site { conditions, etag: None, ..Site::new(bytes(60)) };
        let after = Site { modified: Some("Sun, 06 Nov 1994 08:49:38 GMT".to_owned()), ..before.clone() };
        let kit = Kit::new(
            move |request, turn| if turn < 4 { before.reply(request) } else { after.reply(request) },
        )
        .await;
        assert_eq!(kit.fails().await.0, ErrorName::SourceChanged, "conditions {conditions}");
    }
}

#[tokio::test]
async fn f09_a_size_that_changes_is_seen_where_there_is_nothing_else() {
    let before = Site { etag: None, modified: None, ..Site::new(bytes(60)) };
    let after = Site { bytes: bytes(59), ..before.clone() };
    let kit =
        Kit::new(move |request, turn| if turn < 4 { before.reply(request) } else { after.reply(request) })
            .await;
    let (name, _) = kit.fails().await;
    assert!(matches!(name, ErrorName::SourceBroken | ErrorName::SourceChanged), "{name}");
}

#[tokio::test]
async fn an_answer_without_the_validator_is_not_taken_for_the_object() {
    let site = Site { conditions: false, ..Site::new(bytes(60)) };
    let kit = Kit::new(move |request, _| {
        let reply = site.reply(request);
        if request.method == "HEAD" { reply } else { reply.without("etag").without("last-modified") }
    });
    let (name, message) = kit.await.fails().await;
    assert_eq!(name, ErrorName::SourceBroken);
    assert!(message.contains("expected ETag \"first\""), "{message}");
}

#[tokio::test]
async fn f10_an_object_that_goes_midway_is_gone() {
    let site = Site::new(bytes(60));
    let kit =
        Kit::new(move |request, turn| if turn < 4 { site.reply(request) } else { Reply::status(404) }).await;
    assert_eq!(kit.fails().await.0, ErrorName::SourceNotFound);
}

#[tokio::test]
async fn f11_f12_what_passes_is_asked_again() {
    for (status, retry_after) in [(503, None), (429, Some("1")), (500, None), (502, None), (504, None)] {
        for at in [0, 1, 5] {
            let kit = nth(at, Site::new(bytes(60)), move |_| {
                let reply = Reply::status(status);
                retry_after.map_or(reply.clone(), |seconds| reply.with("retry-after", seconds))
            });
            kit.await.copies(&bytes(60)).await;
        }
    }
}

#[tokio::test]
async fn what_does_not_pass_has_its_name() {
    for (status, expected) in [
        (404, ErrorName::SourceNotFound),
        (410, ErrorName::SourceNotFound),
        (401, ErrorName::SourceAccessDenied),
        (400, ErrorName::InputInvalid),
        (418, ErrorName::SourceBroken),
        (503, ErrorName::Throttled),
        (500, ErrorName::Unavailable),
    ] {
        let kit = Kit::new(move |_, _| Reply::status(status)).await;
        let failure = kit.head().await.unwrap_err();
        assert_eq!(failure.name, expected, "{failure}");
        assert!(failure.message.contains(&format!("status {status}")), "{failure}");
    }
}

/// HEAD and GET are refused: the signature may be over.
#[tokio::test]
async fn f13_a_signature_that_is_over_says_so() {
    let kit = Kit::new(|_, _| Reply::status(403)).await;
    let (name, message) = kit.fails().await;
    assert_eq!(name, ErrorName::SourceAccessDenied);
    assert!(
        message.contains("a signature may have expired") && !message.contains("requesterPays"),
        "{message}"
    );
    assert_eq!(kit.asked(), ["HEAD", "GET bytes=0-0"]);
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let site = Site::new(bytes(60));
    let kit =
        Kit::new(move |request: &Request, _| site.reply(request).with("x-long", "x".repeat(70_000))).await;
    let (name, message) = kit.fails().await;
    assert!(name == ErrorName::SourceBroken && message.contains("bytes of headers"), "{name}: {message}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_at_once() {
    let server = odd_https::Server::start(|_, _| Reply::status(200)).await.unwrap();
    let other = odd_https::Server::start(|_, _| Reply::status(200)).await.unwrap();
    let mut kit = Kit::over(server, "");
    kit.read(&serde_json::json!({"url": other.url("/f?TOPSECRETCANARY")}));
    let (name, message) = kit.fails().await;
    assert!(name == ErrorName::InputInvalid && message.contains("certificate"), "{name}: {message}");
}
