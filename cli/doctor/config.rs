//! A deployment's config file, as `cdk deploy` takes it: its locations in the functions' own form, and its routes. The app
//! itself checks more of it; what is read here is refused with the field's name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use transload_store::location::Location;
use transload_wire::{LocationName, SyncOptions};

use super::setup::{Declared, End, Route, Setup, Spot};

/// Names of the config and of the functions' locations, where they differ by more than their case.
const CREDENTIALS: [(&str, &str); 3] =
    [("externalId", "external_id"), ("webIdentity", "web_identity"), ("kmsKeyArn", "")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    locations: BTreeMap<LocationName, ConfigLocation>,
    routes: Vec<ConfigRoute>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default, rename = "stackName")]
    _stack_name: IgnoredAny,
    #[serde(default, rename = "alarmEmails")]
    _alarm_emails: IgnoredAny,
    #[serde(default, rename = "architecture")]
    _architecture: IgnoredAny,
    #[serde(default, rename = "code")]
    _code: IgnoredAny,
    #[serde(default, rename = "definitions")]
    _definitions: IgnoredAny,
    #[serde(default, rename = "memory")]
    _memory: IgnoredAny,
    #[serde(default, rename = "reservedConcurrency")]
    _reserved_concurrency: IgnoredAny,
    #[serde(default, rename = "resultsRetentionDays")]
    _results_retention_days: IgnoredAny,
    #[serde(default, rename = "network")]
    _network: IgnoredAny,
    #[serde(default, rename = "browse")]
    _browse: IgnoredAny,
    #[serde(default, rename = "https")]
    _https: IgnoredAny,
    #[serde(default, rename = "logRetentionDays")]
    _log_retention_days: IgnoredAny,
    #[serde(default, rename = "retain")]
    _retain: IgnoredAny,
}

