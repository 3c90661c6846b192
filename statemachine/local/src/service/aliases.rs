//! Aliases: create, update, describe, delete, list; and the rules of their routing.
use super::params::{ARN, DESCRIPTION, NAME, Params};
use super::{Answer, page, paged, put};
use crate::api::ApiError;
use crate::arn;
use crate::engine::{Engine, Route};
use serde_json::{Value, json};

/// Versions that one alias may lead to.
const MAX_ROUTES: usize = 2;
const PATTERN: &str = r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$";

pub(super) async fn create(engine: &Engine, p: &Params) -> Answer {
    let name = p.required_text("name", NAME)?;
    let description = p.text("description", DESCRIPTION)?;
    p.required("routingConfiguration");
    let routing = routing(p)?.unwrap_or_default();
    check_name(p, &name);
    p.check()?;
    check(&routing)?;
    let alias = engine.create_alias(name, description, routing).await?;
    Ok(json!({"stateMachineAliasArn": alias.arn, "creationDate": alias.created}))
}

fn check_name(p: &Params, name: &str) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    // Digits alone would be a version's number.
    let told_apart = name.chars().any(|c| !c.is_ascii_digit());
    let allowed = name.chars().all(allowed) && told_apart;
    if !allowed && !name.is_empty() {
        p.violated(name, "name", &format!("satisfy regular expression pattern: {PATTERN}"));
    }
}

/// The routes of a request, their limits noted.
fn routing(p: &Params) -> Result<Option<Vec<Route>>, ApiError> {
    let Some(list) = p.list("routingConfiguration")? else { return Ok(None) };
    let mut routes = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        routes.push(route(p, index + 1, value)?);
    }
    let shown: Vec<String> = routes.iter().map(as_shown).collect();
    p.length(&format!("[{}]", shown.join(", ")), "routingConfiguration", routes.len(), (1, MAX_ROUTES));
    Ok(Some(routes))
}

fn as_shown(route: &Route) -> String {
    let Route { state_machine_version_arn: arn, weight } = route;
    format!("RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight={weight})")
}

fn route(p: &Params, number: usize, value: &Value) -> Result<Route, ApiError> {
    let inner = Params::new(value.clone())?;
    let at = |name: &str| format!("routingConfiguration.{number}.member.{name}");
    let arn = inner.text("stateMachineVersionArn", (0, usize::MAX))?;
    match &arn {
        None => p.violated("null", &at("stateMachineVersionArn"), "not be null"),
        Some(arn) => p.length(arn, &at("stateMachineVersionArn"), arn.chars().count(), ARN),
    }
    let weight = inner.whole("weight", i64::MIN, i64::MAX)?;
    match weight {
        None => p.violated("null", &at("weight"), "not be null"),
        Some(n) if n > 100 => {
            p.violated(&n.to_string(), &at("weight"), "have value less than or equal to 100")
        }
        Some(n) if n < 0 => {
            p.violated(&n.to_string(), &at("weight"), "have value greater than or equal to 0")
        }
        Some(_) => {}
    }
    Ok(Route { state_machine_version_arn: arn.unwrap_or_default(), weight: weight.unwrap_or_default() })
}

/// What a routing has to be as a whole, in the order in which the service looks.
fn check(routing: &[Route]) -> Result<(), ApiError> {
    let arns: Vec<&str> = routing.iter().map(|r| r.state_machine_version_arn.as_str()).collect();
    let received = format!("Received: [{}]", arns.join(", "));
    let (machines, numbers): (Vec<&str>, Vec<&str>) =
        arns.iter().map(|a| a.rsplit_once(':').unwrap_or((a, ""))).unzip();
    let version = |(machine, number): (&&str, &&str)| {
        arn::is(machine, "stateMachine")
            && machine.split(':').count() == 7
            && number.chars().all(|c| c.is_ascii_digit())
    };
    if !machines.iter().zip(&numbers).all(version) {
        return Err(ApiError::validation(format!(
            "Routing configuration must contain state machine version ARNs. {received}"
        )));
    }
    if machines.windows(2).any(|w| w[0] != w[1]) {
        return Err(ApiError::validation(format!(
            "Routing configuration must contain versions of the same state machine. {received}"
        )));
    }
    if numbers.windows(2).any(|w| w[0] == w[1]) {
        return Err(ApiError::validation(format!(
            "Routing configuration must contain distinct state machine version ARNs. {received}"
        )));
    }
    let weights: Vec<String> = routing.iter().map(|r| r.weight.to_string()).collect();
    match routing.iter().map(|r| r.weight).sum::<i64>() {
        100 => Ok(()),
        _ => Err(ApiError::validation(format!(
            "Sum of routing configuration weights must equal 100. Received: [{}]",
            weights.join(", ")
        ))),
    }
}

pub(super) async fn update(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineAliasArn", ARN)?;
    let description = p.text("description", DESCRIPTION)?;
    let routing = routing(p)?;
    p.check()?;
    if description.is_none() && routing.is_none() {
        let message = "Either the description or the routing configuration must be specified";
        return Err(ApiError::validation(message));
    }
    routing.as_deref().map(check).transpose()?;
    let own = |r: &Route| {
        r.state_machine_version_arn.rsplit_once(':').map(|(machine, _)| machine)
            == arn.rsplit_once(':').map(|(machine, _)| machine)
    };
    if routing.as_ref().is_some_and(|r| !r.iter().all(own)) {
        let message = "Routing configuration must contain versions of the alias's own state machine";
        return Err(ApiError::validation(message));
    }
    let updated = engine.update_alias(&arn, description, routing).await?;
    Ok(json!({"updateDate": updated}))
}

pub(super) async fn describe(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineAliasArn", ARN)?;
    p.check()?;
    let alias = engine.alias(&arn).await?;
    let mut answer = json!({"stateMachineAliasArn": alias.arn, "name": alias.name, "routingConfiguration": alias.routing,
        "creationDate": alias.created, "updateDate": alias.updated});
    put(&mut answer, "description", alias.description);
    Ok(answer)
}

pub(super) async fn delete(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineAliasArn", ARN)?;
    p.check()?;
    engine.delete_alias(&arn).await?;
    Ok(json!({}))
}

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineArn", ARN)?;
    let which = p.page()?;
    p.check()?;
    let all = engine.aliases(&arn).await?;
    let shown: Vec<Value> =
        all.into_iter().map(|a| json!({"stateMachineAliasArn": a.arn, "creationDate": a.created})).collect();
    page("stateMachineAliases", paged(shown, which)?)
}
