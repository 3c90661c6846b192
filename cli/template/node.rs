//! A place in a template: its value with references resolved, and its path for whoever is told that it is wrong.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use transload_store::location::Partition;

use crate::exit::{CliError, Outcome};

/// References that lead to references: more than this is a circle.
const DEEPEST: usize = 32;

/// Where a stack is, as the pseudo parameters tell it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The stack's name.
    pub(crate) stack: String,
    /// Its Region.
    pub(crate) region: String,
    /// Its account, 12 digits.
    pub(crate) account: String,
}

impl Site {
    /// The partition that the Region is of; the global one for a Region of none.
    pub(crate) fn partition(&self) -> &'static str {
        Partition::of_region(&self.region).unwrap_or(Partition::Aws).as_str()
    }

    /// An ARN of this account and Region.
    pub(crate) fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{rest}", self.partition(), self.region, self.account)
    }

    /// The value of `AWS::...`.
    pub(super) fn pseudo(&self, name: &str) -> Option<String> {
        Some(match name {
            "AWS::Partition" => self.partition().to_owned(),
            "AWS::Region" => self.region.clone(),
            "AWS::AccountId" => self.account.clone(),
            "AWS::StackName" => self.stack.clone(),
            "AWS::URLSuffix" if self.partition() == "aws-cn" => "amazonaws.com.cn".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => return None,
        })
    }
}

/// A synthesised template.
#[derive(Debug)]
pub(crate) struct Template {
    file: PathBuf,
    /// Where it is to be deployed.
    pub(crate) site: Site,
    resources: Map<String, Value>,
}

impl Template {
    /// Of a file's text.
    ///
    /// # Errors
    /// If it is no JSON, or has no resources.
    pub(crate) fn parse(file: &Path, text: &str, site: Site) -> Outcome<Self> {
        let refuse = |why: String| CliError::usage(format!("{}: {why}", file.display()));
        let mut json: Value = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        let Value::Object(resources) = json["Resources"].take() else {
            return Err(refuse("Resources: expected an object, found none".to_owned()));
        };
        Ok(Self { file: file.to_owned(), site, resources })
    }

    /// A resource by its logical id.
    pub(super) fn resource<'t>(&'t self, id: &str) -> Option<Node<'t>> {
        let value = self.resources.get(id)?;
        Some(Node { template: self, value, path: format!("Resources.{id}") })
    }

    /// Logical ids and types of all resources.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resources.iter().map(|(id, resource)| (id.as_str(), resource["Type"].as_str().unwrap_or("")))
    }

    /// The properties of all resources of a type, by logical id.
    ///
    /// # Errors
    /// If one has none, or is there only under a condition.
    pub(crate) fn of_type<'t>(&'t self, kind: &str) -> Outcome<Vec<(&'t str, Node<'t>)>> {
        let ids = self.types().filter(|(_, found)| *found == kind);
        ids.map(|(id, _)| Ok((id, self.properties(id)?))).collect()
    }

    fn properties<'t>(&'t self, id: &str) -> Outcome<Node<'t>> {
        let value = &self.resources[id];
        let node = Node { template: self, value, path: format!("Resources.{id}") };
        if let Some(condition) = node.member("Condition") {
            return Err(condition.refuse("no condition (none is evaluated here)"));
        }
        node.need("Properties")
    }

    pub(super) fn refusal(&self, path: &str, expected: &str, found: &str) -> CliError {
        CliError::usage(format!("{}: {path}: expected {expected}, found {found}", self.file.display()))
    }
}

/// A value in a template, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node<'t> {
    pub(super) template: &'t Template,
    pub(super) value: &'t Value,
    pub(super) path: String,
}

impl<'t> Node<'t> {
    /// An error about this value.
    pub(crate) fn refuse(&self, expected: &str) -> CliError {
        self.refuse_found(expected, &short(self.value))
    }

    /// An error about this value, with what was found in other words.
    pub(crate) fn refuse_found(&self, expected: &str, found: &str) -> CliError {
        self.template.refusal(&self.path, expected, found)
    }

    /// A member, if it is there.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name)?;
        Some(Self { template: self.template, value, path: format!("{}.{name}", self.path) })
    }

    /// A member that has to be there.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn need(&self, name: &str) -> Outcome<Self> {
        self.member(name).ok_or_else(|| {
            self.template.refusal(&format!("{}.{name}", self.path), "a value (it is needed here)", "none")
        })
    }

    /// The items of a list.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn items(&self) -> Outcome<Vec<Self>> {
        let list = self.value.as_array().ok_or_else(|| self.refuse("a list"))?;
        let item =
            |(index, value)| Self { template: self.template, value, path: format!("{}[{index}]", self.path) };
        Ok(list.iter().enumerate().map(item).collect())
    }

    /// Members of an object, by name.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn members(&self) -> Outcome<Vec<(&'t str, Self)>> {
        let map = self.value.as_object().ok_or_else(|| self.refuse("an object"))?;
        let member = |name: &'t String, value| Self {
            template: self.template,
            value,
            path: format!("{}.{name}", self.path),
        };
        Ok(map.iter().map(|(name, value)| (name.as_str(), member(name, value))).collect())
    }

    /// Refuses members of other names: what is not known here is not silently left out.
    ///
    /// # Errors
    /// With the first such member.
    pub(crate) fn only(&self, known: &[&[&str]]) -> Outcome {
        let unknown = |name: &str| !known.iter().any(|names| names.contains(&name));
        match self.members()?.into_iter().find(|(name, _)| unknown(name)) {
            None => Ok(()),
            Some((_, member)) => Err(member.refuse("no such property (it is not run on one machine)")),
        }
    }

    /// The value, all references in it resolved.
    ///
    /// # Errors
    /// For a function, a parameter or an attribute that is not known here.
    pub(crate) fn json(&self) -> Outcome<Value> {
        self.resolved(DEEPEST)
    }

    /// Text, references resolved.
    ///
    /// # Errors
    /// As [`Node::json`], and if it is none.
    pub(crate) fn text(&self) -> Outcome<String> {
        self.text_within(DEEPEST)
    }

    pub(super) fn text_within(&self, depth: usize) -> Outcome<String> {
        match self.resolved(depth)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => Err(self.refuse("text")),
        }
    }

    /// A number, which may be written as text.
    ///
    /// # Errors
    /// As [`Node::text`].
    pub(crate) fn number<T: std::str::FromStr>(&self) -> Outcome<T> {
        self.text()?.parse().map_err(|_| self.refuse("a number"))
    }
}

/// A value in an error: enough to find it.
fn short(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(120).collect();
    if cut.len() < text.len() { format!("{cut}...") } else { text }
}
