//! A stack of CloudFormation: where it stands, and what it says of itself in its outputs.

use std::collections::BTreeMap;

use serde::Deserialize;
use transload_store::account::{Account, Refused, Service};

/// The output with the ARN of the machine that moves one object.
pub(crate) const MACHINE_OUTPUT: &str = "ObjectMachineArn";

/// The output with the ARN of the machine that moves many objects.
pub(crate) const BUCKET_MACHINE_OUTPUT: &str = "BucketMachineArn";

/// The output with the ARN of the machine that packs trees.
pub(crate) const PACK_MACHINE_OUTPUT: &str = "PackMachineArn";

/// The output with the ARN of the machine that unpacks archives.
pub(crate) const UNPACK_MACHINE_OUTPUT: &str = "UnpackMachineArn";

/// A stack, as far as it is of interest here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Such as `UPDATE_COMPLETE`.
    pub(crate) status: String,
    /// Its outputs, by name.
    pub(crate) outputs: BTreeMap<String, String>,
}

/// DescribeStacks of one stack, by its name.
///
/// # Errors
/// The service's, or why it was not reached.
pub(crate) async fn describe(account: &Account, name: &str) -> Result<Stack, Refused> {
    let form = [("StackName", name)];
    let answer: Answer = account.query(Service::Stacks, "DescribeStacks", "2010-05-15", &form).await?;
    let found = answer.result.stacks.member.into_iter().next().unwrap_or_default();
    let outputs = found.outputs.member.into_iter().map(|output| (output.key, output.value));
    Ok(Stack { status: found.status, outputs: outputs.collect() })
}

/// Whether the service knows no stack of this name: its code is that of any wrong request.
pub(crate) fn is_missing(refused: &Refused) -> bool {
    refused.code() == Some("ValidationError") && refused.to_string().contains("does not exist")
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "DescribeStacksResult")]
    result: Found,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "Stacks", default)]
    stacks: Members<Described>,
}

/// A list, as the query protocol writes it.
#[derive(Deserialize)]
struct Members<T> {
    #[serde(default = "Vec::new")]
    member: Vec<T>,
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self { member: Vec::new() }
    }
}

#[derive(Default, Deserialize)]
struct Described {
    #[serde(rename = "StackStatus", default)]
    status: String,
    #[serde(rename = "Outputs", default)]
    outputs: Members<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "OutputKey", default)]
    key: String,
    #[serde(rename = "OutputValue", default)]
    value: String,
}
