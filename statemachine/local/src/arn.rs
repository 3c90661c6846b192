//! The ARNs that the engine gives out and understands.

/// Partition, Region and account that ARNs carry.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) partition: String,
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Home {
    fn arn(&self, kind: &str, rest: &str) -> String {
        format!("arn:{}:states:{}:{}:{kind}:{rest}", self.partition, self.region, self.account)
    }

    /// A state machine's ARN.
    pub(crate) fn machine(&self, name: &str) -> String {
        self.arn("stateMachine", name)
    }

    /// An execution's ARN. `machine` is `Name`, or `Name/Label` for a child.
    pub(crate) fn execution(&self, machine: &str, name: &str) -> String {
        self.arn("execution", &format!("{machine}:{name}"))
    }

    /// An EXPRESS execution's ARN.
    pub(crate) fn express(&self, machine: &str, name: &str, id: &str) -> String {
        self.arn("express", &format!("{machine}:{name}:{id}"))
    }

    /// An activity's ARN.
    pub(crate) fn activity(&self, name: &str) -> String {
        self.arn("activity", name)
    }

    /// The ARN that a state under test sees as its execution's: as recorded, without an id.
    pub(crate) fn tested(&self, machine: &str, name: &str) -> String {
        self.arn("express", &format!("{machine}:{name}"))
    }

    /// A Map Run's ARN.
    pub(crate) fn map_run(&self, machine: &str, label: &str, id: &str) -> String {
        self.arn("mapRun", &format!("{machine}/{label}:{id}"))
    }

    /// The pseudo machine that children of a Map Run belong to.
    pub(crate) fn child_machine(&self, machine: &str, label: &str) -> String {
        self.arn("stateMachine", &format!("{machine}/{label}"))
    }
}

/// Whether `text` is an ARN of Step Functions of that kind.
pub(crate) fn is(text: &str, kind: &str) -> bool {
    let parts: Vec<&str> = text.splitn(7, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "states", _, _, k, rest]
        if partition.starts_with("aws") && *k == kind && !rest.is_empty())
}

/// The machine's name out of its ARN, or the label's pseudo name of a child's.
pub(crate) fn last(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// Why a name of a machine or an execution is refused: 1 to 80 characters out of the allowed ones.
pub(crate) fn bad_name(name: &str) -> bool {
    let forbidden = |c: char| {
        c.is_whitespace() || c.is_control() || r#"<>{}[]?*"#.contains(c) || r##""#%\^|~`$&,;:/"##.contains(c)
    };
    name.is_empty() || name.chars().count() > 80 || name.chars().any(forbidden)
}
