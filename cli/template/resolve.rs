//! The functions of CloudFormation, as far as synthesised templates use them: anything else is refused by name.

use serde_json::{Map, Value};

use super::node::Node;
use crate::exit::Outcome;

impl Node<'_> {
    pub(super) fn resolved(&self, depth: usize) -> Outcome<Value> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.refuse("references that end (these lead back to themselves)"));
        };
        match self.value {
            Value::Object(map) => match call(map) {
                Some(name) => self.called(name, depth),
                None => {
                    let members = self.members()?.into_iter();
                    members.map(|(name, node)| Ok((name.to_owned(), node.resolved(depth)?))).collect()
                }
            },
            Value::Array(_) => self.items()?.iter().map(|item| item.resolved(depth)).collect(),
            plain => Ok(plain.clone()),
        }
    }

    fn called(&self, name: &str, depth: usize) -> Outcome<Value> {
        let argument = self.need(name)?;
        let text = match name {
            "Ref" => argument.reference(&argument.plain()?, depth)?,
            "Fn::GetAtt" => argument.attribute(depth)?,
            "Fn::Join" => argument.joined(depth)?,
            "Fn::Sub" => argument.substituted(depth)?,
            _ => return Err(self.refuse("Ref, Fn::GetAtt, Fn::Join or Fn::Sub")),
        };
        Ok(Value::String(text))
    }

    /// Text that stands there as it is.
    fn plain(&self) -> Outcome<String> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.refuse("text"))
    }

    fn reference(&self, name: &str, depth: usize) -> Outcome<String> {
        if let Some(value) = self.template.site.pseudo(name) {
            return Ok(value);
        }
        match self.template.resource(name) {
            Some(resource) => self.name_of(name, &resource, depth),
            None => Err(self.refuse_found("a resource of this template", name)),
        }
    }

    /// `["Id", "Attribute"]` or `"Id.Attribute"`.
    fn attribute(&self, depth: usize) -> Outcome<String> {
        let parts = match self.value {
            Value::String(text) => text.splitn(2, '.').map(str::to_owned).collect(),
            _ => self.items()?.iter().map(Node::plain).collect::<Outcome<Vec<String>>>()?,
        };
        let [id, attribute] = parts.as_slice() else {
            return Err(self.refuse("a resource and an attribute"));
        };
        self.attribute_of(id, attribute, depth)
    }

    fn joined(&self, depth: usize) -> Outcome<String> {
        let parts = self.items()?;
        let [delimiter, list] = parts.as_slice() else { return Err(self.refuse("a delimiter and a list")) };
        let texts: Vec<String> =
            list.items()?.iter().map(|item| item.text_within(depth)).collect::<Outcome<_>>()?;
        Ok(texts.join(&delimiter.plain()?))
    }

    /// `"text"` or `["text", {"Name": value}]`.
    fn substituted(&self, depth: usize) -> Outcome<String> {
        let (text, given) = match self.value {
            Value::String(text) => (text.clone(), None),
            _ => match self.items()?.as_slice() {
                [text, given] => (text.plain()?, Some(given.clone())),
                _ => return Err(self.refuse("text, or text and values")),
            },
        };
        filled(&text, |name| match given.as_ref().and_then(|given| given.member(name)) {
            Some(value) => value.text_within(depth),
            None => match name.split_once('.') {
                Some((id, attribute)) => self.attribute_of(id, attribute, depth),
                None => self.reference(name, depth),
            },
        })
    }
}

/// The name of the function that an object calls, if it does.
fn call(map: &Map<String, Value>) -> Option<&str> {
    let name = map.keys().next().filter(|_| map.len() == 1)?;
    (name == "Ref" || name == "Condition" || name.starts_with("Fn::")).then_some(name.as_str())
}

/// A text with each `${Name}` replaced; `${!Name}` stands for `${Name}`.
pub(super) fn filled(text: &str, value: impl Fn(&str) -> Outcome<String>) -> Outcome<String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        match name.strip_prefix('!') {
            Some(literal) => out.push_str(&format!("${{{literal}}}")),
            None => out.push_str(&value(name.trim())?),
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use crate::template::node::{Site, Template};

    /// A value in a template of the China partition, resolved.
    fn resolved(value: Value) -> Result<Value, String> {
        let site = Site {
            stack: "moves".to_owned(),
            region: "cn-north-1".to_owned(),
            account: "123456789012".to_owned(),
        };
        let resources = json!({
            "Part": {"Type": "AWS::Lambda::Function", "Properties": {}},
            "Results": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Object": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"StateMachineName": {"Fn::Sub": "${AWS::StackName}-object"}}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
            "Value": {"Type": "X", "Properties": {"Value": value}},
        });
        let text = json!({"Resources": resources}).to_string();
        let template = Template::parse(Path::new("t.json"), &text, site).unwrap();
        let all = template.of_type("X").unwrap();
        all[0].1.need("Value").and_then(|value| value.json()).map_err(|error| error.to_string())
    }

    #[test]
    fn references_lead_to_names_of_the_stacks_partition() {
        let rows = [
            (json!({"Ref": "Part"}), json!("moves-Part")),
            (json!({"Ref": "Results"}), json!("moves-results")),
            (
                json!({"Ref": "Object"}),
                json!("arn:aws-cn:states:cn-north-1:123456789012:stateMachine:moves-object"),
            ),
            (json!({"Fn::GetAtt": ["Object", "Name"]}), json!("moves-object")),
            (json!({"Fn::GetAtt": "Results.Arn"}), json!("arn:aws-cn:s3:::moves-results")),
            (
                json!({"Fn::Join": [":", ["a", {"Ref": "AWS::Region"}, {"Fn::Sub": "${Part.Arn}"}]]}),
                json!("a:cn-north-1:arn:aws-cn:lambda:cn-north-1:123456789012:function:moves-Part"),
            ),
            (
                json!({"Fn::Sub": ["${!kept} ${X} ${AWS::URLSuffix}", {"X": {"Ref": "AWS::AccountId"}}]}),
                json!("${kept} 123456789012 amazonaws.com.cn"),
            ),
            (json!([{"Ref": "Part"}, {"a": [1, true, null]}]), json!(["moves-Part", {"a": [1, true, null]}])),
        ];
        for (value, expected) in rows {
            assert_eq!(resolved(value.clone()), Ok(expected), "{value}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_its_place() {
        let rows = [
            (
                json!({"Fn::Select": [0, ["a"]]}),
                "t.json: Resources.Value.Properties.Value: expected Ref, Fn::GetAtt, Fn::Join or Fn::Sub",
            ),
            (
                json!({"a": [{"Ref": "Nobody"}]}),
                "Resources.Value.Properties.Value.a[0].Ref: expected a resource of this template, found Nobody",
            ),
            (
                json!({"Fn::GetAtt": ["Queue", "Arn"]}),
                "expected Arn or Name of a function, machine, bucket or role, found Arn of Queue (AWS::SQS::Queue)",
            ),
            (
                json!({"Ref": "Queue"}),
                "expected a reference to a function, machine, bucket or role, found AWS::SQS::Queue",
            ),
            (
                json!({"Fn::Join": ["", "a"]}),
                "Resources.Value.Properties.Value.Fn::Join[1]: expected a list, found \"a\"",
            ),
            (json!({"Fn::Join": ["", [["a"]]]}), "expected text, found [\"a\"]"),
        ];
        for (value, expected) in rows {
            let found = resolved(value).unwrap_err();
            assert!(found.contains(expected), "expected {expected:?}, found {found:?}");
        }
    }
}
