//! Who has a deployed location's credentials, and what may be written for it. Refusals do not quote what was written: it
//! might be the key itself.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::location::Partition;

/// Who has a location's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Issuer {
    /// `{ secret = "name or ARN" }`: Secrets Manager, in the function's own Region.
    Secret(String),
    /// `{ parameter = "name" }`: a SecureString of the Parameter Store, in the function's own Region.
    Parameter(String),
    /// `{ web_identity = { role = "ARN", audience = "..." } }`: a role of another partition, by a token of the function's
    /// own identity.
    WebIdentity {
        /// ARN of the role there.
        role: String,
        /// For whom the token is made out; the other partition's identity provider expects it.
        audience: String,
    },
    /// `{ role = "ARN", external_id = "..." }`: a role of the function's own partition.
    #[serde(untagged)]
    Role {
        /// Its ARN.
        role: String,
        /// What the owner of the role asks for beside the ARN.
        #[serde(skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    },
}

impl Issuer {
    /// The partition of a role's ARN; `None` for what is no ARN of a role.
    pub(crate) fn partition_of(role: &str) -> Option<Partition> {
        let mut fields = role.splitn(6, ':');
        let head = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
        let (account, name) = (fields.next()?, fields.next()?.strip_prefix("role/")?);
        let ["arn", partition, "iam", ""] = head else { return None };
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        // A path and a name of at most 512 and 64 characters, of those that IAM takes.
        let word = |b: u8| b.is_ascii_alphanumeric() || b"/_+=,.@-".contains(&b);
        let named = (1..=576).contains(&name.len()) && name.bytes().all(word);
        Partition::named(partition).filter(|_| digits && named)
    }

    /// What must not stand there.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Self::Secret(name) => check_name("secret", name, b"/_+=.@-:!"),
            Self::Parameter(name) => check_name("parameter", name, b"/_.-:"),
            Self::Role { role, external_id } => {
                check_role("role", role)?;
                external_id.as_deref().map_or(Ok(()), |id| check_text("external_id", id, 2, 1_224))
            }
            Self::WebIdentity { role, audience } => {
                check_role("web_identity.role", role)?;
                check_text("web_identity.audience", audience, 1, 1_000)
            }
        }
    }

    /// A location has to be where its credentials are good.
    pub(crate) fn fits(&self, partition: Option<Partition>, region: Option<&str>) -> Result<(), String> {
        let (Self::Role { role, .. } | Self::WebIdentity { role, .. }) = self else { return Ok(()) };
        let of_role = Self::partition_of(role);
        if let (Some(of_role), Some(expected)) = (of_role, partition)
            && of_role != expected
        {
            let (expected, found) = (expected.as_str(), of_role.as_str());
            return Err(format!("role: expected an ARN of partition {expected}, found one of {found}"));
        }
        let here = region.and_then(Partition::of_region);
        if matches!(self, Self::WebIdentity { .. }) && (here.is_none() || here != of_role) {
            let partition = of_role.map_or("AWS", Partition::as_str);
            return Err(format!(
                "web_identity: expected beside it the location's region, one of partition {partition} \
                 (the token is exchanged there)"
            ));
        }
        Ok(())
    }
}

/// For messages: never an external id.
impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "secret {name:?}"),
            Self::Parameter(name) => write!(f, "parameter {name:?}"),
            Self::Role { role, .. } | Self::WebIdentity { role, .. } => write!(f, "role {role:?}"),
        }
    }
}

/// The table `web_identity`, or what else was written there. (serde's own refusal would quote a text.)
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum WebIdentityTable {
    Right(WebIdentityFields),
    Wrong(IgnoredAny),
}

/// Its fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebIdentityFields {
    role: String,
    audience: String,
}

impl WebIdentityTable {
    pub(crate) fn issuer(self) -> Result<Issuer, String> {
        match self {
            Self::Right(WebIdentityFields { role, audience }) => Ok(Issuer::WebIdentity { role, audience }),
            Self::Wrong(_) => Err("web_identity: expected { role = \"ARN\", audience = \"...\" }".to_owned()),
        }
    }
}

fn check_name(field: &str, name: &str, marks: &[u8]) -> Result<(), String> {
    let word = |b: u8| b.is_ascii_alphanumeric() || marks.contains(&b);
    if name.is_empty() || name.len() > 2_048 || !name.bytes().all(word) {
        return Err(format!("{field}: expected a name or an ARN of 1 to 2048 letters, digits and marks"));
    }
    if looks_like_a_key(name) {
        return Err(format!(
            "{field}: expected the name of what holds the keys, found what looks like a key itself"
        ));
    }
    Ok(())
}

/// Secret keys are 40 characters of base64, ids of keys 20 capitals and digits that begin so.
fn looks_like_a_key(text: &str) -> bool {
    let all = |accepted: fn(u8) -> bool| text.bytes().all(accepted);
    let any = |wanted: fn(&u8) -> bool| text.bytes().any(|b| wanted(&b));
    let mixed = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_digit);
    let secret = text.len() == 40 && mixed && all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'+');
    let id = text.len() == 20 && (text.starts_with("AKIA") || text.starts_with("ASIA"));
    secret || (id && all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()))
}

fn check_role(field: &str, role: &str) -> Result<(), String> {
    match Issuer::partition_of(role) {
        Some(_) => Ok(()),
        None => Err(format!("{field}: expected arn:PARTITION:iam::ACCOUNT:role/NAME")),
    }
}

fn check_text(field: &str, text: &str, least: usize, most: usize) -> Result<(), String> {
    if (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    Err(format!("{field}: expected {least} to {most} characters without spaces"))
}
