//! What is deployed: the stack, its machines, their functions' locations, and the rules that start them.

use serde_json::{Map, Value, json};
use transload_store::account::{Account, Service};
use transload_store::location::{CredentialsConfig, Locations};

use super::config;
use super::finding::Finding;
use super::setup::{End, Route, Setup, Spot};
use crate::deployed::Deployed;
use crate::exit::{CliError, Outcome};
use crate::stack;

/// What was read, and what was found on the way.
pub(crate) struct Deployment {
    /// What is looked at further.
    pub(crate) setup: Setup,
    /// Of stack, machines, functions and rules.
    pub(crate) findings: Vec<Finding>,
}

/// Reads a deployed stack.
///
/// # Errors
/// If there is none, or its machines or its functions can not be read: then there is nothing to look at.
pub(crate) async fn read(name: &str) -> Outcome<Deployment> {
    let deployed = Deployed::open(name).await?;
    let machine = deployed.describe_machine().await?;
    let bucket_machine = deployed.describe_bucket_machine().await?;
    let region = deployed.machine_arn().split(':').nth(3).unwrap_or_default().to_owned();
    let account =
        Account::of_process(Some(&region)).await.map_err(|error| CliError::usage(error.to_string()))?;
    let account = account.ok_or_else(|| CliError::usage("--stack: expected a Region, found none"))?;
    let mut findings = vec![stack_state(&account, name).await, machine_state(&machine)];
    findings.extend(bucket_machine_states(bucket_machine.as_ref(), deployed.machine_arn()));
    let machines: Vec<&Value> = [&machine].into_iter().chain(&bucket_machine).collect();
    let (locations, states) = functions(&account, &machines).await?;
    findings.extend(states);
    let spots = locations.locations.into_iter().map(|(name, location)| {
        let own_role = location.credentials == CredentialsConfig::Default;
        (name, Spot { location, own_role, buckets: [].into() })
    });
    let locations = spots.collect();
    let (routes, rules) = routes(&account, &deployed.machine_arns()).await;
    findings.extend(rules);
    let setup = Setup { locations, routes, region: Some(region), account: None, deployed: true };
    Ok(Deployment { setup, findings })
}

async fn stack_state(account: &Account, name: &str) -> Finding {
    if name.contains(':') {
        return Finding::skipped("stack", "state", "not asked for by its name");
    }
    match stack::describe(account, name).await {
        Ok(found) => judge_stack(name, &found.status),
        Err(refused) if refused.is_denied() => {
            Finding::unknown(name, "stack", "cloudformation:DescribeStacks")
        }
        Err(refused) => Finding::warning(name, "stack", format!("unknown: {refused}")),
    }
}

fn judge_stack(name: &str, status: &str) -> Finding {
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Finding::ok(name, "stack", status),
        "UPDATE_ROLLBACK_COMPLETE" => Finding::warning(name, "stack", status)
            .advice("the last update did not come about; what was there before is at work"),
        status if status.ends_with("_IN_PROGRESS") => Finding::warning(name, "stack", status)
            .advice("it is being changed: look again when that is over"),
        status => Finding::wrong(name, "stack", status)
            .expected("CREATE_COMPLETE or UPDATE_COMPLETE")
            .advice(format!("aws cloudformation describe-stack-events --stack-name {name} says what failed")),
    }
}

fn machine_state(machine: &Value) -> Finding {
    let name = machine["name"].as_str().unwrap_or("machine");
    match machine["status"].as_str() {
        Some("DELETING") => {
            Finding::wrong(name, "machine", "DELETING").expected("ACTIVE").advice("deploy again")
        }
        // Engines other than AWS may leave it out.
        status => Finding::ok(name, "machine", status.unwrap_or("there")),
    }
}

