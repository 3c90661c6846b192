//! Random trees, pages, listers and calls: the lists are what a plain comparison of two sets says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use crate::support::World;

fn tree() -> impl Strategy<Value = BTreeMap<String, usize>> {
    prop::collection::btree_map("[ab0/\u{e9}\u{1f680} %+]{0,4}", 0..3_usize, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_are_the_difference_of_two_sets(
        here in tree(),
        there in tree(),
        (page, listers) in (1..6_usize, 1..6_u32),
        in_calls in any::<bool>(),
    ) {
        let world = World::paged(page);
        // Neither a prefix nor an empty key is of interest here.
        here.iter().for_each(|(key, size)| world.here(&format!("k{key}"), &"x".repeat(*size)));
        there.iter().for_each(|(key, size)| world.there(&format!("k{key}"), &"x".repeat(*size)));
        let sync = json!({
            "listers": listers, "delete": {"maxPercent": 100, "allowEmptySource": true}, "batchObjects": 7,
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (output, written) = runtime.block_on(async {
            if in_calls {
                let (output, written, _) = world.list_in_calls(&sync).await.unwrap();
                (output, written)
            } else {
                world.list(sync).await.unwrap()
            }
        });
        let differ: BTreeSet<String> =
            here.iter().filter(|(key, size)| there.get(*key) != Some(size)).map(|(key, _)| format!("k{key}")).collect();
        let gone: BTreeSet<String> =
            there.keys().filter(|key| !here.contains_key(*key)).map(|key| format!("k{key}")).collect();
        prop_assert_eq!(written.sent().into_iter().map(ToOwned::to_owned).collect::<BTreeSet<_>>(), differ);
        prop_assert_eq!(written.deleted().into_iter().map(ToOwned::to_owned).collect::<BTreeSet<_>>(), gone);
        prop_assert_eq!(output.found.listed.objects, here.len() as u64);
        prop_assert_eq!(output.found.destination.objects, there.len() as u64);
    }
}
