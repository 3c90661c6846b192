//! Least privilege: each function, with a key of its own that may do what cdk/grants.json says and nothing else, does its work
//! on real strict servers; it uses every right that it has, needs no other, and fails without any one of them.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod archives;
mod gone;
mod many;
mod scenarios;
mod setup;
mod table;

use std::collections::BTreeSet;

use setup::{Circumstances, Setup, Tags};
use table::{ARCHIVES, GONE, MANY, ONE, SIDES, Table};

/// Rights that no request here can show. The documentation names the first for multipart uploads under a key of KMS as a whole,
/// and does not say whether Complete needs it. The second is for a report that can not be written: a test of its own.
const UNSEEN: [(&str, &str); 2] =
    [("complete", "kms:GenerateDataKey"), ("report", "s3:AbortMultipartUpload")];

/// A right that is asked for and not given on purpose: 403 and 404 mean the same to Abort, nothing of this transfer stands there.
const DONE_WITHOUT: [(&str, &str, &str); 1] = [("abort", "destination", "s3:ListBucket")];

/// The same of a look that deletes nothing: what is gone, or can not be seen, has no newer version.
const LOOKED_WITHOUT: [(&str, &str, &str); 2] =
    [("remove", "source", "s3:ListBucket"), ("remove", "destination", "s3:ListBucket")];

/// Rights that spare requests: without them Head asks for each part of the source by a HEAD of its own. And the unseen ones.
const SPARED: [(&str, &str, &str); 4] = [
    ("head", "source", "s3:GetObjectAttributes"),
    ("head", "source", "s3:GetObjectVersionAttributes"),
    ("complete", "destination", "kms:GenerateDataKey"),
    ("report", "work", "s3:AbortMultipartUpload"),
];

/// The rows of a table that are about these functions, with the names that others are compared by.
fn of<const N: usize>(functions: &[&str], rows: [(&'static str, &'static str, &str); N]) -> Vec<Right> {
    let mine = rows.into_iter().filter(|(function, ..)| functions.contains(function));
    mine.map(|(function, side, action)| (function, side, action.to_owned())).collect()
}

/// Function, side, action.
type Right = (&'static str, &'static str, String);

/// What decides about the rights to move one object.
fn circumstances_of_one() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for versions in [false, true] {
        for tags in [Tags::Copied, Tags::Given, Tags::None] {
            for etag in [false, true] {
                for encrypted in [false, true] {
                    all.push(Circumstances { versions, tags, etag, encrypted, ..LEAST });
                }
            }
        }
    }
    all
}

/// What decides about the rights to move many. Versions are listed only where there are some.
fn circumstances_of_many() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for (versions, listed) in [(false, false), (true, false), (true, true)] {
        for tags in [Tags::Copied, Tags::Given, Tags::None] {
            for looks in [false, true] {
                for encrypted in [false, true] {
                    all.push(Circumstances { versions, tags, encrypted, listed, looks, ..LEAST });
                }
            }
        }
    }
    all
}

/// Nothing that asks for rights.
const LEAST: Circumstances = Circumstances {
    versions: false,
    tags: Tags::None,
    etag: false,
    encrypted: false,
    listed: false,
    looks: false,
    deletes: false,
};

/// All that there is: each right is given.
const MOST: Circumstances = Circumstances {
    versions: true,
    tags: Tags::Copied,
    etag: true,
    encrypted: true,
    listed: true,
    looks: true,
    deletes: true,
};

/// What decides about the rights to follow deletions and to thaw.
fn circumstances_of_gone() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for versions in [false, true] {
        for encrypted in [false, true] {
            all.extend([false, true].map(|deletes| Circumstances { versions, encrypted, deletes, ..LEAST }));
        }
    }
    all
}

/// What decides about the rights to pack and to unpack.
fn circumstances_of_archives() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for versions in [false, true] {
        for encrypted in [false, true] {
            all.extend([Tags::Given, Tags::None].map(|tags| Circumstances {
                versions,
                encrypted,
                tags,
                ..LEAST
            }));
        }
    }
    all
}

async fn work(setup: &Setup, functions: &[&str]) -> scenarios::Ran {
    match functions {
        ONE => scenarios::all(setup).await,
        MANY => many::all(setup).await,
        ARCHIVES => archives::all(setup).await,
        _ => gone::all(setup).await,
    }
}

