//! State machines: create, update, describe, delete, list.
use super::params::{ARN, DEFINITION, DESCRIPTION, NAME, Params};
use super::{Answer, logging, page, paged, put, references, tags, written};
use crate::api::{ApiError, CreateStateMachine, MachineType, StateMachineDescription};
use crate::arn;
use crate::engine::{Change, Engine, Publish, Settings};
use serde_json::{Value, json};

pub(super) async fn create(engine: &Engine, p: &Params) -> Answer {
    let name = p.required_text("name", NAME)?;
    let definition = p.required_text("definition", DEFINITION)?;
    let role_arn = p.required_text("roleArn", ARN)?;
    let kind = kind(p)?;
    let publish = publishing(p)?;
    let tags = tags::read(p)?.unwrap_or_default();
    p.check()?;
    if arn::bad_name(&name) {
        return Err(ApiError::new("InvalidName", format!("Invalid Name: '{name}'")));
    }
    check_role(&role_arn)?;
    described_only_if_published(&publish)?;
    let settings = logging::settings(p, &Settings::default())?.unwrap_or_default();
    let request = CreateStateMachine { name, definition, role_arn, kind };
    let (made, version) = engine.make_machine(request, settings, publish).await?;
    if !tags.is_empty() {
        engine.tag(&made.state_machine_arn, tags).await?;
    }
    let mut answer = written(&made)?;
    put(&mut answer, "stateMachineVersionArn", version.map(|v| v.arn));
    Ok(answer)
}

pub(super) fn kind(p: &Params) -> Result<MachineType, ApiError> {
    Ok(match p.choice("type", &["STANDARD", "EXPRESS"])? {
        Some("EXPRESS") => MachineType::Express,
        _ => MachineType::Standard,
    })
}

fn publishing(p: &Params) -> Result<Publish, ApiError> {
    let publish = p.flag("publish")?.unwrap_or(false);
    Ok(Publish { publish, description: p.text("versionDescription", DESCRIPTION)? })
}

fn described_only_if_published(publish: &Publish) -> Result<(), ApiError> {
    match publish.description.is_some() && !publish.publish {
        true => Err(ApiError::validation("Version description can only be set when publish is true")),
        false => Ok(()),
    }
}

/// A role is never assumed here, but what is no ARN would be refused deployed.
fn check_role(arn: &str) -> Result<(), ApiError> {
    match arn.starts_with("arn:") {
        true => Ok(()),
        false => Err(ApiError::arn(arn)),
    }
}

pub(super) async fn update(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineArn", ARN)?;
    let definition = p.text("definition", DEFINITION)?;
    let role = p.text("roleArn", ARN)?;
    let publish = publishing(p)?;
    p.check()?;
    role.as_deref().map(check_role).transpose()?;
    described_only_if_published(&publish)?;
    let before = engine.settings_of(&arn).await?;
    let settings = logging::settings(p, &before)?;
    let changed = engine.change_machine(&arn, Change { definition, role, settings, publish }).await?;
    let mut answer = json!({"updateDate": changed.update});
    put(&mut answer, "revisionId", changed.revision_id);
    put(&mut answer, "stateMachineVersionArn", changed.version.map(|v| v.arn));
    Ok(answer)
}

/// Whether the request is content with what is not secret.
pub(super) fn without_data(p: &Params) -> Result<bool, ApiError> {
    let included = p.choice("includedData", &["ALL_DATA", "METADATA_ONLY"])?;
    Ok(included == Some("METADATA_ONLY"))
}

pub(super) async fn describe(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineArn", ARN)?;
    let metadata = without_data(p)?;
    p.check()?;
    let shown = engine.show_machine(&arn).await?;
    let mut answer = described(&shown.description, &shown.settings, metadata)?;
    answer["status"] = json!("ACTIVE");
    answer["type"] = json!(shown.description.kind);
    answer["creationDate"] =
        json!(shown.version.as_ref().map_or(shown.description.creation_date, |v| v.created));
    put(&mut answer, "stateMachineArn", shown.version.as_ref().map(|v| &v.arn));
    put(&mut answer, "description", shown.version.as_ref().and_then(|v| v.description.as_ref()));
    put(&mut answer, "revisionId", shown.revision_id);
    Ok(answer)
}

fn described(machine: &StateMachineDescription, settings: &Settings, metadata: bool) -> Answer {
    let mut answer = written(settings)?;
    answer["stateMachineArn"] = json!(machine.state_machine_arn);
    answer["name"] = json!(machine.name);
    answer["roleArn"] = json!(machine.role_arn);
    // The member is required in an answer, so it is empty rather than absent.
    answer["definition"] = json!(if metadata { "{}" } else { machine.definition.as_str() });
    let found = references::of_definition(&machine.definition);
    if !metadata && !found.is_empty() {
        answer["variableReferences"] = json!(found);
    }
    Ok(answer)
}

pub(super) async fn describe_for_execution(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("executionArn", ARN)?;
    let metadata = without_data(p)?;
    p.check()?;
    let (machine, revision, map_run) = engine.machine_of_execution(&arn).await?;
    let mut answer = described(&machine, &revision.settings, metadata)?;
    answer["updateDate"] = json!(revision.created as f64 / 1000.0);
    put(&mut answer, "revisionId", revision.uuid);
    let label = machine.state_machine_arn.split_once('/').map(|(_, label)| label.to_owned());
    put(&mut answer, "label", label.filter(|_| map_run.is_some()));
    put(&mut answer, "mapRunArn", map_run);
    Ok(answer)
}

pub(super) async fn delete(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("stateMachineArn", ARN)?;
    p.check()?;
    engine.delete_machine(&arn).await?;
    Ok(json!({}))
}

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let which = p.page()?;
    p.check()?;
    let all: Vec<Value> =
        engine.list_state_machines().await?.iter().map(written).collect::<Result<_, _>>()?;
    page("stateMachines", paged(all, which)?)
}
