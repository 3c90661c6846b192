//! What must hold for every size, limit and answer.

use proptest::prelude::*;
use transload_plan::{
    BatchBounds, GIB, Limits, ListedPart, MIB, PartNumber, PartSet, PlanError, Route, Run, TIB, batches,
    layout, layout_from_parts, missing, route,
};

fn sizes() -> impl Strategy<Value = u64> {
    let most = Limits::default().max_object;
    prop_oneof![0..=64 * MIB, 0..=GIB, 0..=TIB, 0..=most, Just(most)]
}

proptest! {
    #[test]
    fn every_byte_is_covered_once_and_in_order(size in sizes(), wish in prop::option::of(5 * MIB..=5 * GIB)) {
        let limits = Limits::default();
        let layout = match layout(size, wish, &limits) {
            Err(PlanError::TooManyParts { least, .. }) => {
                prop_assert!(wish.is_some_and(|w| w < least));
                return Ok(());
            }
            other => other.unwrap(),
        };
        let mut offset = 0;
        for part in 1..=layout.count() {
            let range = layout.range(part).unwrap();
            prop_assert_eq!(range.start, offset);
            prop_assert!(range.len > 0 && range.len <= limits.max_part);
            prop_assert!(part == layout.count() || range.len >= limits.min_part);
            offset = range.end();
        }
        prop_assert_eq!(offset, size);
        prop_assert_eq!(layout.size(), size);
        prop_assert!(layout.count() <= limits.max_parts);
        prop_assert!(layout.range(0).is_err() && layout.range(layout.count() + 1).is_err());
    }

    #[test]
    fn a_stricter_location_is_honoured(size in 0..=TIB, max_parts in 1_u32..=10_000, min in 1..=64 * MIB, span in 0..=GIB) {
        let limits = Limits { max_object: 5 * TIB, min_part: min, max_part: min + span, max_parts, default_part: min, equal_parts: true };
        match layout(size, None, &limits) {
            Ok(layout) => {
                prop_assert!(layout.count() <= max_parts && layout.part_size() <= limits.max_part.max(size));
                prop_assert!(layout.runs().len() <= 2);
            }
            Err(error) => prop_assert_eq!(error, PlanError::ObjectTooLarge { size, max: limits.reach() }),
        }
    }

    #[test]
    fn missing_and_listed_make_the_whole(count in 1_u32..=2_000, mask in prop::collection::vec(any::<bool>(), 2_000)) {
        let layout = layout(u64::from(count) * 5 * MIB, Some(5 * MIB), &Limits::default()).unwrap();
        let listed: Vec<_> = (1..=count).filter(|n| mask[*n as usize - 1]).map(|number| ListedPart { number, size: 5 * MIB }).collect();
        let missing = missing(&layout, &listed).unwrap();
        let mut all: Vec<u32> = missing.iter().chain(listed.iter().map(|p| p.number)).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (1..=count).collect::<Vec<_>>());
    }

    #[test]
    fn batches_hold_every_part_once_within_their_bounds(
        numbers in prop::collection::btree_set(1_u32..=500, 0..400),
        max_parts in 1_u32..20, max_bytes in 1..200 * MIB, parallel in 0_u32..80,
    ) {
        let layout = layout(500 * 5 * MIB, Some(5 * MIB), &Limits::default()).unwrap();
        let set: PartSet = numbers.iter().copied().collect();
        let bounds = BatchBounds { max_parts, max_bytes, parallel };
        let batches = batches(&layout, &set, &bounds).unwrap();
        prop_assert_eq!(batches.iter().flat_map(PartSet::iter).collect::<Vec<_>>(), numbers.into_iter().collect::<Vec<_>>());
        for batch in &batches {
            prop_assert!(!batch.is_empty() && batch.len() <= max_parts);
            prop_assert!(batch.len() == 1 || u64::from(batch.len()) * 5 * MIB <= max_bytes);
        }
    }

    #[test]
    fn a_set_reads_back_what_it_wrote(numbers in prop::collection::btree_set(1_u32..=10_000, 1..500)) {
        let set: PartSet = numbers.iter().copied().collect();
        prop_assert_eq!(set.len() as usize, numbers.len());
        prop_assert_eq!(set.to_string().parse::<PartSet>().unwrap(), set);
    }

    #[test]
    fn no_text_makes_the_set_panic(text in "[0-9,\\- +a]{0,40}") {
        if let Ok(set) = text.parse::<PartSet>() {
            prop_assert!(set.iter().all(|n| (1..=PartNumber::MAX).contains(&n)));
        }
    }

    #[test]
    fn source_boundaries_are_kept_or_refused(lengths in prop::collection::vec((1..=2 * GIB, 1_u32..50), 1..40)) {
        let runs: Vec<Run> = lengths.iter().map(|(length, count)| Run { length: *length, count: *count }).collect();
        let size = runs.iter().map(|r| r.length * u64::from(r.count)).sum();
        if let Ok(layout) = layout_from_parts(size, &runs, &Limits::default()) {
            let expected: Vec<u64> = runs.iter().flat_map(|r| std::iter::repeat_n(r.length, r.count as usize)).collect();
            let found: Vec<u64> = (1..=layout.count()).map(|n| layout.range(n).unwrap().len).collect();
            prop_assert_eq!(&found, &expected);
            let (last, others) = found.split_last().unwrap();
            prop_assert!(*last <= 5 * GIB && others.iter().all(|l| *l >= 5 * MIB));
        }
    }
}

