//! Objects put whole, and read back.

use transload_plan::ByteRange;
use transload_wire::{Attributes, ChecksumKind, Tier};

use super::{Subject, body, bytes, collect, kind};
use crate::{Condition, Head, Restore, StoreErrorKind as Kind, Verb};

pub(super) async fn run(subject: &Subject) {
    an_object_comes_back_as_it_was_put(subject).await;
    attributes_and_tags_are_kept(subject).await;
    empty_and_one_byte_objects_are_objects(subject).await;
    every_range_is_the_range_asked_for(subject).await;
    one_get_tells_what_head_tells(subject).await;
    keys_are_kept_byte_for_byte(subject).await;
    requests_are_counted_by_operation(subject).await;
    if !subject.keeps_files() && subject.keeps("archived") {
        an_archived_object_is_restored_before_it_is_read(subject).await;
    }
}

async fn an_object_comes_back_as_it_was_put(subject: &Subject) {
    let content = bytes(300_000, 1);
    let written = subject.put("whole", &content).await;
    let head = subject.head("whole").await;
    assert_eq!((head.size, &head.etag), (300_000, &written.etag));
    assert_eq!(head.version, written.version);
    assert!(!head.archived && head.last_modified.ends_with('Z') && head.last_modified.contains('T'));
    assert_eq!(subject.read("whole", ByteRange { start: 0, len: 300_000 }).await, content);
    if let Some(expected) = subject.sum(&content) {
        assert_eq!(expected.kind, ChecksumKind::FullObject);
        assert_eq!(head.checksum.as_ref(), Some(&expected), "checksum by HEAD");
        assert_eq!(written.checksum.as_ref(), Some(&expected), "checksum by PUT");
    }
    let parts = subject.store.source_parts(&subject.object("whole"), &head).await.expect("source parts");
    assert_eq!(parts, None, "an object put whole has no parts");
}

async fn attributes_and_tags_are_kept(subject: &Subject) {
    let attributes = Attributes {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        content_encoding: Some("gzip".to_owned()),
        content_language: Some("de".to_owned()),
        content_disposition: Some("attachment; filename=\"a.txt\"".to_owned()),
        cache_control: Some("max-age=60".to_owned()),
        expires: Some("Thu, 01 Dec 2033 16:00:00 GMT".to_owned()),
        website_redirect: None,
        metadata: [
            ("camera".to_owned(), "x 100".to_owned()),
            ("coded".to_owned(), "=?UTF-8?B?w7w=?=".to_owned()),
        ]
        .into(),
        tags: [("team".to_owned(), "a+b = c/d".to_owned())].into(),
        storage_class: None,
    };
    let mut target = subject.target("attributes");
    target.attributes = attributes.clone();
    subject.store.put(&target, body(b"x"), &Condition::Anything).await.expect("put with attributes");
    let head = subject.head("attributes").await;
    let tags = subject.store.tags(&subject.object("attributes")).await.expect("tags");
    assert_eq!(head.attributes, Attributes { tags: [].into(), ..attributes.clone() });
    assert_eq!(tags, attributes.tags);
    assert!(matches!(head.tag_count, Some(1) | None), "{:?}", head.tag_count);
}

async fn empty_and_one_byte_objects_are_objects(subject: &Subject) {
    for content in [&b""[..], &b"x"[..]] {
        let name = format!("of-{}", content.len());
        subject.put(&name, content).await;
        assert_eq!(subject.head(&name).await.size, content.len() as u64);
        let range = ByteRange { start: 0, len: content.len() as u64 };
        assert_eq!(subject.read(&name, range).await, content);
    }
}

async fn every_range_is_the_range_asked_for(subject: &Subject) {
    let content = bytes(200_001, 3);
    subject.put("ranges", &content).await;
    for (start, len) in [(0, 1), (0, 200_001), (1, 65_536), (65_535, 2), (199_999, 2), (200_000, 1)] {
        let found = subject.read("ranges", ByteRange { start, len }).await;
        assert_eq!(found, content[start as usize..(start + len) as usize], "{start}+{len}");
    }
}

