//! The recorded cases (`tests/recordings`).
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

const ARCHIVE: &[u8] = include_bytes!("../recordings/cases.jsonl.gz");

/// All cases, by id.
pub(crate) fn cases() -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(ARCHIVE).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