/// Of the machine that moves many objects: it is there, and large objects go by the machine that moves one.
fn bucket_machine_states(machine: Option<&Value>, object_machine: &str) -> Vec<Finding> {
    let Some(machine) = machine else {
        let missing = Finding::warning("machine", "machine", "none that moves many objects");
        return vec![missing.advice("deploy this release: sync, plan and schedules need it")];
    };
    let mut findings = vec![machine_state(machine)];
    let definition = machine["definition"].as_str().unwrap_or_default();
    // An ARN that begins with this one is another machine's.
    let starts_it = definition.split(object_machine).skip(1).any(|rest| rest.starts_with('"'));
    if !starts_it {
        let name = machine["name"].as_str().unwrap_or("machine");
        findings.push(
            Finding::wrong(name, "large objects", "its definition does not start that machine")
                .expected(object_machine.to_owned())
                .advice("deploy both from one release"),
        );
    }
    findings
}

/// Names of the Lambda functions that a definition invokes.
fn function_names(definition: &str) -> Vec<String> {
    let mut names: Vec<String> = definition
        .split(":function:")
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .next()
                .unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The locations that the functions are told, and the functions' states.
async fn functions(account: &Account, machines: &[&Value]) -> Outcome<(Locations, Vec<Finding>)> {
    let definitions: Vec<&str> =
        machines.iter().filter_map(|machine| machine["definition"].as_str()).collect();
    let names = function_names(&definitions.join("\n"));
    let (mut told, mut findings) = (None, Vec::new());
    for name in &names {
        let path = format!("/2015-03-31/functions/{name}/configuration");
        let answer = account.get(Service::Functions, "lambda:GetFunctionConfiguration", &path).await;
        let configuration = answer.map_err(|refused| CliError::trouble(name, refused))?;
        findings.extend(function_state(name, &configuration));
        told = told.or_else(|| {
            configuration
                .pointer("/Environment/Variables/TRANSLOAD_LOCATIONS")
                .and_then(Value::as_str)
                .map(str::to_owned)
        });
    }
    if findings.is_empty() {
        findings.push(Finding::ok("functions", "state", format!("{} active", names.len())));
    }
    let told = told.ok_or_else(|| {
        CliError::trouble(
            "TRANSLOAD_LOCATIONS",
            "none of the machines' functions has it: is it a machine of transload?",
        )
    })?;
    let locations = Locations::from_json(&told);
    Ok((locations.map_err(|failure| CliError::trouble("TRANSLOAD_LOCATIONS", failure))?, findings))
}

fn function_state(name: &str, configuration: &Value) -> Option<Finding> {
    let text = |field: &str| configuration[field].as_str().unwrap_or_default();
    if text("State") == "Failed" || text("LastUpdateStatus") == "Failed" {
        let why = [text("StateReason"), text("LastUpdateStatusReason")].concat();
        return Some(Finding::wrong(name, "state", "Failed").expected("Active").advice(why));
    }
    (text("State") == "Pending" || text("LastUpdateStatus") == "InProgress")
        .then(|| Finding::warning(name, "state", "being changed").advice("look again when that is over"))
}

/// The rules that start the machines. Who may not read rules gets no routes, and is told.
async fn routes(account: &Account, machines: &[String]) -> (Vec<Route>, Vec<Finding>) {
    let (mut routes, mut findings) = (Vec::<Route>::new(), Vec::new());
    let mut none = true;
    for machine in machines {
        let names = match rule_names(account, machine).await {
            Ok(names) => names,
            Err(refused) if refused.is_denied() => {
                let unknown = Finding::unknown("routes", "rules", "events:ListRuleNamesByTarget");
                return (Vec::new(), vec![unknown]);
            }
            Err(refused) => {
                return (
                    Vec::new(),
                    vec![Finding::warning("routes", "rules", format!("unknown: {refused}"))],
                );
            }
        };
        none &= names.is_empty();
        for name in &names {
            match rule(account, name, machine).await {
                Ok((route, state)) => {
                    findings.push(state);
                    // A route with events and a schedule has two rules.
                    routes.extend(route.filter(|found| routes.iter().all(|known| known.name != found.name)));
                }
                Err(refused) => findings.push(Finding::warning(name, "rule", format!("unknown: {refused}"))),
            }
        }
    }
    if none {
        findings.push(Finding::warning("routes", "rules", "none: nothing starts by itself"));
    }
    (routes, findings)
}

type Asked<T> = Result<T, transload_store::account::Refused>;

async fn rule_names(account: &Account, machine: &str) -> Asked<Vec<String>> {
    let (mut names, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut body = json!({"TargetArn": machine});
        if !token.is_null() {
            body["NextToken"] = token;
        }
        let page = account.json(Service::Events, "AWSEvents.ListRuleNamesByTarget", &body).await?;
        let found = page["RuleNames"].as_array().into_iter().flatten();
        names.extend(found.filter_map(|name| name.as_str().map(ToOwned::to_owned)));
        token = page["NextToken"].clone();
        if token.is_null() {
            return Ok(names);
        }
    }
}

async fn rule(account: &Account, name: &str, machine: &str) -> Asked<(Option<Route>, Finding)> {
    let rule = account.json(Service::Events, "AWSEvents.DescribeRule", &json!({"Name": name})).await?;
    let targets =
        account.json(Service::Events, "AWSEvents.ListTargetsByRule", &json!({"Rule": name})).await?;
    let target = targets["Targets"].as_array().into_iter().flatten().find(|target| target["Arn"] == machine);
    let template = target.and_then(|target| target.pointer("/InputTransformer/InputTemplate")?.as_str());
    let constant = target.and_then(|target| target["Input"].as_str());
    let route = template
        .and_then(|template| route_of_events(name, &rule, template))
        .or_else(|| constant.and_then(|input| route_of_times(name, input)));
    let enabled = rule["State"].as_str().is_none_or(|state| state.starts_with("ENABLED"));
    let finding = match (enabled, &route) {
        (false, _) => Finding::wrong(name, "rule", "DISABLED")
            .expected("ENABLED")
            .advice(format!("somebody switched the route off: aws events enable-rule --name {name}")),
        (true, Some(route)) => Finding::ok(name, "rule", format!("route {}", route.name)),
        (true, None) => Finding::warning(name, "rule", "starts the machine with an input of its own"),
    };
    Ok((route, finding))
}

/// A route, of the events that its rule matches and what it makes of them.
fn route_of_events(rule_name: &str, rule: &Value, template: &str) -> Option<Route> {
    let input: Value = serde_json::from_str(&filled(template)).ok()?;
    let pattern: Value = serde_json::from_str(rule["EventPattern"].as_str()?).ok()?;
    let prefix = pattern.pointer("/detail/object/key/0/prefix").and_then(Value::as_str).unwrap_or_default();
    let ignored = pattern.pointer("/detail/object/key/0/anything-but/wildcard").and_then(Value::as_array);
    let ignored = ignored.into_iter().flatten().filter_map(Value::as_str);
    let route = route(rule_name, &input, |_| Some(prefix.to_owned()))?;
    let ignore = ignored.map(|key| format!("{}/{key}", route.source.bucket)).collect();
    Some(Route { ignore, events: true, ..route })
}

/// A route, of the request that its schedule makes.
fn route_of_times(rule_name: &str, input: &str) -> Option<Route> {
    let input: Value = serde_json::from_str(input).ok()?;
    route(rule_name, &input, |end| end["prefix"].as_str().map(ToOwned::to_owned))
}

/// A route that no event starts, of a request.
fn route(rule_name: &str, input: &Value, prefix: impl Fn(&Value) -> Option<String>) -> Option<Route> {
    let end = |name: &str| {
        let end = &input[name];
        let text = |field: &str| end[field].as_str().map(ToOwned::to_owned);
        let prefix = prefix(end).unwrap_or_default();
        Some(End { location: text("location")?, bucket: text("bucket")?, prefix })
    };
    let none = Map::new();
    let options = input["options"].as_object().unwrap_or(&none);
    Some(Route {
        name: input["route"].as_str().unwrap_or(rule_name).to_owned(),
        ignore: Vec::new(),
        tags: config::tags(options),
        source: end("source")?,
        destination: end("destination")?,
        events: false,
    })
}

/// A template with a text for each `<variable>`, so that it is JSON.
fn filled(template: &str) -> String {
    let (mut out, mut quoted, mut rest) = (String::new(), false, template);
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '<' if !quoted => {
                rest = rest.split_once('>').map_or("", |(_, after)| after);
                out.push_str("\"\"");
            }
            '\\' if quoted => {
                out.push(letter);
                if let Some(escaped) = rest.chars().next() {
                    out.push(escaped);
                    rest = &rest[escaped.len_utf8()..];
                }
            }
            _ => {
                quoted ^= letter == '"';
                out.push(letter);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn functions_are_found_in_a_definition() {
        let definition = r#"{"A": {"Resource": "arn:aws:lambda:eu-west-1:123456789012:function:stack-Head1-a_b"},
                             "B": {"Arguments": {"FunctionName": "arn:aws:lambda:eu-west-1:1:function:stack-Part:2"}},
                             "C": {"Resource": "arn:aws:lambda:eu-west-1:123456789012:function:stack-Head1-a_b"}}"#;
        assert_eq!(function_names(definition), ["stack-Head1-a_b", "stack-Part"]);
    }

    #[test]
    fn a_route_is_read_from_its_rule() {
        let template = r#"{"source":{"location":"global","bucket":"photos","key":<detail-object-key>},"destination":{"location":"china","bucket":"photos-cn","key":<detail-object-key>},"options":{"copyTags":false},"route":"a \"<b>\""}"#;
        let pattern = r#"{"source":["aws.s3"],"detail":{"bucket":{"name":["photos"]},"object":{"key":[{"prefix":"2026/"}]}}}"#;
        let route = route_of_events("rule", &json!({"EventPattern": pattern}), template).unwrap();
        assert_eq!((route.name.as_str(), route.tags, route.events), ("a \"<b>\"", false, true));
        assert_eq!((route.source.prefix.as_str(), route.destination.bucket.as_str()), ("2026/", "photos-cn"));
        let ignoring = r#"{"detail":{"object":{"key":[{"anything-but":{"wildcard":["*.jpg"]}}]}}}"#;
        let route = route_of_events("rule", &json!({"EventPattern": ignoring}), template).unwrap();
        assert_eq!(route.ignore, ["photos/*.jpg"]);
    }

    #[test]
    fn a_route_is_read_from_its_schedule() {
        let input = r#"{"source":{"location":"global","bucket":"photos","prefix":"2026/"},"destination":{"location":"china","bucket":"photos-cn","prefix":"in/"},"sync":{},"route":"nightly"}"#;
        let route = route_of_times("rule", input).unwrap();
        assert_eq!((route.name.as_str(), route.tags, route.events), ("nightly", true, false));
        assert_eq!((route.source.prefix.as_str(), route.destination.prefix.as_str()), ("2026/", "in/"));
        assert!(route_of_times("rule", r#"{"source":"photos"}"#).is_none());
    }

    #[test]
    fn a_machine_for_many_objects_has_to_start_that_of_one() {
        let one = "arn:aws:states:us-east-1:1:stateMachine:moves-object";
        let many = |starts: &str| json!({"name": "moves-bucket", "definition": json!({"StateMachineArn": starts}).to_string()});
        let verdicts = |machine: Option<&Value>| {
            bucket_machine_states(machine, one).into_iter().map(|found| found.verdict).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(None), [Verdict::Warning]);
        assert_eq!(verdicts(Some(&many(one))), [Verdict::Ok]);
        assert_eq!(verdicts(Some(&many(&format!("{one}-old")))), [Verdict::Ok, Verdict::Wrong]);
    }

    #[test]
    fn states_are_told() {
        for (status, verdict) in [
            ("UPDATE_COMPLETE", Verdict::Ok),
            ("UPDATE_ROLLBACK_COMPLETE", Verdict::Warning),
            ("UPDATE_IN_PROGRESS", Verdict::Warning),
            ("ROLLBACK_COMPLETE", Verdict::Wrong),
            ("UPDATE_ROLLBACK_FAILED", Verdict::Wrong),
        ] {
            assert_eq!(judge_stack("s", status).verdict, verdict, "{status}");
        }
        assert_eq!(machine_state(&json!({"status": "DELETING"})).verdict, Verdict::Wrong);
        assert!(function_state("f", &json!({"State": "Active", "LastUpdateStatus": "Successful"})).is_none());
        let failed = function_state("f", &json!({"State": "Active", "LastUpdateStatus": "Failed"}));
        assert_eq!(failed.unwrap().verdict, Verdict::Wrong);
    }
}
