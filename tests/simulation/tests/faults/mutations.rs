//! The guards of `tests/mutations/guards.toml` are where it says, and the tests that miss them exist.

use std::path::{Path, PathBuf};

use toml::Table;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(value: &toml::Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("expected {name}, found none in {value:?}")).to_owned()
}

/// All tests of a suite, as text.
fn tests(suite: &str) -> String {
    let files = std::fs::read_dir(root().join("tests/simulation/tests").join(suite)).unwrap();
    files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn each_guard_can_be_switched_off_and_names_a_test() {
    let guards = std::fs::read_to_string(root().join("tests/mutations/guards.toml")).unwrap();
    let guards: Table = guards.parse().unwrap();
    let mut ids = Vec::new();
    for guard in guards["guard"].as_array().unwrap() {
        let id = text(guard, "id");
        let test = format!("fn {}()", text(guard, "test"));
        let suite = guard.get("suite").map_or("faults", |suite| suite.as_str().unwrap());
        assert_eq!(tests(suite).matches(&test).count(), 1, "{id}: expected one {test}");
        for edit in guard["edits"].as_array().unwrap() {
            let file = text(edit, "file");
            let source = std::fs::read_to_string(root().join(&file)).unwrap();
            assert_eq!(source.matches(&text(edit, "find")).count(), 1, "{id}: its text in {file}");
            assert_ne!(text(edit, "find"), text(edit, "put"), "{id}");
        }
        ids.push(id);
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "each id once");
}
