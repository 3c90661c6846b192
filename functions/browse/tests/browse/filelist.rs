//! Trees of buckets: in the old form, cut by depth, in pages; what may not be read is marked.

use serde_json::{Value, json};
use transload_store::{StoreErrorKind, Verb};

use crate::support::Bench;

const KEYS: [&str; 8] = ["a-1", "a/b", "a/b/c/d", "a/b/c/e", "a/f", "b/", "b/g", "c"];

async fn bench() -> Bench {
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    for key in KEYS {
        bench.store.write("photos", key, "x".repeat(key.len()));
    }
    bench
}

fn asked<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[("location", "global"), ("bucket", "photos")], more].concat()
}

#[tokio::test]
async fn a_bucket_is_told_as_the_old_browser_did() {
    let bench = bench().await;
    let whole = Bench::ok(bench.get("/filelist", &asked(&[])).await);
    let file = |name: &str, size: usize| json!({"name": name, "size": format!("{size} bytes")});
    let expected = json!({"name": "photos", "member": [
        file("a-1", 3),
        {"name": "a", "member": [
            file("b", 3),
            {"name": "b", "member": [{"name": "c", "member": [file("d", 7), file("e", 7)]}]},
            file("f", 3),
        ]},
        {"name": "b", "member": [file("g", 3)]},
        file("c", 1),
    ]});
    assert_eq!(whole, expected);
    let top = Bench::ok(bench.get("/filelist", &asked(&[("depth", "1")])).await);
    let cut = |name: &str| json!({"name": name, "member": [], "cut": true});
    assert_eq!(top["member"], json!([file("a-1", 3), cut("a"), cut("b"), file("c", 1)]));
    let below = Bench::ok(bench.get("/filelist", &asked(&[("prefix", "a/b/"), ("depth", "1")])).await);
    assert_eq!(below, json!({"name": "a/b/", "member": [cut("c")]}));
}

/// Paths of the files of a tree.
fn files(tree: &Value, at: &str, found: &mut Vec<String>) {
    for member in tree["member"].as_array().unwrap() {
        let path = format!("{at}{}", member["name"].as_str().unwrap());
        match &member["member"] {
            Value::Null => found.push(path),
            _ => files(member, &format!("{path}/"), found),
        }
    }
}

#[tokio::test]
async fn pages_hold_every_object_once() {
    let bench = bench().await;
    for n in 0..40 {
        bench.store.write("photos", &format!("many/{n:03}/x"), "x");
    }
    let mut keys: Vec<String> =
        KEYS.iter().filter(|key| !key.ends_with('/')).map(ToString::to_string).collect();
    keys.extend((0..40).map(|n| format!("many/{n:03}/x")));
    keys.sort();
    for limit in ["1", "3", "7", "8", "100"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                Bench::ok(bench.get("/filelist", &asked(&[("limit", limit), ("cursor", &cursor)])).await);
            files(&page, "", &mut found);
            match page["cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        found.sort();
        assert_eq!(found, keys, "pages of {limit}");
    }
    let deep = asked(&[("prefix", "many/"), ("depth", "1"), ("limit", "10")]);
    let page = Bench::ok(bench.get("/filelist", &deep).await);
    assert_eq!(page["member"].as_array().map(Vec::len), Some(10));
    assert!(page["member"][0]["cut"].as_bool().unwrap());
}

#[tokio::test]
async fn a_hundred_thousand_objects_below_one_prefix_come_in_pages() {
    const MANY: usize = 100_000;
    let bench = Bench::new(json!({"Type": "Succeed"})).await;
    let name = |n: usize| format!("{n:05}{}", "y".repeat(60));
    for n in 0..MANY {
        bench.store.write("photos", &format!("many/{}", name(n)), "x");
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = asked(&[("prefix", "many/"), ("limit", "10000"), ("cursor", &cursor)]);
        let page = Bench::ok(bench.get("/filelist", &query).await);
        let travels = json!(page.to_string()).to_string().len();
        assert!(travels < 6_000_000, "{travels} bytes");
        files(&page, "", &mut found);
        match page["cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert!(found.len() == MANY && (0..MANY).all(|n| found[n] == name(n)), "{} found", found.len());
}

#[tokio::test]
async fn the_longest_answer_travels() {
    let bench = bench().await;
    // Control characters take six bytes each in JSON, and one more on the way.
    for n in 0..1_500 {
        bench.store.write("photos", &format!("odd/{n:04}{}", "\u{1}".repeat(900)), "");
    }
    let page = Bench::ok(bench.get("/filelist", &asked(&[("limit", "10000")])).await);
    let travels = json!(page.to_string()).to_string().len();
    assert!((1_000_000..6_000_000).contains(&travels), "{travels} bytes");
    assert!(page["cursor"].is_string());
}

#[tokio::test]
async fn what_may_not_be_read_is_marked_and_what_is_wrong_is_named() {
    let bench = bench().await;
    bench.faults.refuse(Verb::ListObjectsV2, 2..=2, StoreErrorKind::AccessDenied);
    let part = Bench::ok(bench.get("/filelist", &asked(&[])).await);
    assert!(part["unreadable"].as_str().unwrap().contains("ListObjectsV2"), "{part}");
    assert!(!part["member"].as_array().unwrap().is_empty(), "what was read is told");
    for (query, field, wanted) in [
        (vec![("location", "mars"), ("bucket", "photos")], "location", 404),
        (vec![("location", "global")], "bucket", 400),
        (vec![("location", "global"), ("bucket", "X")], "bucket", 400),
        (asked(&[("depth", "65")]), "depth", 400),
        (asked(&[("limit", "0")]), "limit", 400),
        (asked(&[("prefix", "a/"), ("cursor", "b")]), "cursor", 400),
    ] {
        let (status, body) = bench.get("/filelist", &query).await;
        assert_eq!((status, body["field"].as_str()), (wanted, Some(field)), "{body}");
    }
    let missing = [("location", "global"), ("bucket", "nowhere")];
    assert_eq!(bench.get("/filelist", &missing).await.0, 404);
}
