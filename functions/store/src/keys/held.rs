//! What a secret or a parameter holds: the keys of a user, as JSON. No refusal quotes it.

use std::fmt;

use aws_credential_types::Credentials;
use serde::Deserialize;
use serde_json::Value;

use super::Unread;

/// A text that holds keys.
pub(super) struct Held(String);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(** redacted **)")
    }
}

impl Held {
    /// The text itself. A secret.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// The text that stands in a field of an answer.
    pub(super) fn of(field: Option<&Value>, name: &str) -> Result<Self, Unread> {
        let text = field.and_then(Value::as_str);
        text.map(|text| Self(text.to_owned()))
            .ok_or_else(|| Unread::refused(format!("expected a text ({name}), found none (binary?)")))
    }
}

/// As it is written. Without `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    aws_access_key_id: String,
    aws_secret_access_key: String,
    #[serde(default)]
    aws_session_token: Option<String>,
    #[serde(default)]
    region: Option<String>,
}

const EXPECTED: &str = "expected JSON {\"aws_access_key_id\", \"aws_secret_access_key\", and if need be \
                        \"aws_session_token\", \"region\"}";

/// The keys, which must be of the location's Region if they name one.
pub(super) fn parse(held: &Held, region: Option<&str>) -> Result<Credentials, Unread> {
    // The parser's own words quote what they are about.
    let keys: Keys = serde_json::from_str(&held.0).map_err(|error| {
        let found = if error.is_data() { "other members or types" } else { "something that is no JSON" };
        Unread::refused(format!("{EXPECTED}, found {found}"))
    })?;
    is_word("aws_access_key_id", &keys.aws_access_key_id)?;
    is_word("aws_secret_access_key", &keys.aws_secret_access_key)?;
    if let Some(token) = &keys.aws_session_token {
        is_word("aws_session_token", token)?;
    }
    if keys.region.is_some() && keys.region.as_deref() != region {
        let expected = region.unwrap_or("none (write it into the location)");
        return Err(Unread::refused(format!("region: expected {expected}, found another one")));
    }
    let Keys { aws_access_key_id: id, aws_secret_access_key: secret, aws_session_token: token, .. } = keys;
    Ok(Credentials::new(id, secret, token, None, "transload"))
}

/// A line break or a space that was pasted with a key would only show as a signature that does not match.
fn is_word(name: &str, value: &str) -> Result<(), Unread> {
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Unread::refused(format!(
        "{name}: expected characters without spaces and line breaks, found others or none"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Held, parse};

    fn read(held: &Value, region: Option<&str>) -> Result<(String, Option<String>), String> {
        let text = held.as_str().map_or_else(|| held.to_string(), ToOwned::to_owned);
        let read = parse(&Held(text), region).map_err(|error| error.to_string())?;
        Ok((read.access_key_id().to_owned(), read.session_token().map(ToOwned::to_owned)))
    }

    #[test]
    fn keys_are_read_with_and_without_a_token() {
        let held = json!({"aws_access_key_id": "AKID", "aws_secret_access_key": "s/+="});
        assert_eq!(read(&held, None).unwrap(), ("AKID".to_owned(), None));
        let held = json!({"aws_access_key_id": "AKID", "aws_secret_access_key": "s",
                          "aws_session_token": "t", "region": "cn-north-1"});
        assert_eq!(read(&held, Some("cn-north-1")).unwrap().1.as_deref(), Some("t"));
    }

    #[test]
    fn what_is_wrong_is_told_without_a_word_of_it() {
        let with = |name: &str, value: Value| {
            let mut held = json!({"aws_access_key_id": "AKID", "aws_secret_access_key": "TOPSECRET"});
            held[name] = value;
            held
        };
        for (held, expected) in [
            (with("TOPSECRET", json!("TOPSECRET")), "found other members or types"),
            (with("aws_secret_access_key", json!(["TOPSECRET"])), "found other members or types"),
            (json!({"username": "TOPSECRET"}), "found other members or types"),
            (json!("TOPSECRET"), "found something that is no JSON"),
            (
                json!(r#"{"aws_access_key_id": "TOPSECRET", "aws_access_key_id": "b"}"#),
                "other members or types",
            ),
            (
                with("aws_secret_access_key", json!("TOPSECRET\n")),
                "aws_secret_access_key: expected characters",
            ),
            (with("aws_access_key_id", json!("")), "aws_access_key_id: expected characters"),
            (with("region", json!("TOPSECRET")), "region: expected cn-north-1, found another one"),
        ] {
            let refused = read(&held, Some("cn-north-1")).unwrap_err();
            assert!(refused.contains(expected) && !refused.contains("TOPSECRET"), "{refused}");
        }
        let none = read(&with("region", json!("cn-north-1")), None).unwrap_err();
        assert!(none.contains("write it into the location"), "{none}");
    }

    #[test]
    fn a_held_text_is_not_printed() {
        assert_eq!(format!("{:?}", Held("TOPSECRET".to_owned())), "Held(** redacted **)");
    }
}
