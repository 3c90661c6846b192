//! Conditions on one value.
use super::address::{Block, same_address};
use super::numeric::{Range, same_number};
use super::wildcard::Wildcard;
use serde_json::Value;

/// Which values match.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    /// This string, number, boolean or null.
    Exactly(Value),
    /// Strings that begin so.
    Prefix(Text),
    /// Strings that end so.
    Suffix(Text),
    /// This string in any case.
    IgnoreCase(String),
    /// Strings of this form.
    Wildcard(Wildcard),
    /// Numbers in a range.
    Numeric(Range),
    /// Addresses in a block.
    Address(Block),
    /// Any value.
    Present,
    /// No value in the whole event.
    Absent,
    /// Values that match none of these.
    AnythingBut(Vec<Matcher>),
}

/// A piece of text to look for.
#[derive(Debug, Clone)]
pub(super) struct Text {
    text: String,
    any_case: bool,
}

impl Text {
    pub(super) fn new(text: &str, any_case: bool) -> Self {
        Self { text: if any_case { folded(text) } else { text.to_owned() }, any_case }
    }

    fn found(&self, value: &str, find: fn(&str, &str) -> bool) -> bool {
        if self.any_case { find(&folded(value), &self.text) } else { find(value, &self.text) }
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

impl Matcher {
    /// Strings that are equal but for their case.
    pub(super) fn ignore_case(text: &str) -> Self {
        Self::IgnoreCase(folded(text))
    }

    /// Whether a value of the event matches.
    pub(super) fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Exactly(Value::Number(wanted)), Value::Number(found)) => same_number(wanted, found),
            (Self::Exactly(Value::String(wanted)), Value::String(found)) => {
                wanted == found || same_address(wanted, found)
            }
            (Self::Exactly(wanted), found) => wanted == found,
            (Self::Prefix(text), Value::String(found)) => {
                text.found(found, |all, part| all.starts_with(part))
            }
            (Self::Suffix(text), Value::String(found)) => text.found(found, |all, part| all.ends_with(part)),
            (Self::IgnoreCase(wanted), Value::String(found)) => *wanted == folded(found),
            (Self::Wildcard(wildcard), Value::String(found)) => wildcard.matches(found),
            (Self::Numeric(range), Value::Number(found)) => range.contains(found),
            (Self::Address(block), Value::String(found)) => block.contains(found),
            (Self::Present, _) => true,
            (Self::AnythingBut(those), found) => !those.iter().any(|that| that.matches(found)),
            _ => false,
        }
    }
}
