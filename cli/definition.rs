//! The definition that is deployed, with this machine's names in place of the deployment's.

use crate::view::machine_arn;

/// The functions of the workflow, by the name of their state.
pub(crate) const FUNCTIONS: [&str; 14] = [
    "Head", "Copy", "Init", "Part", "Complete", "Abort", "List", "Batch", "Delete", "Report", "Remove",
    "Thaw", "Pack", "Unpack",
];

/// The bucket that results are written to: a folder of the home.
pub(crate) const RESULTS_BUCKET: &str = "results";

/// The state machine's name, as the deployment calls it.
pub(crate) const MACHINE: &str = "transload-object";

/// The one that moves many objects.
pub(crate) const BUCKET_MACHINE: &str = "transload-bucket";

/// The one that packs trees.
pub(crate) const PACK_MACHINE: &str = "transload-pack";

/// The one that unpacks them again.
pub(crate) const UNPACK_MACHINE: &str = "transload-unpack";

const OBJECT: &str = include_str!("../statemachine/object.asl.json");
const BUCKET: &str = include_str!("../statemachine/bucket.asl.json");
const PACK: &str = include_str!("../statemachine/pack.asl.json");
const UNPACK: &str = include_str!("../statemachine/unpack.asl.json");

/// The ARN of a function on this machine.
pub(crate) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:000000000000:function:{name}")
}

/// `object.asl.json` with its substitutions made.
pub(crate) fn object() -> String {
    substituted(OBJECT)
}

/// `bucket.asl.json` with its substitutions made.
pub(crate) fn bucket() -> String {
    substituted(BUCKET)
}

/// `pack.asl.json` with its substitutions made.
pub(crate) fn pack() -> String {
    substituted(PACK)
}

/// `unpack.asl.json` with its substitutions made.
pub(crate) fn unpack() -> String {
    substituted(UNPACK)
}

fn substituted(definition: &str) -> String {
    let mut definition = definition
        .replace("${ResultsBucket}", RESULTS_BUCKET)
        .replace("${ObjectStateMachineArn}", &machine_arn());
    for name in FUNCTIONS {
        definition = definition.replace(&format!("${{{name}FunctionArn}}"), &function_arn(name));
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, bucket, function_arn, object, pack, unpack};

    #[test]
    fn every_substitution_is_made_and_every_function_used() {
        let definitions = [object(), bucket(), pack(), unpack()];
        for definition in &definitions {
            assert!(!definition.contains("${"), "a placeholder is left");
            assert!(serde_json::from_str::<serde_json::Value>(definition).unwrap()["States"].is_object());
        }
        for name in FUNCTIONS {
            assert!(definitions.iter().any(|definition| definition.contains(&function_arn(name))), "{name}");
        }
    }
}
