//! Listings that are none: cut, without an end, out of order. Each would be read as keys that are not there.

use strict_s3::{Action, Answer, FaultPlan, Rule};

use super::strict;
use crate::{ObjectListing, Shelf, Store, StoreError, StoreErrorKind as Kind};

fn shelf() -> Shelf {
    Shelf { bucket: "photos".parse().unwrap(), prefix: "a/".to_owned(), requester_pays: false }
}

fn object(key: &str) -> String {
    format!(
        "<Contents><Key>{key}</Key><Size>1</Size><ETag>e</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
    )
}

/// Lists with this answer in the place of the real one.
async fn answered(operation: &str, body: &str) -> Result<ObjectListing, StoreError> {
    let (server, store) = strict().await;
    let name = if operation == "ListObjectsV2" { "ListBucketResult" } else { "ListVersionsResult" };
    let answer = Answer::raw(200, "application/xml", format!("<{name}>{body}</{name}>"));
    server.set_faults(FaultPlan::none().rule(Rule::on(operation, Action::Answer(answer))));
    match operation {
        "ListObjectsV2" => store.list_objects(&shelf(), "a/!", 1_000).await,
        _ => store.list_versions(&shelf(), "a/!", 1_000).await,
    }
}

#[tokio::test]
async fn a_page_that_is_none_is_an_error() {
    let (end, more) = ("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated>");
    let token = "<NextContinuationToken>t</NextContinuationToken>";
    let encoded = "<EncodingType>url</EncodingType>";
    for (what, body, expected) in [
        ("nothing at all", String::new(), Some(Kind::Malformed)),
        ("no word about its end", object("a/1"), Some(Kind::Malformed)),
        ("more without a way to it", format!("{more}{}", object("a/1")), Some(Kind::Malformed)),
        ("empty pages for ever", format!("{more}{token}"), Some(Kind::Malformed)),
        ("keys out of order", format!("{end}{}{}", object("a/2"), object("a/1")), Some(Kind::Malformed)),
        ("a key twice", format!("{end}{}{}", object("a/1"), object("a/1")), Some(Kind::Malformed)),
        ("a key of the page before", format!("{end}{}", object("a/!")), Some(Kind::Malformed)),
        ("a key of another prefix", format!("{end}{}", object("b")), Some(Kind::Malformed)),
        ("a broken escape", format!("{end}{encoded}{}", object("a/%4")), Some(Kind::Malformed)),
        ("a key with NUL", format!("{end}{encoded}{}", object("a/%00")), Some(Kind::Unsupported)),
        ("no ETag", format!("{end}{}", object("a/1").replace("<ETag>e</ETag>", "")), Some(Kind::Malformed)),
        ("no size", format!("{end}{}", object("a/1").replace("<Size>1</Size>", "")), Some(Kind::Malformed)),
        ("raw keys", format!("{end}{}", object("a/%4+")), None),
        ("encoded keys", format!("{end}{encoded}{}", object("a/%2B+")), None),
    ] {
        let found = answered("ListObjectsV2", &body).await;
        assert_eq!(found.as_ref().err().map(|error| error.kind), expected, "{what}: {found:?}");
        if let Err(error) = found {
            assert!(error.message.starts_with("ListObjectsV2 s3://photos/a/: "), "{what}: {error}");
        }
    }
    let found = answered("ListObjectsV2", &format!("{end}{encoded}{}", object("a/%2B+"))).await.unwrap();
    assert_eq!(found.objects[0].key.as_str(), "a/+ ");
}

#[tokio::test]
async fn a_page_of_versions_that_is_none_is_an_error() {
    let (end, more) = ("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated>");
    let version = |key: &str, latest: bool| {
        object(key)
            .replace("Contents>", "Version>")
            .replace("<Size>", &format!("<IsLatest>{latest}</IsLatest><VersionId>v</VersionId><Size>"))
    };
    for (what, body, refused) in [
        ("no word about its end", version("a/1", true), true),
        ("more without a key", more.to_owned(), true),
        ("keys out of order", format!("{end}{}{}", version("a/2", true), version("a/1", true)), true),
        ("two newest versions", format!("{end}{}{}", version("a/1", true), version("a/1", true)), true),
        ("an older version", format!("{end}{}{}", version("a/1", true), version("a/1", false)), false),
    ] {
        let found = answered("ListObjectVersions", &body).await;
        assert_eq!(found.is_err(), refused, "{what}: {found:?}");
        assert!(found.err().is_none_or(|error| error.kind == Kind::Malformed), "{what}");
    }
    let page = answered("ListObjectVersions", &format!("{more}{}", version("a/1", false))).await.unwrap();
    assert_eq!((page.objects.len(), page.next.as_deref()), (0, Some("a/1")));
}
