//! Settings of the systems before, as a deployment's config: pure. What they could and routes can not is told, not lost.

use serde_json::{Map, Value, json};
use transload_store::location::Partition;

use super::{ignore, ini};

/// What the files hold, by kind.
#[derive(Debug, Default)]
pub(super) struct Old {
    jobs: Vec<Job>,
    ignore: Vec<String>,
    carried: ini::Carried,
    /// Region of the other account, as the file of its keys says.
    other_region: Option<String>,
    /// What is not carried over, and harmless.
    notes: Vec<String>,
}

/// A line of the list of buckets.
#[derive(Debug)]
struct Job {
    src_bucket: String,
    src_prefix: String,
    des_bucket: String,
    des_prefix: String,
}

/// What only the user knows.
#[derive(Debug)]
pub(super) struct Given<'a> {
    /// Region that is deployed to.
    pub(super) region: &'a str,
    /// Region of the other account's buckets.
    pub(super) other_region: Option<&'a str>,
    /// Name of the secret with its keys.
    pub(super) secret: &'a str,
}

/// A config, and what is to be said of it.
#[derive(Debug)]
pub(super) struct Imported {
    /// The config.
    pub(super) config: Value,
    /// What is not carried over, and harmless.
    pub(super) notes: Vec<String>,
    /// What is not carried over, so that other objects would be copied than before.
    pub(super) left_out: Vec<String>,
}

