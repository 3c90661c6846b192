//! Answers to a ranged GET: the bytes that were asked for, or an error.

use futures::StreamExt;
use proptest::prelude::*;
use transload_plan::ByteRange;
use transload_store::{Store, StoreError};

use crate::canned::{Canned, object, run};

const TOTAL: u64 = 1_000;
const RANGE: ByteRange = ByteRange { start: 100, len: 50 };
const EXACT: &str = "bytes 100-149/1000";
const PIN: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

fn content_range() -> impl Strategy<Value = Option<String>> {
    let number = || {
        prop_oneof![
            Just("100".to_owned()),
            Just("149".to_owned()),
            Just("1000".to_owned()),
            Just("*".to_owned()),
            any::<i128>().prop_map(|number| number.to_string()),
            "\\PC{0,6}",
        ]
    };
    prop_oneof![
        Just(None),
        Just(Some(EXACT.to_owned())),
        (number(), number(), number()).prop_map(|(from, to, of)| Some(format!("bytes {from}-{to}/{of}"))),
        "[ -~]{0,24}".prop_map(Some),
    ]
}

fn answer() -> impl Strategy<Value = Canned> {
    let status = prop_oneof![Just(206_u16), Just(200), 200..600_u16];
    let etag = prop_oneof![Just(Some(PIN.to_owned())), Just(None), "[ -~]{0,40}".prop_map(Some)];
    let length = prop_oneof![
        Just(Some(RANGE.len.to_string())),
        Just(None),
        any::<i64>().prop_map(|len| Some(len.to_string())),
        "\\PC{0,6}".prop_map(Some),
    ];
    let body = prop_oneof![Just(RANGE.len as usize), 0..120_usize];
    (status, content_range(), etag, length, body).prop_map(|(status, range, etag, length, body)| {
        let headers = [("content-range", range), ("etag", etag), ("content-length", length)];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Canned { status, headers, body: vec![7; body] }
    })
}

async fn read(answer: Canned) -> Result<Vec<u8>, StoreError> {
    let store = answer.store();
    let mut ranged =
        store.get_range(&object(), &PIN.trim_matches('"').parse().unwrap(), RANGE, TOTAL).await?;
    let mut bytes = Vec::new();
    while let Some(frame) = ranged.body.next().await {
        bytes.extend_from_slice(&frame?);
    }
    Ok(bytes)
}

fn header<'a>(answer: &'a Canned, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_right_answer_is_taken() {
    let headers = [("content-range", EXACT), ("etag", PIN), ("content-length", "50")];
    let headers = headers.map(|(name, value)| (name, value.to_owned())).to_vec();
    assert_eq!(run(read(Canned { status: 206, headers, body: vec![7; 50] })).unwrap(), vec![7; 50]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_answered_only_the_bytes_asked_for_are_taken(answer in answer()) {
        let taken = run(read(answer.clone()));
        if let Ok(bytes) = taken {
            prop_assert_eq!(bytes.len() as u64, RANGE.len);
            prop_assert_eq!(header(&answer, "content-range").map(str::trim), Some(EXACT));
            prop_assert_eq!(header(&answer, "etag").map(|etag| etag.trim().trim_matches('"')), Some(PIN.trim_matches('"')));
            prop_assert!((200..300).contains(&answer.status), "{}", answer.status);
        }
    }
}
