//! Rows of inventories and lines of manifests, which people and other stores write: read, or refused by column or field.

use proptest::prelude::*;
use transload_plan::inventory::{Row, Schema, Standing};
use transload_plan::manifest::Form;
use transload_wire::{ManifestEntry, Tree};

use crate::alter::{altered, corpus};

const SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IntelligentTieringAccessTier";

fn row(bytes: &[u8]) -> Result<Row, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "expected UTF-8".to_owned())?;
    Schema::new(SCHEMA).unwrap().row(text)
}

/// What was read is written and read again: the same.
fn entry(name: &str, bytes: &[u8]) -> Result<ManifestEntry, String> {
    let source =
        Tree { location: "g".parse().unwrap(), bucket: "photos".parse().unwrap(), prefix: "in/".to_owned() };
    let form = if name.ends_with(".csv") { Form::Csv } else { Form::Jsonl };
    let entry = ManifestEntry::read(form, bytes, &source)?;
    let written = entry.write().unwrap();
    assert!(written.ends_with(b"}\n") && written.iter().filter(|byte| **byte == b'\n').count() == 1);
    assert_eq!(ManifestEntry::read(Form::Jsonl, &written, &source).as_ref(), Ok(&entry));
    Ok(entry)
}

#[test]
fn kept_rows_and_lines_are_read() {
    let rows: Vec<Row> = corpus("rows").iter().map(|(name, bytes)| row(bytes).expect(name)).collect();
    assert_eq!(rows.iter().map(|row| row.standing).collect::<Vec<_>>(), [Standing::Marker, Standing::Newest]);
    assert_eq!(rows[1].known.as_ref().map(|known| known.size), Some(7));
    let lines = corpus("manifests");
    let facts = lines.iter().filter(|(name, bytes)| entry(name, bytes).expect(name).facts.is_some()).count();
    assert_eq!((lines.len(), facts), (3, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn altered_rows((_, bytes) in altered("rows")) {
        match row(&bytes) {
            Ok(row) => prop_assert!(row.known.is_none() || row.standing == Standing::Newest),
            Err(what) => prop_assert!(what.contains("expected "), "{}", what),
        }
    }

    #[test]
    fn altered_lines((name, bytes) in altered("manifests")) {
        if let Err(what) = entry(&name, &bytes) {
            prop_assert!(what.contains(": ") || what.contains("expected "), "{}", what);
        }
    }
}
