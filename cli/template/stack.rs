//! What a template deploys, as far as it runs on one machine: functions, state machines, rules, buckets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eventbridge_local::{Rule, Target};
use serde_json::{Value, json};

use super::assets::{Assembly, bootstrap};
use super::node::{Node, Site, Template};
use super::resolve::filled;
use crate::exit::{CliError, Outcome};

/// A function of the template.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its logical id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its program.
    pub(crate) program: PathBuf,
    /// Whether that was unpacked.
    pub(crate) unpacked: bool,
    /// Its longest invocation.
    pub(crate) timeout: Duration,
    /// Its memory in MB.
    pub(crate) memory_mb: u32,
    /// Its reserved concurrency.
    pub(crate) reserved: Option<usize>,
    /// Its variables.
    pub(crate) variables: BTreeMap<String, String>,
}

/// Everything that runs here.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Where it would be deployed.
    pub(crate) site: Site,
    /// Its functions.
    pub(crate) functions: Vec<Function>,
    /// Bodies of CreateStateMachine, by logical id.
    pub(crate) machines: Vec<(String, Value)>,
    /// Its rules.
    pub(crate) rules: Vec<Rule>,
    /// Buckets that its functions read by version.
    pub(crate) versioned: Vec<String>,
    /// What does not run here: how many resources of which type.
    pub(crate) left_out: BTreeMap<String, usize>,
}

const FUNCTION: &str = "AWS::Lambda::Function";
const MACHINE: &str = "AWS::StepFunctions::StateMachine";
const RULE: &str = "AWS::Events::Rule";
const POLICY: &str = "AWS::IAM::Policy";
/// Made with the stack, or of no consequence on one machine: the results bucket is a folder.
const RUN: [&str; 4] = [FUNCTION, MACHINE, RULE, "AWS::S3::Bucket"];

/// Properties without a meaning on one machine: who may, where logs and traces go, which network.
const OF_FUNCTIONS: [&str; 9] = [
    "Description",
    "LoggingConfig",
    "TracingConfig",
    "Role",
    "Tags",
    "VpcConfig",
    "Handler",
    "Runtime",
    "KmsKeyArn",
];
const OF_MACHINES: [&str; 1] = ["StateMachineType"];

impl Stack {
    /// Reads a template and what lies beside it; programs of zips are unpacked below the folder.
    ///
    /// # Errors
    /// With resource and property, for anything that would run otherwise than it is written.
    pub(crate) fn read(file: &Path, folder: &Path) -> Outcome<Self> {
        let assembly = Assembly::of(file)?;
        let text = std::fs::read_to_string(file)
            .map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?;
        let template = Template::parse(file, &text, assembly.site()?)?;
        let functions = template.of_type(FUNCTION)?;
        let functions = functions.iter().map(|(id, node)| function(id, node, &assembly, folder));
        let machines = template.of_type(MACHINE)?;
        let machines =
            machines.iter().map(|(id, node)| Ok(((*id).to_owned(), machine(id, node, &assembly)?)));
        let rules = template.of_type(RULE)?.into_iter().filter(|(_, node)| !is_schedule(node));
        Ok(Self {
            functions: functions.collect::<Outcome<_>>()?,
            machines: machines.collect::<Outcome<_>>()?,
            rules: rules.map(|(id, node)| rule(id, &node)).collect::<Outcome<_>>()?,
            versioned: versioned(&template)?,
            left_out: left_out(&template),
            site: template.site,
        })
    }
}

fn left_out(template: &Template) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for (_, kind) in template.types().filter(|(_, kind)| !RUN.contains(kind)) {
        *all.entry(kind.to_owned()).or_default() += 1;
    }
    let rules = template.of_type(RULE).unwrap_or_default();
    let schedules = rules.iter().filter(|(_, node)| is_schedule(node)).count();
    if schedules > 0 {
        all.insert(format!("{RULE} (schedules)"), schedules);
    }
    all
}

/// Whether a rule is of times. Nothing here starts by itself but what events ask for.
fn is_schedule(node: &Node<'_>) -> bool {
    node.member("ScheduleExpression").is_some()
}

fn function(id: &str, node: &Node<'_>, assembly: &Assembly, folder: &Path) -> Outcome<Function> {
    let run = ["Architectures", "Code", "Environment", "FunctionName", "MemorySize"];
    node.only(&[&run, &["ReservedConcurrentExecutions", "Timeout"], &OF_FUNCTIONS])?;
    let runtime = node.need("Runtime")?;
    if !runtime.text()?.starts_with("provided.") {
        return Err(runtime.refuse("provided.al2023 (a bootstrap of its own)"));
    }
    let asset = assembly.asset(&node.need("Code")?.need("S3Key")?)?;
    let number = |name: &str, usual: u32| node.member(name).map_or(Ok(usual), |one| one.number());
    let variables: Outcome<BTreeMap<_, _>> =
        match node.member("Environment").and_then(|all| all.member("Variables")) {
            Some(all) => {
                all.members()?.into_iter().map(|(name, one)| Ok((name.to_owned(), one.text()?))).collect()
            }
            None => Ok(BTreeMap::new()),
        };
    Ok(Function {
        id: id.to_owned(),
        name: node.name_of(id, &node.template.resource(id).unwrap_or_else(|| node.clone()), 32)?,
        unpacked: !asset.is_dir(),
        program: bootstrap(&asset, &folder.join(id), node)?,
        // Lambda's defaults: 3 s, 128 MB.
        timeout: Duration::from_secs(number("Timeout", 3)?.into()),
        memory_mb: number("MemorySize", 128)?,
        reserved: node.member("ReservedConcurrentExecutions").map(|one| one.number()).transpose()?,
        variables: variables?,
    })
}

