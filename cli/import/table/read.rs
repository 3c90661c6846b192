//! Rows of the old table, one after another: a table of millions does not fit into memory. A thread reads, for the parser can
//! not wait.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc;
use std::thread::JoinHandle;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Rows that wait to be taken.
const AHEAD: usize = 1_000;

/// An object, as the table knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// `bucket/key` of the source.
    pub(super) key: String,
    /// Bytes.
    pub(super) size: u64,
    /// Whether it was copied to its end. A round that was begun later and not ended undoes it.
    pub(super) done: bool,
    /// Where it went.
    pub(super) destination: Destination,
}

/// Where an object went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Destination {
    /// The bucket.
    pub(super) bucket: String,
    /// The key.
    pub(super) key: String,
}

/// A row in DynamoDB's own JSON: each value under the letter of its type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(rename = "Key")]
    key: Text,
    #[serde(rename = "Size", default)]
    size: Option<Number>,
    des_bucket: Text,
    des_key: Text,
    #[serde(default)]
    last_time_progress: Option<Number>,
    #[serde(default)]
    job_status: Option<Texts>,
}

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

#[derive(Debug, Deserialize)]
struct Number {
    #[serde(rename = "N")]
    text: String,
}

#[derive(Debug, Deserialize)]
struct Texts {
    #[serde(rename = "SS", default)]
    texts: Vec<String>,
}

/// A line of an export to S3.
#[derive(Debug, Deserialize)]
struct Exported {
    #[serde(rename = "Item")]
    item: Item,
}

impl Item {
    fn row(self, number: usize) -> Result<Row, String> {
        let read = |name: &str, found: &Option<Number>| match found {
            None => Err(format!("item {number}: {name}: expected a number, found none")),
            Some(found) => found.text.parse::<u64>().map_err(|_| {
                format!("item {number}: {name}: expected a whole number, found {:?}", found.text)
            }),
        };
        let ended = self.job_status.is_some_and(|status| status.texts.iter().any(|one| one == "DONE"));
        let whole = self.last_time_progress.is_some_and(|progress| progress.text == "100");
        Ok(Row {
            size: read("Size", &self.size)?,
            key: self.key.text,
            done: ended && whole,
            destination: Destination { bucket: self.des_bucket.text, key: self.des_key.text },
        })
    }
}

/// What came of the reading: known when all rows are taken.
pub(super) struct Reading(JoinHandle<Result<(), String>>);

impl Reading {
    /// # Errors
    /// The item or the place in the text, and what is wrong there.
    pub(super) fn join(self) -> Result<(), String> {
        self.0.join().unwrap_or_else(|_| Err("the reader ended too soon".to_owned()))
    }
}

/// The rows of a file, in their order.
pub(super) fn rows(file: impl Read + Send + 'static) -> (mpsc::IntoIter<Row>, Reading) {
    let (send, receive) = mpsc::sync_channel(AHEAD);
    let reading = std::thread::spawn(move || {
        let mut file = BufReader::new(file);
        match is_export(&mut file).map_err(|error| error.to_string())? {
            true => exported(file, &send),
            false => scanned(file, &send),
        }
    });
    (receive.into_iter(), Reading(reading))
}

/// An export has an object `{"Item": ...}` on each line.
fn is_export(file: &mut impl BufRead) -> std::io::Result<bool> {
    let start = file.fill_buf()?;
    let start: Vec<u8> = start.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(8).collect();
    Ok(start == b"{\"Item\":")
}

fn exported(file: impl BufRead, send: &mpsc::SyncSender<Row>) -> Result<(), String> {
    for (index, line) in file.lines().enumerate() {
        let line = line.map_err(|error| format!("line {}: {error}", index + 1))?;
        if line.trim().is_empty() {
            continue;
        }
        let found: Exported =
            serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", index + 1))?;
        // Whoever took the rows may have gone.
        if send.send(found.item.row(index + 1)?).is_err() {
            break;
        }
    }
    Ok(())
}

