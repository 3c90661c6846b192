//! cdk/grants.json: the table that the policies are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The functions that move one object, as the table names them.
pub(crate) const ONE: &[&str] = &["head", "init", "part", "complete", "copy", "abort"];

/// Those that make one tree of keys like another.
pub(crate) const MANY: &[&str] = &["list", "batch", "delete", "report"];

/// Those that only some routes have: what follows deletions, and what thaws.
pub(crate) const GONE: &[&str] = &["remove", "thaw"];

/// Those that pack and unpack.
pub(crate) const ARCHIVES: &[&str] = &["pack", "unpack"];

/// The ends of a route, and the bucket of the workflow's own.
pub(crate) const SIDES: [&str; 3] = ["source", "destination", "work"];

#[derive(Deserialize)]
struct Grant {
    action: String,
    on: String,
    #[serde(default)]
    when: Vec<String>,
}

/// Function, side, rights.
#[derive(Deserialize)]
pub(crate) struct Table(BTreeMap<String, BTreeMap<String, Vec<Grant>>>);

impl Table {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../cdk/grants.json");
        let table: Self = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let tried: BTreeSet<&str> = [ONE, MANY, GONE, ARCHIVES].concat().into_iter().collect();
        let known: BTreeSet<&str> = table.0.keys().map(String::as_str).collect();
        assert_eq!(known, tried, "functions of the table, and those that are tried here");
        table
    }

    /// The actions that are given under these circumstances.
    pub(crate) fn actions(
        &self,
        function: &str,
        side: &str,
        needs: &[&str],
        encrypted: bool,
    ) -> BTreeSet<String> {
        let holds = |grant: &&Grant| {
            (encrypted || grant.on != "keys") && grant.when.iter().all(|need| needs.contains(&need.as_str()))
        };
        self.0[function][side].iter().filter(holds).map(|grant| grant.action.clone()).collect()
    }
}
