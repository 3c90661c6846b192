//! Places that list what is not so. A key that goes missing that way would be sent again, or deleted.

use serde_json::json;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_store::{Deadline, ObjectListing, Shelf};
use transload_wire::{ErrorName, Found, KeyRange, Left};

use crate::support::{World, input};

pub(crate) type Lie = fn(&mut ObjectListing);

mod liar;
pub(crate) use liar::Liar;

const LIES: [(&str, Lie); 6] = [
    ("two keys change places", |page| {
        if page.objects.len() > 1 {
            page.objects.swap(0, 1);
        }
    }),
    ("a key is there twice", |page| {
        if let Some(first) = page.objects.first().cloned() {
            page.objects.insert(0, first);
        }
    }),
    ("a key is of another prefix", |page| {
        if let Some(first) = page.objects.first_mut() {
            first.key = format!("q/{}", &first.key.as_str()[2..]).parse().unwrap();
        }
    }),
    ("it begins again", |page| {
        if page.next.is_some() {
            page.next = Some("a/".to_owned());
        }
    }),
    ("it goes on within the page", |page| {
        if page.next.is_some() && page.objects.len() > 1 {
            page.next = page.objects.first().map(|first| first.key.to_string());
        }
    }),
    ("it goes on outside of the prefix", |page| {
        if page.next.is_some() {
            page.next = Some("zzz".to_owned());
        }
    }),
];

#[tokio::test(start_paused = true)]
async fn a_place_that_lies_is_never_compared() {
    for (what, lie) in LIES {
        for source in [true, false] {
            let world = World::mixed(4);
            let (from, to) = (world.source.clone(), world.destination.clone());
            let stores = if source {
                MemoryStores::default().with("global", Liar::new(from, lie)).with("china", to)
            } else {
                MemoryStores::default().with("global", from).with("china", Liar::new(to, lie))
            };
            let sync = json!({"delete": {"maxPercent": 100}});
            let outcome = transload_list::handle(&stores, &world.files, Deadline::NONE, input(&sync)).await;
            let failure = outcome.expect_err(what);
            assert_eq!(failure.name, ErrorName::Unavailable, "{what}: {failure}");
            assert!(failure.message.contains("listing of s3://photos"), "{what}: {failure}");
        }
    }
}

/// A place that does not begin where it is asked to tells of keys that another range has.
#[tokio::test(start_paused = true)]
async fn a_range_has_no_key_of_the_one_before() {
    for source in [true, false] {
        let world = World::mixed(4);
        let early: Lie = |page| {
            if let Some(mut first) = page.objects.first().cloned() {
                first.key = format!("{}!", &first.key.as_str()[..2]).parse().unwrap();
                page.objects.insert(0, first);
            }
        };
        let (from, to) = (world.source.clone(), world.destination.clone());
        let stores = if source {
            MemoryStores::default().with("global", Liar::new(from, early)).with("china", to)
        } else {
            MemoryStores::default().with("global", from).with("china", Liar::new(to, early))
        };
        let mut input = input(&json!({}));
        let ranges = vec![KeyRange { after: "01".to_owned(), until: None }];
        input.left = Some(Left { ranges, line: 0, found: Found::default(), calls: 1, lists: Vec::new() });
        let outcome = transload_list::handle(&stores, &world.files, Deadline::NONE, input).await;
        let failure = outcome.expect_err("keys of another range");
        assert_eq!(failure.name, ErrorName::Unavailable, "{failure}");
        assert!(failure.message.contains("expected keys behind \"01\" in byte order"), "{failure}");
    }
}

/// A page may have nothing, and yet not be the last.
#[tokio::test(start_paused = true)]
async fn pages_of_delete_markers_are_passed_over() {
    let store = MemoryStore::new(MemoryConfig { page: 2, ..MemoryConfig::default() }).with_versions("photos");
    for n in 0..9 {
        store.write("photos", &format!("a/{n}"), "x");
        if n < 7 {
            store.delete("photos", &format!("a/{n}"));
        }
    }
    let shelf = Shelf { bucket: "photos".parse().unwrap(), prefix: "a/".to_owned(), requester_pays: false };
    let first = transload_store::Store::list_versions(&store, &shelf, "", 1_000).await.unwrap();
    assert_eq!((first.objects.len(), first.next.as_deref()), (0, Some("a/1")));
    let mut world = World::paged(2);
    world.stores = MemoryStores::default().with("global", store).with("china", world.destination.clone());
    let (output, written) = world.list(json!({"versions": "listed"})).await.unwrap();
    assert_eq!((written.sent(), output.found.listed.objects), (vec!["7", "8"], 2));
}