impl Old {
    /// Adds a file, by what it holds: the list of buckets, keys, settings, or ignored objects.
    ///
    /// # Errors
    /// What is wrong with it. Keys are not quoted.
    pub(super) fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let at = |message: String| format!("{name}: {message}");
        let start = text.trim_start_matches('\u{feff}').trim_start();
        let is_list = start.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']));
        if is_list {
            return self.add_jobs(start).map_err(at);
        }
        if start.starts_with('{') {
            return self.add_keys(start).map_err(at);
        }
        if start.lines().any(|line| line.trim().starts_with('[') && line.trim().ends_with(']')) {
            let (carried, notes) = ini::read(start).map_err(at)?;
            self.carried = carried;
            self.notes.extend(notes);
            return Ok(());
        }
        let found = ignore::patterns(start);
        if found.is_empty() {
            return Err(at(
                "expected a list of buckets, settings, keys or patterns, found nothing".to_owned()
            ));
        }
        self.ignore.extend(found);
        Ok(())
    }

    fn add_jobs(&mut self, text: &str) -> Result<(), String> {
        let found: Vec<Map<String, Value>> =
            serde_json::from_str(text).map_err(|error| format!("expected a list of objects: {error}"))?;
        for (index, fields) in found.into_iter().enumerate() {
            let text = |name: &str, required: bool| match fields.get(name) {
                Some(Value::String(text)) if !required || !text.is_empty() => Ok(text.clone()),
                None if !required => Ok(String::new()),
                found => Err(format!(
                    "[{index}].{name}: expected a text, found {}",
                    found.map_or_else(|| "none".to_owned(), Value::to_string)
                )),
            };
            self.jobs.push(Job {
                src_bucket: text("src_bucket", true)?,
                src_prefix: text("src_prefix", false)?,
                des_bucket: text("des_bucket", true)?,
                des_prefix: text("des_prefix", false)?,
            });
            let known = ["src_bucket", "src_prefix", "des_bucket", "des_prefix"];
            let unknown = fields.keys().filter(|name| !known.contains(&name.as_str()));
            self.notes.extend(unknown.map(|name| format!("[{index}].{name}: unknown, and not carried over")));
        }
        Ok(())
    }

    /// Only the Region: the keys go into a secret by `import credentials`.
    fn add_keys(&mut self, text: &str) -> Result<(), String> {
        let keys: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| "expected JSON, found something else".to_owned())?;
        if !keys.contains_key("aws_access_key_id") {
            return Err(
                "expected the keys of the other account (aws_access_key_id, ...), found other members"
                    .to_owned(),
            );
        }
        self.other_region = keys.get("region").and_then(Value::as_str).map(ToOwned::to_owned);
        Ok(())
    }

    /// As a config.
    ///
    /// # Errors
    /// What is missing or can not be.
    pub(super) fn import(self, given: &Given<'_>) -> Result<Imported, String> {
        if self.jobs.is_empty() {
            return Err("expected a list of buckets ([{\"src_bucket\", \"src_prefix\", \"des_bucket\", \"des_prefix\"}]) \
                        among the files, found none"
                .to_owned());
        }
        let other = given.other_region.or(self.other_region.as_deref()).ok_or(
            "--other-region: expected the Region of the other account's buckets, found none in the files either",
        )?;
        let partition = |name: &str, region: &str| {
            Partition::of_region(region).ok_or(format!("{name}: expected a Region of AWS, found {region:?}"))
        };
        let (here, there) = (partition("--region", given.region)?, partition("--other-region", other)?);
        let own = self.own_location(given.region);
        let others =
            json!({"partition": there.as_str(), "region": other, "credentials": {"secret": given.secret}});
        let (source, destination) = if self.carried.keys_at_source { (others, own) } else { (own, others) };
        let locations = json!({"source": source, "destination": destination});
        let by_events = !self.carried.keys_at_source || here == there;
        let (routes, left_out) = self.routes(by_events);
        let mut notes = self.notes;
        if !by_events {
            notes.push(
                "events of the source do not reach this partition: routes are written without events"
                    .to_owned(),
            );
        }
        let config = json!({"region": given.region, "locations": locations, "routes": routes});
        Ok(Imported { config, notes, left_out })
    }

    /// The side that the functions' own roles get at. Each bucket once.
    fn own_location(&self, region: &str) -> Value {
        let at_source = !self.carried.keys_at_source;
        let mut names: Vec<&str> = self
            .jobs
            .iter()
            .map(|job| if at_source { &job.src_bucket } else { &job.des_bucket }.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let bucket = |name: &&str| match self.carried.versions && at_source {
            true => json!({"name": name, "versions": true}),
            false => json!({"name": name}),
        };
        json!({"region": region, "buckets": names.iter().map(bucket).collect::<Vec<Value>>()})
    }

    fn options(&self) -> Map<String, Value> {
        let mut options = Map::new();
        options
            .extend(self.carried.storage_class.iter().map(|class| ("storageClass".to_owned(), json!(class))));
        options.extend(self.carried.part_size.map(|size| ("partSize".to_owned(), json!(size))));
        options
    }

    fn routes(&self, by_events: bool) -> (Vec<Value>, Vec<String>) {
        let (mut routes, mut left_out, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (index, job) in self.jobs.iter().enumerate() {
            if !job.des_prefix.trim_matches('/').is_empty() {
                left_out.push(format!(
                    "[{index}].des_prefix {:?}: was put before every key, and routes keep keys as they are; the route is left out",
                    job.des_prefix
                ));
                continue;
            }
            let name = name(&job.src_bucket, &names);
            names.push(name.clone());
            let mut source = json!({"location": "source", "bucket": job.src_bucket});
            if !job.src_prefix.is_empty() {
                source["prefix"] = json!(job.src_prefix);
            }
            let destination = json!({"location": "destination", "bucket": job.des_bucket});
            let mut route = json!({"name": name, "source": source, "destination": destination});
            let options = self.options();
            if !options.is_empty() {
                route["options"] = Value::Object(options);
            }
            if by_events {
                let ignored = self.ignored(index, job, &mut left_out);
                if !ignored.is_empty() {
                    route["ignore"] = json!(ignored);
                }
            } else {
                route["events"] = json!([]);
            }
            routes.push(route);
        }
        (routes, left_out)
    }

    /// The patterns that are about this bucket, of those that an event's rule can say.
    fn ignored(&self, index: usize, job: &Job, left_out: &mut Vec<String>) -> Vec<String> {
        let beginning = format!("{}/{}", job.src_bucket, job.src_prefix);
        let about = self.ignore.iter().filter(|pattern| ignore::may_cover(pattern, &beginning));
        let mut kept = Vec::new();
        for pattern in about {
            if !job.src_prefix.is_empty() {
                left_out.push(format!(
                    "ignored {pattern:?}: [{index}] has a prefix ({:?}), and a rule compares a key with one of both only",
                    job.src_prefix
                ));
            } else if pattern.contains('?') {
                left_out.push(format!("ignored {pattern:?}: a rule knows no ? (write * or the characters)"));
            } else {
                kept.push(pattern.clone());
            }
        }
        kept
    }
}

/// A route's name after its bucket: at most 40 letters, digits and hyphens, the first a letter, none twice.
fn name(bucket: &str, taken: &[String]) -> String {
    let plain: String = bucket
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .take(36)
        .collect();
    let plain = if plain.starts_with(|first: char| first.is_ascii_alphabetic()) {
        plain
    } else {
        format!("b{plain}")
    };
    let numbered = (2..).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Given, Imported, Old};

    const GIVEN: Given<'static> =
        Given { region: "eu-west-1", other_region: Some("cn-north-1"), secret: "transload/china" };

    fn import(files: &[&str]) -> Result<Imported, String> {
        let mut old = Old::default();
        for (index, text) in files.iter().enumerate() {
            old.add(&format!("file{index}"), text)?;
        }
        old.import(&GIVEN)
    }

    const JOBS: &str = r#"[{"src_bucket": "photos", "src_prefix": "", "des_bucket": "photos-cn", "des_prefix": ""},
                           {"src_bucket": "photos", "src_prefix": "2026/", "des_bucket": "other-cn", "des_prefix": ""}]"#;

    #[test]
    fn a_list_settings_and_patterns_make_a_config() {
        let settings = "[Mode]\nStorageClass = STANDARD_IA\nGetObjectWithVersionId = True\n";
        let imported = import(&[JOBS, settings, "*.tmp\nvideos/*\n"]).unwrap();
        let expected = json!({
            "region": "eu-west-1",
            "locations": {
                "source": {"region": "eu-west-1", "buckets": [{"name": "photos", "versions": true}]},
                "destination": {"partition": "aws-cn", "region": "cn-north-1", "credentials": {"secret": "transload/china"}},
            },
            "routes": [
                {"name": "photos", "source": {"location": "source", "bucket": "photos"}, "ignore": ["*.tmp"],
                 "destination": {"location": "destination", "bucket": "photos-cn"}, "options": {"storageClass": "STANDARD_IA"}},
                {"name": "photos-2", "source": {"location": "source", "bucket": "photos", "prefix": "2026/"},
                 "destination": {"location": "destination", "bucket": "other-cn"}, "options": {"storageClass": "STANDARD_IA"}},
            ],
        });
        assert_eq!(imported.config, expected);
        let [left] = &imported.left_out[..] else { panic!("{:?}", imported.left_out) };
        assert!(left.contains("\"*.tmp\": [1] has a prefix"), "{left}");
    }

    #[test]
    fn keys_at_the_source_turn_the_sides_and_events_off() {
        let imported = import(&[JOBS, "[Basic]\nJobType = GET\n", "*.tmp"]).unwrap();
        assert_eq!(imported.config["locations"]["source"]["credentials"]["secret"], "transload/china");
        assert_eq!(
            imported.config["locations"]["destination"]["buckets"],
            json!([{"name": "other-cn"}, {"name": "photos-cn"}])
        );
        assert_eq!(imported.config["routes"][0]["events"], json!([]));
        assert!(imported.notes.iter().any(|note| note.contains("without events")), "{:?}", imported.notes);
    }

    #[test]
    fn what_routes_can_not_do_is_told() {
        let prefixed = r#"[{"src_bucket": "a-b.c", "src_prefix": "", "des_bucket": "b", "des_prefix": "x/", "colour": "blue"}]"#;
        let imported = import(&[prefixed]).unwrap();
        assert!(imported.left_out[0].contains("[0].des_prefix \"x/\""), "{:?}", imported.left_out);
        assert_eq!(imported.notes, ["[0].colour: unknown, and not carried over"]);
        assert_eq!(imported.config["routes"], json!([]));
        let imported = import(&[JOBS, "photos/a?c\nphotos/b*\n"]).unwrap();
        assert!(imported.left_out[0].contains("a rule knows no ?"), "{:?}", imported.left_out);
        assert_eq!(imported.config["routes"][0]["ignore"], json!(["photos/b*"]));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_key_is_quoted() {
        for (files, expected) in [
            (&["*.jpg"][..], "expected a list of buckets"),
            (&["[]"], "expected a list of buckets"),
            (&[""], "file0: expected a list of buckets, settings, keys or patterns, found nothing"),
            (
                &[r#"[{"src_bucket": "a", "src_prefix": 7, "des_bucket": "b"}]"#],
                "file0: [0].src_prefix: expected a text, found 7",
            ),
            (&[r#"[{"src_bucket": "a"}]"#], "file0: [0].des_bucket: expected a text, found none"),
            (&[r#"{"username": "TOPSECRET"}"#], "expected the keys of the other account"),
        ] {
            let refused = import(files).unwrap_err();
            assert!(refused.contains(expected) && !refused.contains("TOPSECRET"), "{refused}");
        }
        let mut old = Old::default();
        old.add("jobs", JOBS).unwrap();
        let refused = old.import(&Given { other_region: None, ..GIVEN }).unwrap_err();
        assert!(refused.starts_with("--other-region: expected"), "{refused}");
    }

    #[test]
    fn the_region_stands_beside_the_keys_and_nothing_else_is_read_there() {
        let mut old = Old::default();
        old.add("jobs", JOBS).unwrap();
        old.add("keys", r#"{"aws_access_key_id": "AKID", "aws_secret_access_key": "TOPSECRET", "region": "cn-northwest-1"}"#).unwrap();
        let imported = old.import(&Given { other_region: None, ..GIVEN }).unwrap();
        assert_eq!(imported.config["locations"]["destination"]["region"], "cn-northwest-1");
        assert!(!imported.config.to_string().contains("TOPSECRET"));
    }
}