async fn one_get_tells_what_head_tells(subject: &Subject) {
    for (name, len) in [("opened", 100_000), ("opened-empty", 0)] {
        let content = bytes(len, 5);
        let mut target = subject.target(name);
        target.attributes.content_type = Some("text/plain".to_owned());
        target.attributes.expires = Some("Thu, 01 Dec 2033 16:00:00 GMT".to_owned());
        target.attributes.metadata = [("camera".to_owned(), "x 100".to_owned())].into();
        let written = subject.store.put(&target, body(&content), &Condition::Anything).await.expect("put");
        let object = subject.object(name);
        let opened = subject.store.open(&object, &written.etag, len as u64).await.expect("open");
        let head = subject.head(name).await;
        assert_eq!(opened.head, Head { tag_count: opened.head.tag_count, ..head });
        assert_eq!(collect(opened.body).await.expect("its bytes"), content);
        let other = subject.store.open(&object, &written.etag, len as u64 + 1).await.map(|_| ());
        assert_eq!(kind("another size", other), Kind::WrongRange);
    }
}

async fn keys_are_kept_byte_for_byte(subject: &Subject) {
    let odd = [
        "a b+c",
        "x//y",
        "/x",
        "%2F",
        "e\u{301}",
        "\u{e9}",
        "\u{1f680}",
        "soap",
        "dir/",
        "a&b=c?d#e",
        "'\"<>",
    ];
    let odd: Vec<_> = odd.into_iter().filter(|name| subject.keeps(name)).collect();
    assert!(odd.len() > 6, "{odd:?}");
    for (seed, name) in odd.iter().enumerate() {
        subject.put(name, &bytes(10, seed)).await;
    }
    for (seed, name) in odd.iter().enumerate() {
        assert_eq!(subject.read(name, ByteRange { start: 0, len: 10 }).await, bytes(10, seed), "{name}");
    }
}

async fn requests_are_counted_by_operation(subject: &Subject) {
    let count = |verb: Verb| subject.store.requests().get(verb.as_str()).copied().unwrap_or(0);
    let (heads, puts) = (count(Verb::HeadObject), count(Verb::PutObject));
    subject.put("counted", b"x").await;
    subject.head("counted").await;
    subject.head("counted").await;
    assert_eq!((count(Verb::HeadObject) - heads, count(Verb::PutObject) - puts), (2, 1));
}

async fn an_archived_object_is_restored_before_it_is_read(subject: &Subject) {
    let (mut target, object) = (subject.target("archived"), subject.object("archived"));
    target.attributes.storage_class = Some("GLACIER".to_owned());
    let written = subject.store.put(&target, body(b"cold"), &Condition::Anything).await.expect("put");
    let range = ByteRange { start: 0, len: 4 };
    assert!(subject.head("archived").await.archived);
    let read = subject.store.get_range(&object, &written.etag, range, 4).await;
    assert_eq!(kind("a read of an archived object", read), Kind::Archived);
    let restored = subject.store.restore(&object, Tier::Bulk, Some(2)).await.expect("restore");
    assert_eq!(restored, Restore::UnderWay, "it is not said to be readable before HEAD says so");
    while subject.head("archived").await.archived {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        // Asking again does no harm.
        subject.store.restore(&object, Tier::Bulk, Some(2)).await.expect("restore again");
    }
    assert_eq!(subject.read("archived", range).await, b"cold"[..]);
    subject.put("warm", b"warm").await;
    let warm = subject.store.restore(&subject.object("warm"), Tier::Standard, Some(1)).await;
    assert_eq!(warm.expect("restore of what is not archived"), Restore::Readable);
    let missing = subject.store.restore(&subject.object("no such key"), Tier::Standard, Some(1)).await;
    assert_eq!(kind("restore of nothing", missing), Kind::NotFound);
}