async fn assert_used_and_given(functions: &'static [&'static str], all: Vec<Circumstances>) {
    let table = Table::read();
    for circumstances in all {
        let setup = Setup::new(circumstances, functions).await;
        setup.limit(&table, |_, _, _| true);
        assert_eq!(work(&setup, functions).await, Ok(()), "{circumstances:?}");
        let refused = setup.asked().flat_map(|(function, side, asked)| {
            asked.refused.into_iter().map(move |action| (function, side, action))
        });
        let refused: Vec<_> = refused.collect();
        let looks = if circumstances.deletes { Vec::new() } else { of(functions, LOOKED_WITHOUT) };
        let expected = [of(functions, DONE_WITHOUT), looks].concat();
        assert_eq!(refused, expected, "{circumstances:?}");
        for (function, side, asked) in setup.asked() {
            let given = table.actions(function, side, &circumstances.needs(side), circumstances.encrypted);
            let unseen = |action: &String| !UNSEEN.contains(&(function, action.as_str()));
            let given: BTreeSet<String> = given.into_iter().filter(unseen).collect();
            assert_eq!(asked.used, given, "{function} at the {side}, {circumstances:?}");
        }
    }
}

#[tokio::test]
async fn every_right_is_used_and_every_right_that_is_used_is_given() {
    assert_used_and_given(ONE, circumstances_of_one()).await;
}

#[tokio::test]
async fn so_it_is_with_many_objects() {
    assert_used_and_given(MANY, circumstances_of_many()).await;
}

#[tokio::test]
async fn so_it_is_where_deletions_are_followed_and_where_sources_are_thawed() {
    assert_used_and_given(GONE, circumstances_of_gone()).await;
}

#[tokio::test]
async fn so_it_is_with_archives() {
    assert_used_and_given(ARCHIVES, circumstances_of_archives()).await;
}

async fn assert_each_is_needed(functions: &'static [&'static str]) {
    let table = Table::read();
    assert_eq!(without(&table, functions, ("", "", "")).await, Ok(()), "with all of them");
    let mut fine = Vec::new();
    for &function in functions {
        for side in SIDES {
            for action in table.actions(function, side, &MOST.needs(side), MOST.encrypted) {
                if without(&table, functions, (function, side, &action)).await.is_ok() {
                    fine.push((function, side, action));
                }
            }
        }
    }
    assert_eq!(fine, of(functions, SPARED), "rights that nothing fails without");
}

#[tokio::test]
async fn without_any_one_right_something_fails() {
    assert_each_is_needed(ONE).await;
}

#[tokio::test]
async fn without_any_one_right_something_of_many_objects_fails() {
    assert_each_is_needed(MANY).await;
}

#[tokio::test]
async fn without_any_one_right_something_of_deletions_and_thawing_fails() {
    assert_each_is_needed(GONE).await;
}

#[tokio::test]
async fn without_any_one_right_something_of_archives_fails() {
    assert_each_is_needed(ARCHIVES).await;
}

/// Everything but one right.
async fn without(
    table: &Table,
    functions: &'static [&'static str],
    right: (&str, &str, &str),
) -> scenarios::Ran {
    // A file of many parts is not cut as the source is.
    let circumstances = Circumstances { etag: functions == ONE, ..MOST };
    let setup = Setup::new(circumstances, functions).await;
    setup.limit(table, |function, side, action| (function, side, action) != right);
    work(&setup, functions).await
}

#[tokio::test]
async fn with_no_right_a_function_does_nothing() {
    let table = Table::read();
    for functions in [ONE, MANY, GONE, ARCHIVES] {
        for function in functions {
            let circumstances = Circumstances { etag: functions == ONE, ..MOST };
            let setup = Setup::new(circumstances, functions).await;
            setup.limit(&table, |other, _, _| other != *function);
            assert!(work(&setup, functions).await.is_err(), "{function}");
        }
    }
}

#[tokio::test]
async fn a_report_that_can_not_be_written_is_given_up() {
    let setup = Setup::new(MOST, MANY).await;
    setup.limit(&Table::read(), |_, _, _| true);
    assert_eq!(many::given_up(&setup).await, Ok(()));
    let (_, _, asked) =
        setup.asked().find(|(function, side, _)| (*function, *side) == ("report", "work")).unwrap();
    assert!(asked.used.contains("s3:AbortMultipartUpload"), "{asked:?}");
    assert!(asked.refused.is_empty(), "{asked:?}");
}