#[test]
fn boundary_sizes_have_the_parts_that_arithmetic_gives() {
    let limits = Limits::default();
    let table = [
        (0, 0, 0),
        (1, 1, 1),
        (5 * MIB - 1, 1, 5 * MIB - 1),
        (5 * MIB, 1, 5 * MIB),
        (5 * MIB + 1, 1, 5 * MIB + 1),
        (8 * MIB, 1, 8 * MIB),
        (8 * MIB + 1, 2, 8 * MIB),
        (80_000 * MIB, 10_000, 8 * MIB),
        (80_000 * MIB + 1, 8_889, 9 * MIB),
        (5 * TIB, 9_987, 525 * MIB), // 5 TiB needs parts of at least 525 MiB
        (10_000 * 5 * GIB, 10_000, 5 * GIB),
    ];
    for (size, count, part) in table {
        let layout = layout(size, None, &limits).unwrap();
        assert_eq!((layout.count(), layout.part_size()), (count, part), "size {size}");
    }
}

#[test]
fn wishes_outside_of_the_limits_are_refused_with_field_expected_and_found() {
    let limits = Limits::default();
    let message = |size, wish| layout(size, Some(wish), &limits).unwrap_err().to_string();
    assert_eq!(
        message(GIB, 5 * MIB - 1),
        "options.partSize: expected 5242880 to 5368709120 bytes, found 5242879"
    );
    assert_eq!(
        message(GIB, 5 * GIB + 1),
        "options.partSize: expected 5242880 to 5368709120 bytes, found 5368709121"
    );
    assert_eq!(
        message(TIB, 5 * MIB),
        "options.partSize: expected at least 109951163 bytes so that 1099511627776 bytes fit 10000 parts, found 5242880"
    );
    assert_eq!(
        layout(10_000 * 5 * GIB + 1, None, &limits).unwrap_err(),
        PlanError::ObjectTooLarge { size: 10_000 * 5 * GIB + 1, max: 10_000 * 5 * GIB }
    );
}

#[test]
fn an_upload_made_with_another_layout_is_never_continued() {
    let layout = layout(20 * MIB, Some(8 * MIB), &Limits::default()).unwrap();
    for (number, size) in [(1, 5 * MIB), (3, 8 * MIB), (4, 4 * MIB), (0, 1), (4, 0)] {
        let found = missing(&layout, &[ListedPart { number, size }]).unwrap_err();
        assert!(matches!(found, PlanError::LayoutMismatch { part, .. } if part == number), "{found}");
    }
}

#[test]
fn equal_parts_refuses_uneven_source_boundaries() {
    let limits = Limits { equal_parts: true, ..Limits::default() };
    let runs = [Run { length: 6 * MIB, count: 1 }, Run { length: 8 * MIB, count: 1 }];
    assert!(layout_from_parts(14 * MIB, &runs, &Limits::default()).is_ok());
    assert!(layout_from_parts(14 * MIB, &runs, &limits).unwrap_err().to_string().contains("one length"));
}

#[test]
fn a_layout_travels_as_json_and_refuses_what_it_does_not_know() {
    let layout = layout(20 * MIB, None, &Limits::default()).unwrap();
    let json = serde_json::to_string(&layout).unwrap();
    assert_eq!(json, r#"{"runs":[{"length":8388608,"count":2},{"length":4194304,"count":1}]}"#);
    assert_eq!(serde_json::from_str::<transload_plan::Layout>(&json).unwrap(), layout);
    for bad in [
        r#"{"runs":[{"length":0,"count":1}]}"#,
        r#"{"runs":[],"x":1}"#,
        r#"{"runs":[{"length":18446744073709551615,"count":2}]}"#,
    ] {
        assert!(serde_json::from_str::<transload_plan::Layout>(bad).is_err(), "{bad}");
    }
}

#[test]
fn zero_bytes_are_never_sent_in_parts() {
    let limits = Limits::default();
    assert_eq!(route(0, 0, &limits), Route::Whole);
    assert_eq!(route(1, 0, &limits), Route::Parts);
    assert_eq!(route(16 * MIB, 16 * MIB, &limits), Route::Whole);
    assert_eq!(route(16 * MIB + 1, 16 * MIB, &limits), Route::Parts);
    assert_eq!(route(6 * GIB, u64::MAX, &limits), Route::Parts);
}
