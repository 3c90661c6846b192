//! XML answers: listings of parts, objects and uploads.

use std::fmt::Write;

use proptest::prelude::*;
use transload_plan::PartNumber;
use transload_store::{PartRef, Shelf, Store, all_parts};

use crate::alter::{altered, corpus};
use crate::canned::{Canned, run, upload};

fn shelf() -> Shelf {
    Shelf { bucket: "photos".parse().unwrap(), prefix: "a/".to_owned(), requester_pays: false }
}

/// A page as S3 writes it.
fn page(parts: &[(u32, u64)], next: Option<u32>) -> Vec<u8> {
    let mut xml = "<?xml version=\"1.0\"?><ListPartsResult><UploadId>upload-1</UploadId>".to_owned();
    for (number, size) in parts {
        write!(xml, "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{number:032x}&quot;</ETag><Size>{size}</Size></Part>")
            .unwrap();
    }
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |next| format!("<IsTruncated>true</IsTruncated><NextPartNumberMarker>{next}</NextPartNumberMarker>"),
    );
    format!("{xml}{next}</ListPartsResult>").into_bytes()
}

proptest! {
    #[test]
    fn parts_are_read_as_they_were_written(
        parts in prop::collection::btree_map(1..=10_000_u32, 0..=5_u64 << 30, 0..40),
        next in prop::option::of(1..10_000_u32),
    ) {
        let parts: Vec<(u32, u64)> = parts.into_iter().collect();
        let found = run(Canned::xml(page(&parts, next)).store().list_parts(&upload(), 0)).unwrap();
        let read: Vec<_> = found.parts.iter().map(|part| (part.number.get(), part.size)).collect();
        prop_assert_eq!(read, parts);
        prop_assert_eq!(found.next, next);
        for PartRef { number, etag, .. } in found.parts {
            prop_assert_eq!(etag.as_str(), format!("{:032x}", number.get()));
        }
    }

    #[test]
    fn a_store_that_answers_the_same_page_for_ever_is_given_up(next in 0..=10_001_u32, first in 1..=10_000_u32) {
        // Either refused, or at its end: what must not be is a loop.
        let _ = run(all_parts(&Canned::xml(page(&[(first, 1)], Some(next))).store(), &upload()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn altered_lists_of_parts((_, body) in altered("list-parts")) {
        if let Ok(parts) = run(all_parts(&Canned::xml(body).store(), &upload())) {
            prop_assert!(parts.windows(2).all(|two| two[0].number < two[1].number), "{parts:?}");
            prop_assert!(parts.iter().all(|part| (1..=PartNumber::MAX).contains(&part.number.get())));
        }
    }

    #[test]
    fn altered_lists_of_objects((_, body) in altered("list-objects")) {
        if let Ok(page) = run(Canned::xml(body).store().list_objects(&shelf(), "a/b", 1_000)) {
            let keys: Vec<_> = page.objects.iter().map(|object| object.key.as_str()).collect();
            prop_assert!(keys.iter().all(|key| key.starts_with("a/") && *key > "a/b"), "{keys:?}");
            prop_assert!(keys.windows(2).all(|two| two[0] < two[1]), "{keys:?}");
            // A cursor that does not move would list for ever.
            prop_assert!(page.next.is_none_or(|next| next.as_str() > "a/b"));
        }
    }

    #[test]
    fn altered_lists_of_uploads((_, body) in altered("list-uploads")) {
        let _ = run(Canned::xml(body).store().list_uploads(&shelf().bucket, "a/", None));
    }

    #[test]
    fn altered_answers_of_failure((_, body) in altered("list-parts"), status in 300..600_u16) {
        let answer = Canned { status, ..Canned::xml(body) };
        prop_assert!(run(answer.store().list_parts(&upload(), 0)).is_err());
    }
}

#[test]
fn unaltered_lists_are_read_whole() {
    let mut parts = 0;
    for (name, body) in corpus("list-parts") {
        parts += run(Canned::xml(body).store().list_parts(&upload(), 0))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .parts
            .len();
    }
    for (name, body) in corpus("list-objects") {
        let page = run(Canned::xml(body).store().list_objects(&shelf(), "a/b", 1_000));
        assert!(!page.unwrap_or_else(|error| panic!("{name}: {error}")).objects.is_empty(), "{name}");
    }
    for (name, body) in corpus("list-uploads") {
        let page = run(Canned::xml(body).store().list_uploads(&shelf().bucket, "a/", None));
        assert!(!page.unwrap_or_else(|error| panic!("{name}: {error}")).uploads.is_empty(), "{name}");
    }
    assert_eq!(parts, 5);
}
