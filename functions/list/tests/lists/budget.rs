//! A budget: no more than it allows is given out, whoever lists how; the rest is parked, and nothing is lost.

use serde_json::{Value, json};
use transload_plan::cost::{Concurrency, LIST_PRICES, Place, Prices, estimate};
use transload_wire::{Found, Tally};

use crate::support::{World, Written};

fn given(written: &Written) -> Tally {
    let mut sum = Tally::default();
    written.small.values().for_each(|item| sum.add(item.size));
    written.large.values().for_each(|large| sum.add(large.size));
    sum
}

/// Objects of 1 to 40 bytes, of which those above 20 go alone.
fn world(page: usize) -> World {
    let world = World::paged(page);
    for n in 0..40_usize {
        world.here(&format!("{:02}/{n}", n % 7), &"x".repeat(1 + n * 17 % 40));
    }
    world
}

#[tokio::test(start_paused = true)]
async fn never_more_than_the_budget_is_given_out_and_all_that_fits() {
    for page in [1, 3, 1_000] {
        for listers in [1, 8] {
            for (objects, bytes) in [
                (None, Some(1)),
                (None, Some(300)),
                (Some(7), None),
                (Some(30), Some(300)),
                (None, Some(819)),
            ] {
                let mut sync = json!({"listers": listers, "batchObjectLimit": 20, "budget": {}});
                objects.iter().for_each(|n| sync["budget"]["objects"] = json!(n));
                bytes.iter().for_each(|n| sync["budget"]["bytes"] = json!(n));
                let (_, written, calls) = world(page).list_in_calls(&sync).await.unwrap();
                let case = format!("{page} {sync}");
                assert!(page > 3 || listers > 1 || calls > 1, "{case}: {calls} calls");
                let sum = given(&written);
                assert!(sum.objects <= objects.unwrap_or(u64::MAX), "{case}: {sum:?}");
                assert!(sum.bytes <= bytes.unwrap_or(u64::MAX), "{case}: {sum:?}");
                assert_eq!(sum.objects + written.parked.len() as u64, 40, "{case}");
                let full = objects == Some(sum.objects);
                let beyond = |size: &u64| bytes.is_some_and(|most| sum.bytes + size > most);
                assert!(!written.parked.is_empty(), "{case}");
                assert!(full || written.parked.values().all(beyond), "{case}: room was left: {sum:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_budget_that_is_as_large_as_the_tree_parks_nothing() {
    let (all, _) = world(1_000).list(json!({})).await.unwrap();
    let Tally { objects, bytes } = all.found.small;
    let budget = json!({"budget": {"objects": objects, "bytes": bytes}});
    let (output, written) = world(1_000).list(budget).await.unwrap();
    assert_eq!((output.found.parked, written.parked.len()), (Tally::default(), 0));
    let less = json!({"budget": {"bytes": bytes - 1}});
    assert_eq!(world(1_000).list(less).await.unwrap().0.found.parked.objects, 1);
}

/// What is there already costs nothing, nor does what is left out.
#[tokio::test]
async fn only_what_would_be_sent_counts() {
    let world = World::new();
    for n in 0..10 {
        world.here(&format!("{n}"), "bytes");
        if n < 6 {
            world.there(&format!("{n}"), "bytes");
        }
    }
    let (output, written) = world.list(json!({"exclude": ["9"], "budget": {"objects": 3}})).await.unwrap();
    assert_eq!((written.sent(), written.parked.len()), (vec!["6", "7", "8"], 0));
    assert_eq!(output.found.skipped["excluded"].objects, 1);
}

/// A plan tells what would be parked, and what is executed by it stays within the budget that was planned with.
#[tokio::test]
async fn a_plan_tells_what_would_be_parked() {
    let (output, written) = world(1_000).list_plan(json!({"mode": "plan", "budget": {"objects": 11}})).await;
    assert_eq!((output.found.parked.objects, output.found.small.objects), (29, 11));
    assert_eq!(written.iter().filter(|line| line["reason"] == "budget").count(), 29);
}

/// A byte that leaves the source costs ten cents: all else is next to nothing beside it.
fn dear() -> Value {
    let mut prices: Value = serde_json::from_str(LIST_PRICES).unwrap();
    prices["regions"]["us-east-1"]["egressPerGib"]["value"] = json!(0.1 * f64::from(1 << 30));
    prices
}

/// What a plan would say of it.
fn dollars(found: &Found, prices: &Value) -> f64 {
    let prices: Prices = serde_json::from_value(prices.clone()).unwrap();
    let place = |location| Place { location, partition: None, region: None };
    let concurrency = Concurrency { batches: 100, large: 200, parts: 64 };
    estimate(&found.run(), &prices, (&place("global"), &place("china")), concurrency).unwrap().total.dollars
}

#[tokio::test(start_paused = true)]
async fn never_more_dollars_than_the_budget_are_given_out_by_the_estimate_of_a_plan() {
    for page in [3, 1_000] {
        for (limit, fits) in
            [(0.01, 0..=0), (9.0, 80..=90), (40.0, 380..=400), (77.77, 760..=777), (1_000.0, 820..=820)]
        {
            let budget = json!({"dollars": limit});
            let sync = json!({"listers": 1, "batchObjectLimit": 20, "budget": budget, "prices": dear()});
            let (output, written, calls) = world(page).list_in_calls(&sync).await.unwrap();
            assert!(page > 3 || calls > 1);
            let (sum, spent) = (given(&written), dollars(&output.found, &dear()));
            assert!(spent <= limit || sum.objects == 0, "{page} {limit}: {spent}");
            assert!(fits.contains(&sum.bytes), "{page} {limit}: {sum:?}");
            assert_eq!(sum.objects + written.parked.len() as u64, 40);
            let room = |size: &u64| spent + 0.1 * *size as f64 + 0.01 <= limit;
            assert!(!written.parked.values().any(room), "{page} {limit}: {spent} {:?}", written.parked);
        }
    }
}

/// At the prices as they are, requests and workers count, and deletions.
#[tokio::test]
async fn the_prices_of_single_objects_add_up_to_the_estimate() {
    let prices: Value = serde_json::from_str(LIST_PRICES).unwrap();
    let sync = |limit: f64| json!({"batchObjectLimit": 20, "batchObjects": 3, "delete": {"maxPercent": 100}, "budget": {"dollars": limit}});
    let filled = || {
        let world = world(1_000);
        (0..5).for_each(|n| world.there(&format!("-gone/{n}"), "x"));
        world
    };
    let (all, _) = filled().list(sync(1.0)).await.unwrap();
    let full = dollars(&all.found, &prices);
    // Room for all by the estimate and the few requests for files that may still be written; and not for all.
    let (enough, written) = filled().list(sync(full + 0.000_1)).await.unwrap();
    assert_eq!((enough.found.parked.objects, written.parked.len()), (0, 0));
    let (less, written) = filled().list(sync(full - 0.000_02)).await.unwrap();
    assert!((1..10).contains(&written.parked.len()), "{} parked", written.parked.len());
    assert!(dollars(&less.found, &prices) <= full - 0.000_02);
}