#[derive(Deserialize)]
struct ConfigLocation {
    #[serde(default)]
    buckets: Vec<ConfigBucket>,
    /// The rest, which goes to the functions.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigBucket {
    name: String,
    #[serde(default)]
    versions: bool,
    #[serde(default)]
    kms_key_arns: Vec<String>,
    #[serde(default, rename = "prefixes")]
    _prefixes: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigRoute {
    name: String,
    source: ConfigEnd,
    destination: ConfigEnd,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    events: Option<Vec<String>>,
    #[serde(default)]
    options: Map<String, Value>,
    #[serde(default, rename = "retryAttempts")]
    _retry_attempts: IgnoredAny,
    #[serde(default, rename = "maxEventAgeHours")]
    _max_event_age_hours: IgnoredAny,
    #[serde(default)]
    schedule: Option<String>,
    #[serde(default)]
    sync: Option<Value>,
    #[serde(default)]
    notifications: bool,
    #[serde(default)]
    manifests: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigEnd {
    location: String,
    bucket: String,
    #[serde(default)]
    prefix: Option<String>,
}

/// Reads a config.
///
/// # Errors
/// The field, and what is wrong with it. Texts are not quoted: one might be a key.
pub(crate) fn read(text: &str) -> Result<Setup, String> {
    let config: Config = transload_wire::parse(text.as_bytes()).map_err(|failure| failure.message)?;
    let mut locations = BTreeMap::new();
    for (name, location) in config.locations {
        if location.rest.contains_key("files") {
            return Err(format!(
                "locations.{name}.files: expected a store, found a file system, which can be looked at only where it is \
                 mounted; leave it and its routes out here"
            ));
        }
        let own_role = !location.rest.contains_key("credentials");
        let buckets = location
            .buckets
            .into_iter()
            .map(|bucket| (bucket.name, Declared { versions: bucket.versions, keys: bucket.kms_key_arns }));
        let buckets = buckets.collect();
        let location = functions_own(&name, location.rest, config.region.as_deref())?;
        locations.insert(name, Spot { location, own_role, buckets });
    }
    let routes = config.routes.into_iter().map(route).collect::<Result<_, _>>()?;
    let Config { region, account, .. } = config;
    Ok(Setup { locations, routes, region, account, deployed: true })
}

/// In the form that the functions read.
fn functions_own(
    name: &LocationName,
    rest: Map<String, Value>,
    region: Option<&str>,
) -> Result<Location, String> {
    let mut location = json!({"kind": "s3"});
    for (field, value) in rest {
        location[snake(&field)] = if field == "credentials" { credentials(value) } else { value };
    }
    let endpoint = location.get("endpoint").is_some();
    if let (false, None, Some(region)) = (endpoint, location.get("region"), region) {
        location["region"] = json!(region);
    }
    let text = location.to_string();
    let location: Location = transload_wire::parse(text.as_bytes())
        .map_err(|failure| format!("locations.{name}.{}", failure.message))?;
    location.settings(name.as_str()).map_err(|failure| format!("locations.{name}.{}", failure.message))?;
    Ok(location)
}

fn credentials(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let renamed = fields.into_iter().filter_map(|(field, value)| {
        let to = CREDENTIALS.iter().find(|(from, _)| *from == field).map_or(field.as_str(), |(_, to)| to);
        (!to.is_empty()).then(|| (to.to_owned(), value))
    });
    Value::Object(renamed.collect())
}

fn snake(field: &str) -> String {
    let mut name = String::new();
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn route(route: ConfigRoute) -> Result<Route, String> {
    compared(&route).map_err(|what| format!("routes.{}.{what}", route.name))?;
    let prefix = route.source.prefix.clone().unwrap_or_default();
    let end = |end: ConfigEnd| End {
        location: end.location,
        bucket: end.bucket,
        prefix: end.prefix.unwrap_or_else(|| prefix.clone()),
    };
    Ok(Route {
        events: route.notifications || route.events.is_none_or(|events| !events.is_empty()),
        tags: tags(&route.options),
        source: end(route.source),
        destination: end(route.destination),
        ignore: route.ignore,
        name: route.name,
    })
}

/// Whether the ends can be compared as it is written: as the functions will read it.
fn compared(route: &ConfigRoute) -> Result<(), String> {
    if route.schedule.as_deref().is_some_and(|schedule| !is_schedule(schedule)) {
        return Err(
            "schedule: expected rate(1 hour), rate(15 minutes), or cron(...) with six fields in UTC, \
                    found another text"
                .to_owned(),
        );
    }
    if route.manifests && route.schedule.is_none() && route.sync.is_none() {
        return Err("manifests: expected sync or a schedule beside it, found neither".to_owned());
    }
    let Some(sync) = &route.sync else { return Ok(()) };
    let sync = transload_wire::parse::<SyncOptions>(sync.to_string().as_bytes());
    let sync = sync.map_err(|failure| format!("sync.{}", failure.message))?;
    sync.check().map_err(|failure| failure.message)
}

/// As EventBridge writes times: a rate is of one unit or of several, a time has six fields.
fn is_schedule(text: &str) -> bool {
    let within = |kind: &str| text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(fields) = within("cron") {
        return fields.split(' ').filter(|field| !field.is_empty()).count() == 6;
    }
    let Some((number, unit)) = within("rate").and_then(|rate| rate.split_once(' ')) else { return false };
    let units: &[&str] = match number.parse::<u32>() {
        Ok(1) => &["minute", "hour", "day"],
        Ok(2..) => &["minutes", "hours", "days"],
        _ => &[],
    };
    units.contains(&unit)
}

/// Whether the source's tags are read: not where they are left, and not where others replace them.
pub(crate) fn tags(options: &Map<String, Value>) -> bool {
    options.get("copyTags").and_then(Value::as_bool).unwrap_or(true) && !options.contains_key("tags")
}

#[cfg(test)]
mod tests {
    use transload_store::location::{CredentialsConfig, Issuer};

    use super::read;

    const EXAMPLE: &str = include_str!("../../cdk/transload.example.json");

    #[test]
    fn the_example_of_the_app_is_read() {
        let setup = read(EXAMPLE).unwrap();
        assert_eq!(setup.region.as_deref(), Some("eu-west-1"));
        let china = &setup.locations[&"china".parse().unwrap()];
        let secret = CredentialsConfig::Issued(Issuer::Secret("transload/china".to_owned()));
        assert_eq!((&china.location.credentials, china.own_role), (&secret, false));
        let global = &setup.locations[&"global".parse().unwrap()];
        assert!(global.own_role && global.buckets["photos"].versions);
        let [route] = &setup.routes[..] else { panic!("one route") };
        assert!(route.events && route.tags);
        assert_eq!((route.source.prefix.as_str(), route.destination.prefix.as_str()), ("2026/", "2026/"));
    }

    #[test]
    fn every_way_to_credentials_is_read() {
        let with = |credentials: &str| {
            let text = format!(
                r#"{{"locations": {{"a": {{"region": "cn-north-1", "pathStyle": true, "credentials": {credentials}}}}}, "routes": []}}"#
            );
            read(&text).map(|setup| setup.locations[&"a".parse().unwrap()].location.clone())
        };
        let role =
            with(r#"{"role": "arn:aws-cn:iam::123456789012:role/a", "externalId": "for-us"}"#).unwrap();
        assert!(
            role.path_style && matches!(role.credentials, CredentialsConfig::Issued(Issuer::Role { .. }))
        );
        let federated =
            r#"{"webIdentity": {"role": "arn:aws-cn:iam::123456789012:role/a", "audience": "x"}}"#;
        assert!(with(federated).is_ok());
        assert!(
            with(r#"{"parameter": "/a", "kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/a"}"#).is_ok()
        );
    }

    #[test]
    fn comparisons_and_queues_of_routes_are_judged() {
        let with = |more: &str| {
            let end =
                |bucket: &str, prefix: &str| format!(r#"{{"location": "a", "bucket": "{bucket}"{prefix}}}"#);
            let (from, to) = (end("from", r#", "prefix": "x/""#), end("into", r#", "prefix": "y/""#));
            read(&format!(
                r#"{{"locations": {{"a": {{"region": "eu-west-1"}}}}, "browse": {{}}, "https": {{}}, "routes": [
                    {{"name": "r", "source": {from}, "destination": {to}, "events": [], {more}}}]}}"#
            ))
            .map(|setup| setup.routes[0].clone())
        };
        let route = with(r#""schedule": "rate(1 hour)", "sync": {"compare": "checksum"}, "manifests": true"#);
        let route = route.unwrap();
        assert_eq!((route.events, &*route.source.prefix, &*route.destination.prefix), (false, "x/", "y/"));
        assert!(with(r#""notifications": true"#).unwrap().events, "a queue starts it");
        assert!(with(r#""schedule": "cron(0 3 * * ? *)""#).is_ok());
        for (more, words) in [
            (r#""schedule": "hourly""#, "routes.r.schedule: expected rate(1 hour)"),
            (r#""schedule": "rate(1 hours)""#, "routes.r.schedule"),
            (r#""schedule": "rate(0 minutes)""#, "routes.r.schedule"),
            (r#""schedule": "cron(0 * * * *)""#, "routes.r.schedule"),
            (r#""sync": {"compair": "size"}"#, "routes.r.sync.compair"),
            (r#""sync": {"compare": "colour"}"#, "routes.r.sync.compare"),
            (r#""sync": {"batchObjects": 0}"#, "routes.r.sync.batchObjects: expected"),
            (r#""manifests": true"#, "routes.r.manifests: expected sync or a schedule"),
        ] {
            let refused = with(more).unwrap_err();
            assert!(refused.contains(words), "{words}: {refused}");
        }
    }

    #[test]
    fn a_file_system_is_told_apart_from_a_store() {
        let found = read(r#"{"locations": {"efs": {"files": {}}}, "routes": []}"#).map(drop);
        let refused = found.unwrap_err();
        assert!(
            refused.starts_with("locations.efs.files: expected a store, found a file system"),
            "{refused}"
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, words) in [
            ("\"routes\"", "\"rotes\"", "rotes"),
            ("\"bucket\": \"photos\"", "\"buckett\": \"photos\"", "buckett"),
            (
                "\"partition\": \"aws-cn\"",
                "\"partition\": \"aws\"",
                "locations.china.region: expected a Region of partition aws",
            ),
            (
                "\"secret\": \"transload/china\"",
                "\"secrett\": \"transload/china\"",
                "locations.china.credentials",
            ),
        ] {
            let refused = read(&EXAMPLE.replacen(from, to, 1)).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
