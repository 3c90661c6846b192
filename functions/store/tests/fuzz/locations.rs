//! Location files: what is wrong is refused with its field, and nothing secret is repeated.

use proptest::prelude::*;
use transload_store::location::Locations;
use transload_wire::ErrorName;

use crate::alter::{altered, corpus};

/// Stands in the kept files where somebody might put a key by mistake.
const CANARY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn read(name: &str, text: &str) -> Result<Locations, transload_wire::Failure> {
    if name.ends_with(".toml") { Locations::from_toml(text) } else { Locations::from_json(text) }
}

#[test]
fn kept_files_are_what_their_names_say() {
    let files = corpus("locations");
    for (name, bytes) in &files {
        let read = read(name, std::str::from_utf8(bytes).unwrap());
        assert_eq!(read.is_err(), name.starts_with("refused"), "{name}: {:?}", read.err());
    }
    assert!(files.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(CANARY)));
}

#[test]
fn a_key_that_stands_where_a_field_should_is_not_named() {
    let rows = [
        ("a.toml", format!("[locations.china]\nkind = \"s3\"\n\"{CANARY}\" = 1\n")),
        ("a.toml", format!("[locations.china]\nkind = \"{CANARY}\"\n")),
        ("a.toml", format!("[locations.china]\nkind = \"s3\"\npatience = \"{CANARY}\"\n")),
        (
            "a.json",
            format!(
                "{{\"locations\": {{\"china\": {{\"kind\": \"s3\", \"credentials\": {{\"{CANARY}\": 1}}}}}}}}"
            ),
        ),
    ];
    for (name, text) in rows {
        let failure = read(name, &text).err().unwrap_or_else(|| panic!("{text}"));
        assert!(failure.message.contains("(not shown)"), "{}", failure.message);
        assert!(!failure.message.contains(&CANARY[..8]), "{}", failure.message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn altered_files((name, bytes) in altered("locations")) {
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        if let Err(failure) = read(&name, &text) {
            prop_assert_eq!(failure.name, ErrorName::InputInvalid);
            prop_assert!(failure.message.contains(':'), "without a field: {}", failure.message);
            prop_assert!(!failure.message.contains(&CANARY[5..35]), "{}", failure.message);
        }
    }
}