/// The body of CreateStateMachine.
fn machine(id: &str, node: &Node<'_>, assembly: &Assembly) -> Outcome<Value> {
    let run = [
        "DefinitionString",
        "DefinitionS3Location",
        "DefinitionSubstitutions",
        "RoleArn",
        "StateMachineName",
    ];
    node.only(&[&run, &["Tags", "LoggingConfiguration", "TracingConfiguration"], &OF_MACHINES])?;
    if let Some(kind) = node.member("StateMachineType").filter(|kind| kind.value != "STANDARD") {
        return Err(kind.refuse("STANDARD"));
    }
    let name =
        node.attribute_of(id, if node.member("StateMachineName").is_some() { "Name" } else { "Arn" }, 32)?;
    let tags = node.member("Tags").map(|tags| tags.json()).transpose()?.unwrap_or_else(|| json!([]));
    let tags: Vec<Value> = tags
        .as_array()
        .into_iter()
        .flatten()
        .map(|tag| json!({"key": tag["Key"], "value": tag["Value"]}))
        .collect();
    Ok(json!({
        "name": name.rsplit(':').next(),
        "definition": definition(node, assembly)?,
        "roleArn": node.need("RoleArn")?.text()?,
        "tags": tags,
    }))
}

fn definition(node: &Node<'_>, assembly: &Assembly) -> Outcome<String> {
    let (at, text) = match (node.member("DefinitionString"), node.member("DefinitionS3Location")) {
        (Some(text), None) => (text.clone(), text.text()?),
        (None, Some(place)) => {
            let path = assembly.asset(&place.need("Key")?)?;
            let read = std::fs::read_to_string(&path);
            (place, read.map_err(|error| CliError::usage(format!("{}: {error}", path.display())))?)
        }
        _ => return Err(node.refuse("either DefinitionString or DefinitionS3Location")),
    };
    let given = node.member("DefinitionSubstitutions");
    filled(&text, |name| match given.as_ref().and_then(|given| given.member(name)) {
        Some(value) => value.text(),
        None => Err(at.refuse_found(
            "a value for each placeholder in DefinitionSubstitutions",
            &format!("none for {name}"),
        )),
    })
}

fn rule(id: &str, node: &Node<'_>) -> Outcome<Rule> {
    node.only(&[&["Description", "EventPattern", "Name", "State", "Targets"]])?;
    let text = |name: &str| node.member(name).map(|one| one.text()).transpose();
    let site = &node.template.site;
    let made: String = format!("{}-{id}", site.stack).chars().take(64).collect();
    Ok(Rule {
        name: text("Name")?.unwrap_or(made),
        description: text("Description")?,
        event_pattern: node.need("EventPattern")?.json()?,
        state: text("State")?,
        targets: node.need("Targets")?.items()?.iter().map(target).collect::<Outcome<_>>()?,
    })
}

/// Delivery is tried until the engine has it: there are no dead letters.
fn target(node: &Node<'_>) -> Outcome<Target> {
    let delivery = ["DeadLetterConfig", "RetryPolicy"];
    node.only(&[&["Arn", "Id", "Input", "InputPath", "InputTransformer", "RoleArn"], &delivery])?;
    let text = |name: &str| node.member(name).map(|one| one.text()).transpose();
    let arn = node.need("Arn")?;
    if !arn.text()?.contains(":stateMachine:") {
        return Err(arn.refuse("a state machine of this template"));
    }
    let transformer = node.member("InputTransformer").map(|one| (one.json(), one));
    let transformer = transformer.map(|(json, one)| {
        serde_json::from_value(json?)
            .map_err(|error| one.refuse_found("InputPathsMap and InputTemplate", &error.to_string()))
    });
    Ok(Target {
        id: node.need("Id")?.text()?,
        arn: arn.text()?,
        role_arn: text("RoleArn")?,
        input: text("Input")?,
        input_path: text("InputPath")?,
        input_transformer: transformer.transpose()?,
    })
}

/// Buckets that keep versions: the template allows reading those of their objects, and says so nowhere else.
fn versioned(template: &Template) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for (_, policy) in template.of_type(POLICY)? {
        for statement in policy.need("PolicyDocument")?.need("Statement")?.items()? {
            let (actions, resource) = (statement.need("Action")?, statement.need("Resource")?);
            if actions.value.to_string().contains("\"s3:GetObjectVersion\"") {
                let resources = if resource.value.is_array() { resource.items()? } else { vec![resource] };
                let arns: Vec<String> = resources.iter().map(Node::text).collect::<Outcome<_>>()?;
                let bucket = |arn: &String| Some(arn.split_once(":s3:::")?.1.split('/').next()?.to_owned());
                found.extend(arns.iter().filter_map(bucket));
            }
        }
    }
    Ok(found)
}
