//! What resources are called once they are deployed: the values of Ref and of Fn::GetAtt.

use super::node::Node;
use crate::exit::Outcome;

/// Names of functions have at most 64 characters, those of state machines 80, of buckets 63.
const LONGEST: [(&str, usize); 3] =
    [("AWS::Lambda::Function", 64), ("AWS::StepFunctions::StateMachine", 80), ("AWS::S3::Bucket", 63)];

impl Node<'_> {
    /// What Ref gives.
    pub(super) fn name_of(&self, id: &str, resource: &Node<'_>, depth: usize) -> Outcome<String> {
        match kind(resource) {
            "AWS::StepFunctions::StateMachine" => self.attribute_of(id, "Arn", depth),
            "AWS::Lambda::Function" => self.given(id, resource, "FunctionName", depth),
            "AWS::S3::Bucket" => self.given(id, resource, "BucketName", depth),
            "AWS::IAM::Role" => self.given(id, resource, "RoleName", depth),
            other => Err(self.refuse_found("a reference to a function, machine, bucket or role", other)),
        }
    }

    /// What Fn::GetAtt gives.
    pub(super) fn attribute_of(&self, id: &str, attribute: &str, depth: usize) -> Outcome<String> {
        let Some(resource) = self.template.resource(id) else {
            return Err(self.refuse_found("a resource of this template", id));
        };
        let site = &self.template.site;
        let named = |property| self.given(id, &resource, property, depth);
        Ok(match (kind(&resource), attribute) {
            ("AWS::StepFunctions::StateMachine", "Name") => named("StateMachineName")?,
            ("AWS::StepFunctions::StateMachine", "Arn") => {
                site.arn("states", &format!("stateMachine:{}", named("StateMachineName")?))
            }
            ("AWS::Lambda::Function", "Arn") => {
                site.arn("lambda", &format!("function:{}", named("FunctionName")?))
            }
            ("AWS::S3::Bucket", "Arn") => format!("arn:{}:s3:::{}", site.partition(), named("BucketName")?),
            ("AWS::IAM::Role", "Arn") => {
                let (partition, account) = (site.partition(), &site.account);
                format!("arn:{partition}:iam::{account}:role/{}", named("RoleName")?)
            }
            (kind, _) => {
                return Err(self.refuse_found(
                    "Arn or Name of a function, machine, bucket or role",
                    &format!("{attribute} of {id} ({kind})"),
                ));
            }
        })
    }

    /// The name that the template gives, or one as CloudFormation makes it, without its random end.
    fn given(&self, id: &str, resource: &Node<'_>, property: &str, depth: usize) -> Outcome<String> {
        if let Some(name) = resource.member("Properties").and_then(|all| all.member(property)) {
            return name.text_within(depth);
        }
        let kind = kind(resource);
        let longest = LONGEST.iter().find(|(other, _)| *other == kind).map_or(64, |(_, longest)| *longest);
        let name: String = format!("{}-{id}", self.template.site.stack).chars().take(longest).collect();
        Ok(if kind == "AWS::S3::Bucket" { name.to_lowercase() } else { name })
    }
}

fn kind<'t>(resource: &Node<'t>) -> &'t str {
    resource.value["Type"].as_str().unwrap_or("nothing")
}
