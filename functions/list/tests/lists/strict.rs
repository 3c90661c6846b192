//! Over real sockets, against servers as strict as Amazon's.

use serde_json::json;
use strict_s3::{BucketOptions, Server};
use transload_store::Deadline;
use transload_store::location::ConfiguredStores;
use transload_store::work::MemoryFiles;
use transload_wire::ListOutput;

use crate::support::{World, Written, input};

const AMOUNT: usize = 2_345;

async fn server(bucket: &str, options: BucketOptions) -> Server {
    let builder = Server::builder().credentials("AKIDTEST", "a secret of the test").bucket(bucket, options);
    builder.start().await.unwrap()
}

/// Keys that a careless client spoils.
const ODD: [&str; 12] = [
    "a b",
    "a+b",
    "a%2Fb",
    "%",
    "\u{1}\u{7f}",
    "\n\r\t",
    "<&>\"'",
    "e\u{301}",
    "\u{e9}",
    "\u{1f680}",
    "//",
    "..",
];

async fn compared(from: &Server, to: &Server, sync: serde_json::Value) -> (ListOutput, Written) {
    let folder = std::env::temp_dir().join(format!("transload-list-{}-{:p}", std::process::id(), from));
    std::fs::create_dir_all(&folder).unwrap();
    let keys = folder.join("keys");
    std::fs::write(
        &keys,
        "[default]\naws_access_key_id = AKIDTEST\naws_secret_access_key = a secret of the test\n",
    )
    .unwrap();
    let location = |server: &Server| {
        json!({"kind": "s3", "profile": "aws", "region": server.region(), "endpoint": server.endpoint(),
               "allow_http": true, "path_style": true, "credentials": {"file": keys}})
    };
    let locations = json!({"locations": {"global": location(from), "china": location(to)}});
    let stores = ConfiguredStores::from_json(&locations.to_string()).unwrap();
    let files = MemoryFiles::new("lists");
    let output = transload_list::handle(&stores, &files, Deadline::NONE, input(&sync)).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let world = World { files, ..World::new() };
    let written = world.written(&output).await;
    (output, written)
}

#[tokio::test]
async fn two_servers_are_compared_in_as_many_requests_as_there_are_pages() {
    let from = server("photos", BucketOptions::default()).await;
    let to = server("photos-cn", BucketOptions::default()).await;
    for n in 0..AMOUNT {
        from.direct().put("photos", &format!("a/{n:05}"), "x").unwrap();
        if n % 100 != 7 {
            to.direct().put("photos-cn", &format!("b/{n:05}"), "x").unwrap();
        }
    }
    from.direct().put("photos", "b/outside", "x").unwrap();
    let (output, written) = compared(&from, &to, json!({})).await;
    assert_eq!(output.found.listed.objects, AMOUNT as u64);
    assert_eq!(written.small.len(), AMOUNT.div_ceil(100));
    assert_eq!(output.requests, [("ListObjectsV2".to_owned(), 6)].into());
    let asked = from.requests().into_iter().chain(to.requests());
    assert!(asked.into_iter().all(|request| request.operation == "ListObjectsV2"));
}

#[tokio::test]
async fn odd_keys_come_through_and_compare() {
    for options in [BucketOptions::default, BucketOptions::versioned] {
        let from = server("photos", options()).await;
        let to = server("photos-cn", options()).await;
        for key in ODD {
            from.direct().put("photos", &format!("a/{key}"), "x").unwrap();
        }
        for versions in ["off", "listed"] {
            let (output, written) = compared(&from, &to, json!({"versions": versions})).await;
            let mut keys = ODD.to_vec();
            keys.sort_unstable();
            assert_eq!(written.sent(), keys, "{versions}");
            assert_eq!(output.found.destination.objects, 0);
        }
        for key in ODD {
            to.direct().put("photos-cn", &format!("b/{key}"), "x").unwrap();
        }
        let (output, _) = compared(&from, &to, json!({"versions": "listed"})).await;
        assert_eq!(output.found.present.objects, ODD.len() as u64);
    }
}

#[tokio::test]
async fn the_newest_versions_are_listed_and_delete_markers_are_not() {
    let from = server("photos", BucketOptions::versioned()).await;
    let to = server("photos-cn", BucketOptions::default()).await;
    for n in 0..1_200 {
        let key = format!("a/{:03}", n % 300);
        from.direct().put("photos", &key, n.to_string()).unwrap();
    }
    let (output, written) = compared(&from, &to, json!({"versions": "listed"})).await;
    assert_eq!((written.small.len(), output.found.listed.objects), (300, 300));
    assert!(written.small.values().all(|item| item.version_id.is_some() && item.size >= 3));
    // 1,200 versions are two pages, and continue behind a key, not between its versions.
    assert_eq!(output.requests["ListObjectVersions"], 2);
}
