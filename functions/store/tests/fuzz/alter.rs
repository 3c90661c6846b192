//! Altered copies of kept texts.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What readers of numbers, XML, JSON and TOML may stumble over.
const WORDS: &[&str] = &[
    "-1",
    "0",
    "1",
    "10001",
    "4294967296",
    "18446744073709551616",
    "1e400",
    "NaN",
    "null",
    "true",
    "false",
    "\"",
    "\"\"",
    "{}",
    "[]",
    ",",
    ":",
    "<",
    ">",
    "</Part>",
    "<Part>",
    "<PartNumber>1</PartNumber>",
    "&#0;",
    "&amp;",
    "&x;",
    "]]>",
    "<!--",
    "\u{0}",
    "\u{feff}",
    "\u{e9}",
    "\u{1f980}",
    "=",
    "\n",
    "[x]",
    "\\u0000",
    "\\ud800",
    "..",
    "/",
    "%",
    " ",
];

#[derive(Debug, Clone)]
enum Edit {
    Cut(Index, usize),
    Double(Index, usize),
    Put(Index, &'static str),
    Instead(Index, usize, &'static str),
    Flip(Index, u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 1..40_usize).prop_map(|(at, len)| Edit::Cut(at, len)),
        (at(), 1..200_usize).prop_map(|(at, len)| Edit::Double(at, len)),
        (at(), select(WORDS)).prop_map(|(at, word)| Edit::Put(at, word)),
        (at(), 1..12_usize, select(WORDS)).prop_map(|(at, len, word)| Edit::Instead(at, len, word)),
        (at(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
    let range = |at: &Index, len: usize, bytes: &[u8]| {
        let start = place(at, bytes);
        start..(start + len).min(bytes.len())
    };
    match edit {
        Edit::Cut(at, len) => drop(bytes.drain(range(at, *len, bytes))),
        Edit::Double(at, len) => {
            let range = range(at, *len, bytes);
            let again = bytes[range.clone()].to_vec();
            drop(bytes.splice(range.end..range.end, again));
        }
        Edit::Put(at, word) => {
            let place = place(at, bytes);
            drop(bytes.splice(place..place, word.bytes()));
        }
        Edit::Instead(at, len, word) => drop(bytes.splice(range(at, *len, bytes), word.bytes())),
        Edit::Flip(at, bit) => {
            let place = place(at, bytes);
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << bit;
            }
        }
    }
}

/// The texts of a folder of the corpus, by file name.
pub(crate) fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "fuzz", "corpus", folder].iter().collect();
    let mut found: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{}", folder.display());
    found
}

/// One of the texts after up to six edits, with its name.
pub(crate) fn altered(folder: &str) -> impl Strategy<Value = (String, Vec<u8>)> + use<> {
    (select(corpus(folder)), prop::collection::vec(edit(), 0..6)).prop_map(|((name, mut bytes), edits)| {
        edits.iter().for_each(|edit| apply(&mut bytes, edit));
        (name, bytes)
    })
}
