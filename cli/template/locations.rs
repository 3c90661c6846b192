//! The template's locations on this machine: the same names and settings, with servers and keys of this machine in place of
//! endpoints and secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use eventbridge_local::Rule;
use serde_json::{Value, json};
use transload_store::location::{LOCATIONS_VARIABLE, Locations};

use super::stack::{Function, Stack};
use crate::exit::{CliError, Outcome};

/// A location of the template.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Its name.
    pub(crate) name: String,
    /// As the functions are told of it.
    config: Value,
    /// The Region of its server.
    pub(crate) region: String,
    /// The account that owns its buckets.
    pub(crate) owner: String,
    /// Whether it is read with the functions' own roles.
    pub(crate) own: bool,
    /// Buckets of routes, and whether they keep versions.
    pub(crate) buckets: BTreeMap<String, bool>,
}

impl Site {
    /// Whether its events reach the stack's bus: those of other accounts and Regions do not.
    pub(crate) fn tells(&self, stack: &Stack) -> bool {
        self.own && self.config.get("endpoint").is_none() && self.region == stack.site.region
    }

    /// As the functions are told of it here.
    pub(crate) fn here(&self, endpoint: &str, credentials: &Path) -> Value {
        let mut config = self.config.clone();
        config["region"] = json!(self.region);
        config["endpoint"] = json!(endpoint);
        config["allow_http"] = json!(true);
        config["path_style"] = json!(true);
        config["credentials"] = json!({"file": credentials});
        config
    }

    /// What is replaced, in a line.
    pub(crate) fn replaced(&self, endpoint: &str) -> String {
        let credentials = match &self.config["credentials"] {
            Value::Object(source) => {
                source.iter().map(|(kind, of)| format!("{kind} {}", plain(of))).collect()
            }
            _ => vec!["the functions' own roles".to_owned()],
        };
        let place = match self.config["endpoint"].as_str() {
            Some(endpoint) => endpoint.to_owned(),
            None => format!("S3 in {}", self.region),
        };
        let credentials = credentials.join(", ");
        format!(
            "location {}: {place} is {endpoint}, {credentials} replaced by keys of this machine",
            self.name
        )
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The locations that all functions are told of.
///
/// # Errors
/// If a function has none, others than the rest, or some that it would refuse.
pub(crate) fn of(stack: &Stack) -> Outcome<Vec<Site>> {
    let mut functions = stack.functions.iter();
    let first =
        functions.next().ok_or_else(|| CliError::usage("Resources: expected a function, found none"))?;
    let told = told(first)?;
    if let Some(other) = functions.find(|other| other.variables.get(LOCATIONS_VARIABLE) != Some(told)) {
        let expected = format!("the locations of {}", first.id);
        return Err(refuse(other, &expected, "others, or none"));
    }
    let checked = Locations::from_json(told).map(drop);
    checked.map_err(|failure| refuse(first, "locations", &failure.to_string()))?;
    let json: Value = serde_json::from_str(told).unwrap_or_default();
    let buckets = buckets(&stack.rules);
    let locations = json["locations"].as_object().into_iter().flatten();
    Ok(locations.map(|(name, config)| site(name, config, stack, &buckets)).collect())
}

fn told(function: &Function) -> Outcome<&String> {
    let told = function.variables.get(LOCATIONS_VARIABLE);
    told.ok_or_else(|| refuse(function, "the locations", "none"))
}

fn refuse(function: &Function, expected: &str, found: &str) -> CliError {
    let id = &function.id;
    CliError::usage(format!(
        "Resources.{id}.Properties.Environment.Variables.{LOCATIONS_VARIABLE}: expected {expected}, found {found}"
    ))
}

fn site(name: &str, config: &Value, stack: &Stack, buckets: &BTreeSet<(String, String)>) -> Site {
    let text = |field: &str| config[field].as_str().map(str::to_owned);
    let own = config.get("credentials").is_none();
    let buckets = buckets.iter().filter(|(location, _)| location == name);
    let buckets = buckets.map(|(_, bucket)| (bucket.clone(), own && stack.versioned.contains(bucket)));
    Site {
        name: name.to_owned(),
        region: text("region").unwrap_or_else(|| "us-east-1".to_owned()),
        owner: text("expected_bucket_owner").unwrap_or_else(|| stack.site.account.clone()),
        own,
        buckets: buckets.collect(),
        config: config.clone(),
    }
}

/// Locations and buckets that the rules' inputs name.
fn buckets(rules: &[Rule]) -> BTreeSet<(String, String)> {
    let transformers =
        rules.iter().flat_map(|rule| &rule.targets).filter_map(|one| one.input_transformer.as_ref());
    let inputs =
        transformers.filter_map(|one| serde_json::from_str::<Value>(&emptied(&one.input_template)).ok());
    let ends = inputs.flat_map(|mut input| [input["source"].take(), input["destination"].take()]);
    ends.filter_map(|end| {
        Some((
            end["location"].as_str()?.to_owned(),
            end["bucket"].as_str().filter(|name| !name.is_empty())?.to_owned(),
        ))
    })
    .collect()
}

/// A template of an input with nothing for its placeholders, so that it is JSON.
fn emptied(template: &str) -> String {
    let (mut out, mut inside, mut skipping, mut escaped) = (String::new(), false, false, false);
    for letter in template.chars() {
        match letter {
            '>' if skipping => skipping = false,
            _ if skipping => {}
            '<' => {
                skipping = true;
                out.push_str(if inside { "" } else { "null" });
            }
            _ => {
                inside ^= letter == '"' && !escaped;
                escaped = letter == '\\' && !escaped;
                out.push(letter);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::emptied;

    #[test]
    fn placeholders_are_taken_out_of_inputs() {
        let template = r#"{"a": <key>, "b": "x\"<key>", "c": "d"}"#;
        assert_eq!(emptied(template), r#"{"a": null, "b": "x\"", "c": "d"}"#);
    }
}