fn scanned(file: impl BufRead, send: &mpsc::SyncSender<Row>) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_reader(file);
    let read = reader.deserialize_map(Scan(send)).and_then(|()| reader.end());
    read.map_err(|error| error.to_string())
}

/// The answer of Scan: `Items` and counts.
struct Scan<'a>(&'a mpsc::SyncSender<Row>);

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer of a scan ({\"Items\": [...], ...})")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seen, mut more) = (false, false);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "Items" => {
                    map.next_value_seed(Items(self.0))?;
                    seen = true;
                }
                "LastEvaluatedKey" | "NextToken" => {
                    more = map.next_value::<Option<IgnoredAny>>()?.is_some();
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match (seen, more) {
            (false, _) => Err(serde::de::Error::custom("expected Items, found none")),
            (_, true) => Err(serde::de::Error::custom(
                "expected the whole table, found one page of it (scan without --max-items)",
            )),
            (true, false) => Ok(()),
        }
    }
}

struct Items<'a>(&'a mpsc::SyncSender<Row>);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(item) = items.next_element::<Item>()? {
            number += 1;
            // Whoever took the rows may have gone: the rest is read to no purpose, but to its end.
            let _ = self.0.send(item.row(number).map_err(serde::de::Error::custom)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Row, rows};

    fn item(key: &str, progress: u32, status: &[&str]) -> Value {
        json!({"Key": {"S": format!("photos/{key}")}, "Size": {"N": "7"}, "desBucket": {"S": "photos-cn"}, "desKey": {"S": key},
               "lastTimeProgress": {"N": progress.to_string()}, "jobStatus": {"SS": status}, "tryTimes": {"N": "2"},
               "versionId": {"S": "null"}, "instanceID": {"SS": ["i-1"]}, "firstTime": {"N": "1"}})
    }

    fn read(text: String) -> (Vec<Row>, Result<(), String>) {
        let (rows, reading) = rows(std::io::Cursor::new(text));
        (rows.collect(), reading.join())
    }

    #[test]
    fn done_is_what_ended_and_was_not_begun_again() {
        let mut running = item("b", 40, &[]);
        running.as_object_mut().unwrap().remove("jobStatus");
        let items = [
            item("a", 100, &["DONE"]),
            running,
            item("c", 30, &["DONE"]),
            item("d", 100, &["ERR", "DONE"]),
            item("e", 0, &["TIMEOUT"]),
        ];
        let (rows, read) = read(
            json!({"Items": items, "Count": 5, "ScannedCount": 5, "ConsumedCapacity": null}).to_string(),
        );
        read.unwrap();
        let done: Vec<(&str, bool)> =
            rows.iter().map(|row| (row.destination.key.as_str(), row.done)).collect();
        assert_eq!(done, [("a", true), ("b", false), ("c", false), ("d", true), ("e", false)]);
        assert_eq!((rows[0].key.as_str(), rows[0].size), ("photos/a", 7));
    }

    #[test]
    fn lines_of_an_export_are_read_too() {
        let lines = format!(
            "{}\n{}\n",
            json!({"Item": item("a", 100, &["DONE"])}),
            json!({"Item": item("b", 1, &["ERR"])})
        );
        let (rows, read) = read(lines);
        read.unwrap();
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named_and_what_stood_before_is_kept() {
        let mut strange = item("b", 100, &["DONE"]);
        strange["Size"] = json!({"N": "big"});
        let (rows, refused) = read(json!({"Items": [item("a", 100, &["DONE"]), strange]}).to_string());
        let refused = refused.unwrap_err();
        assert!(
            rows.len() == 1 && refused.contains("item 2: Size: expected a whole number, found \"big\""),
            "{refused}"
        );
        for (text, expected) in [
            (json!({"Count": 0}).to_string(), "expected Items, found none"),
            (json!({"Items": [], "NextToken": "x"}).to_string(), "found one page of it"),
            (json!({"Items": [{"Key": {"S": "a"}}]}).to_string(), "desBucket"),
            ("[]".to_owned(), "the answer of a scan"),
            ("{\"Items\": [".to_owned(), "EOF"),
        ] {
            let refused = read(text).1.unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
