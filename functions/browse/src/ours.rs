//! Which executions may be looked at: those of the machines that this API was given, and their children.

use std::fmt;

use crate::http::Refusal;

/// What a machine moves, which says what its input has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One object: `object.asl.json`.
    Object,
    /// A tree of keys: `bucket.asl.json`.
    Bucket,
}

/// A state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its ARN.
    pub arn: String,
    /// What it moves.
    pub kind: Kind,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "object",
            Self::Bucket => "bucket",
        })
    }
}

/// Whether this is the ARN of an execution, a child or a Map Run (`resource`) of one of the machines.
fn is_of(machines: &[Machine], resource: &str, arn: &str) -> bool {
    machines.iter().any(|machine| {
        let stem = machine.arn.replacen(":stateMachine:", &format!(":{resource}:"), 1);
        let rest = arn.strip_prefix(&stem).unwrap_or_default();
        rest.len() > 1 && rest.starts_with([':', '/'])
    })
}

fn missing(what: &str, error: &str, field: &str, arn: &str) -> Refusal {
    Refusal { status: 404, error: error.to_owned(), ..Refusal::field(field, what, arn) }
}

/// Refuses what is no execution of the machines.
pub(crate) fn execution<'a>(machines: &[Machine], field: &str, arn: &'a str) -> Result<&'a str, Refusal> {
    if is_of(machines, "execution", arn) {
        return Ok(arn);
    }
    Err(missing("the ARN of an execution of this installation", "ExecutionDoesNotExist", field, arn))
}

/// Refuses what is no Map Run of the machines.
pub(crate) fn map_run<'a>(machines: &[Machine], field: &str, arn: &'a str) -> Result<&'a str, Refusal> {
    if is_of(machines, "mapRun", arn) {
        return Ok(arn);
    }
    Err(missing("the ARN of a Map Run of this installation", "ResourceNotFound", field, arn))
}

/// The machine of this ARN.
pub(crate) fn machine<'a>(machines: &'a [Machine], field: &str, arn: &str) -> Result<&'a Machine, Refusal> {
    machines.iter().find(|machine| machine.arn == arn).ok_or_else(|| {
        let known: Vec<&str> = machines.iter().map(|machine| machine.arn.as_str()).collect();
        missing(&format!("one of {}", known.join(", ")), "StateMachineDoesNotExist", field, arn)
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, Machine, execution, map_run};

    #[test]
    fn nothing_but_the_machines_own() {
        let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:m".to_owned();
        let machines = [Machine { arn, kind: Kind::Object }];
        let stem = "arn:aws:states:us-east-1:000000000000";
        let good = ["execution:m:a", "execution:m/Parts:b"].map(|tail| format!("{stem}:{tail}"));
        for arn in &good {
            assert!(execution(&machines, "arn", arn).is_ok(), "{arn}");
            assert!(map_run(&machines, "arn", arn).is_err(), "{arn}");
        }
        assert!(map_run(&machines, "arn", &format!("{stem}:mapRun:m/Parts:c")).is_ok());
        for tail in ["execution:m", "execution:m:", "execution:m2:a", "stateMachine:m", "execution:other:a"] {
            let refused = execution(&machines, "arn", &format!("{stem}:{tail}")).unwrap_err();
            assert_eq!((refused.status, refused.details["field"].as_str()), (404, Some("arn")), "{tail}");
        }
    }
}
