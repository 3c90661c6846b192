//! The definition that is deployed, with this machine's names in place of the deployment's.

/// The functions of the workflow, by the name of their state.
pub(crate) const FUNCTIONS: [&str; 6] = ["Head", "Copy", "Init", "Part", "Complete", "Abort"];

/// The bucket that results are written to: a folder of the home.
pub(crate) const RESULTS_BUCKET: &str = "results";

/// The state machine's name, as the deployment calls it.
pub(crate) const MACHINE: &str = "transload-object";

const OBJECT: &str = include_str!("../statemachine/object.asl.json");

/// The ARN of a function on this machine.
pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{name}")
}

/// `object.asl.json` with its substitutions made.
pub(crate) fn object() -> String {
    let mut definition = OBJECT.replace("${ResultsBucket}", RESULTS_BUCKET);
    for name in FUNCTIONS {
        definition = definition.replace(&format!("${{{name}FunctionArn}}"), &function_arn(name));
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, function_arn, object};

    #[test]
    fn every_substitution_is_made_and_every_function_used() {
        let definition = object();
        assert!(!definition.contains("${"), "a placeholder is left");
        for name in FUNCTIONS {
            assert!(definition.contains(&function_arn(name)), "{name}");
        }
        assert!(serde_json::from_str::<serde_json::Value>(&definition).unwrap()["States"].is_object());
    }
}
