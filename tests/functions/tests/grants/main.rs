//! Least privilege: each function, with a key of its own that may do what cdk/grants.json says and nothing else, does its work
//! on real strict servers; it uses every right that it has, needs no other, and fails without any one of them.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod scenarios;
mod setup;
mod table;

use std::collections::BTreeSet;

use setup::{Circumstances, Setup, Tags};
use table::{FUNCTIONS, SIDES, Table};

/// A right that no request here can show. The documentation names it for multipart uploads under a key of KMS as a whole, and
/// does not say whether Complete needs it.
const UNSEEN: [(&str, &str); 1] = [("complete", "kms:GenerateDataKey")];

/// A right that is asked for and not given on purpose: 403 and 404 mean the same to Abort, nothing of this transfer stands there.
const DONE_WITHOUT: [(&str, &str, &str); 1] = [("abort", "destination", "s3:ListBucket")];

/// Rights that spare requests: without them Head asks for each part of the source by a HEAD of its own. And the unseen one.
const SPARED: [(&str, &str, &str); 3] = [
    ("head", "source", "s3:GetObjectAttributes"),
    ("head", "source", "s3:GetObjectVersionAttributes"),
    ("complete", "destination", "kms:GenerateDataKey"),
];

fn every_circumstance() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for versions in [false, true] {
        for tags in [Tags::Copied, Tags::Given, Tags::None] {
            for etag in [false, true] {
                for encrypted in [false, true] {
                    all.push(Circumstances { versions, tags, etag, encrypted });
                }
            }
        }
    }
    all
}

/// All that there is: each right is given.
const MOST: Circumstances = Circumstances { versions: true, tags: Tags::Copied, etag: true, encrypted: true };

#[tokio::test]
async fn every_right_is_used_and_every_right_that_is_used_is_given() {
    let table = Table::read();
    for circumstances in every_circumstance() {
        let setup = Setup::new(circumstances).await;
        setup.limit(&table, |_, _, _| true);
        let ran = scenarios::all(&setup).await;
        assert_eq!(ran, Ok(()), "{circumstances:?}");
        let refused = setup.asked().flat_map(|(function, side, asked)| {
            asked.refused.into_iter().map(move |action| (function, side, action))
        });
        let refused: Vec<_> = refused.collect();
        let expected = DONE_WITHOUT.map(|(function, side, action)| (function, side, action.to_owned()));
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
async fn without_any_one_right_something_fails() {
    let table = Table::read();
    assert_eq!(without(&table, ("", "", "")).await, Ok(()), "with all of them");
    let mut fine = Vec::new();
    for function in FUNCTIONS {
        for side in SIDES {
            for action in table.actions(function, side, &MOST.needs(side), MOST.encrypted) {
                if without(&table, (function, side, &action)).await.is_ok() {
                    fine.push((function, side, action));
                }
            }
        }
    }
    let expected = SPARED.map(|(function, side, action)| (function, side, action.to_owned()));
    assert_eq!(fine, expected, "rights that nothing fails without");
}

/// Everything but one right.
async fn without(table: &Table, right: (&str, &str, &str)) -> scenarios::Ran {
    let setup = Setup::new(MOST).await;
    setup.limit(table, |function, side, action| (function, side, action) != right);
    scenarios::all(&setup).await
}

#[tokio::test]
async fn with_no_right_a_function_does_nothing() {
    let table = Table::read();
    for function in FUNCTIONS {
        let setup = Setup::new(MOST).await;
        setup.limit(&table, |other, _, _| other != function);
        assert!(scenarios::all(&setup).await.is_err(), "{function}");
    }
}
