//! The evidence of a deployed machine: by its API and its bucket alone, and the same that the machine itself would give.

use strict_s3::BucketOptions;
use transload_store::work::{DirectoryFiles, WorkFiles, collect};

use super::{Local, SYNC, many, program};
use crate::clients::is_there;
use crate::evidence::{files, judged};

/// What differs by who made a pack: the engine's name, and the lists that have its sum.
const OF_THE_MAKER: [&str; 3] = ["versions.json", "manifest.json", "SHA256SUMS"];

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_machine_gives_the_same_evidence_by_its_api() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let local = Local::start(&[]).await;
    many(&local).await;
    let (code, done, said) = local.deployed(&[&["sync"][..], &SYNC, &["--name", "first"]].concat()).await;
    assert_eq!(code, Some(0), "{done} {said}");

    // Whoever may not read the bucket has the rest, and what is missing is said.
    let operator = tempfile::tempdir().unwrap();
    let arn = local.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap();
    let args = ["evidence", "sync-first", "--out", "without.tar"];
    let (code, made, said) = local.operator(&operator, arn, &args).await;
    assert!(
        code == Some(0) && made.contains("without") && made.contains("s3://results/sync/sync-first-"),
        "{made} {said}"
    );
    let without = judged(&operator.path().join("without.tar")).await;
    assert_eq!(
        (without["work"].as_u64(), without["missing"].as_array().map(Vec::len)),
        (Some(0), Some(3)),
        "{without}"
    );
    let (code, told, _) = local.operator(&operator, arn, &["verify", "without.tar", "--offline"]).await;
    assert!(code == Some(0) && told.contains("not in it"), "{told}");

    // The bucket as the operator may read it.
    let (id, secret) = local.key();
    let builder =
        strict_s3::Server::builder().credentials(&id, &secret).bucket("results", BucketOptions::default());
    let bucket = builder.start().await.unwrap();
    let work = DirectoryFiles::new(local.folder.path().join("home of mine/results"), "results");
    for file in work.list("").await.unwrap() {
        let bytes = collect(work.get(&file.name).await.unwrap().unwrap()).await.unwrap();
        bucket.direct().put("results", &file.name, bytes).unwrap();
    }
    let args = ["evidence", "sync-first", "--out", "with.tar"];
    let (code, made, said) = local.operator_at(&bucket.endpoint(), &operator, arn, &args).await;
    assert_eq!(code, Some(0), "{made} {said}");
    let there = operator.path().join("with.tar");
    let found = judged(&there).await;
    assert!(found["shown"]["source"] == 1 && found["work"].as_u64() > Some(5), "{found}");

    let own = program(&local.folder, &["evidence", "sync-first", "--out", "own.tar"]).output().await.unwrap();
    assert!(own.status.success(), "{own:?}");
    let packs = [there, local.folder.path().join("own.tar")].map(|path| std::fs::read(path).unwrap());
    let [theirs, ours] = packs.each_ref().map(|pack| files(pack));
    assert_eq!(theirs.len(), ours.len());
    for (a, b) in theirs.iter().zip(&ours) {
        let same = packs[0][a.1..a.1 + a.2] == packs[1][b.1..b.1 + b.2];
        assert!(a.0 == b.0 && (same || OF_THE_MAKER.contains(&a.0.as_str())), "{} {}", a.0, b.0);
    }
    local.interrupt().await;
}
