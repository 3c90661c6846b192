//! What a workflow hands to a function: read, or refused with its field.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transload_wire::{
    AbortInput, CompleteInput, CopyInput, ErrorName, Failure, HeadInput, InitInput, PartInput, SyncRequest,
    TransferRequest, parse,
};

use crate::alter::{altered, corpus};

/// Reads a text as the type its file is named after. What was read is written and read again: the same.
fn read(name: &str, bytes: &[u8]) -> Result<(), Failure> {
    match name.split(['.', '-']).next().unwrap() {
        "head" => same::<HeadInput>(bytes),
        "init" => same::<InitInput>(bytes),
        "part" => same::<PartInput>(bytes),
        "complete" => same::<CompleteInput>(bytes),
        "copy" => same::<CopyInput>(bytes),
        "abort" => same::<AbortInput>(bytes),
        "transfer" => same::<TransferRequest>(bytes),
        "sync" => same::<SyncRequest>(bytes),
        other => panic!("no type for {other}"),
    }
}

fn same<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<(), Failure> {
    let value: T = parse(bytes)?;
    let written = serde_json::to_value(&value).unwrap();
    let again: T = parse(written.to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&again).unwrap(), written);
    Ok(())
}

#[test]
fn kept_inputs_are_read() {
    let files = corpus("inputs");
    for (name, bytes) in &files {
        read(name, bytes).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
    assert!(files.len() >= 8, "one of each type");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn altered_inputs((name, bytes) in altered("inputs")) {
        if let Err(failure) = read(&name, &bytes) {
            prop_assert_eq!(failure.name, ErrorName::InputInvalid);
            prop_assert!(failure.message.contains(": "), "without a field: {}", failure.message);
        }
    }
}
