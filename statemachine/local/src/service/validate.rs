//! ValidateStateMachineDefinition: the mistakes of a definition as a list instead of an error.
use super::Answer;
use super::machines::kind;
use super::params::{DEFINITION, Params};
use crate::api::MachineType;
use crate::asl::{self, Diagnostic};
use serde_json::{Value, json};

/// Diagnostics of one answer at most, and if the request does not say.
const MOST: i64 = 100;

pub(super) fn validate(p: &Params) -> Answer {
    let definition = p.required_text("definition", DEFINITION)?;
    let kind = kind(p)?;
    // There are no warnings here, so both levels show the same.
    p.choice("severity", &["ERROR", "WARNING"])?;
    let most = p.whole("maxResults", 0, MOST)?.filter(|n| *n > 0).unwrap_or(MOST);
    p.check()?;
    let found = asl::parse(&definition, kind == MachineType::Express).err().unwrap_or_default();
    let most = usize::try_from(most).unwrap_or_default();
    let shown: Vec<Value> = found.iter().take(most).map(diagnostic).collect();
    let result = if found.is_empty() { "OK" } else { "FAIL" };
    Ok(json!({"result": result, "diagnostics": shown, "truncated": found.len() > most}))
}

fn diagnostic(found: &Diagnostic) -> Value {
    let mut shown = json!({"severity": "ERROR", "code": found.code, "message": found.message});
    if !found.location.is_empty() {
        shown["location"] = json!(found.location);
    }
    shown
}
