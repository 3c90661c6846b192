//! Where a location's credentials are read. Keys themselves are refused, and never repeated in the refusal.

use std::fmt;
use std::path::PathBuf;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place where credentials are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CredentialsConfig {
    /// The default chain of the AWS tools.
    #[default]
    Default,
    /// `{ profile = "name" }`: of the AWS configuration files.
    Profile(String),
    /// `{ environment = "PREFIX" }`: `PREFIX_ACCESS_KEY_ID`, `PREFIX_SECRET_ACCESS_KEY`, `PREFIX_SESSION_TOKEN`.
    Environment(String),
    /// `{ file = "path", profile = "name" }`: an AWS credentials file; its `default` profile without a name.
    File(PathBuf, Option<String>),
}

impl CredentialsConfig {
    /// An empty table would be refused; it is left out.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

const EXPECTED: &str =
    "expected { profile = \"...\" }, { environment = \"PREFIX\" } or { file = \"path\", profile = \"...\" }";
const INLINE: &str = "expected no key here (it would end in logs, templates and version control)";

/// A field that would hold a key: its value is not looked at, and refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NoKey;

impl<'de> Deserialize<'de> for NoKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Err(de::Error::custom(format_args!("{INLINE}; in credentials, {EXPECTED}")))
    }
}

/// Fields of the table, collected before they are judged.
#[derive(Default)]
struct Fields {
    profile: Option<String>,
    environment: Option<String>,
    file: Option<PathBuf>,
}

impl Fields {
    fn resolve(self) -> Result<CredentialsConfig, String> {
        match self {
            Self { profile: Some(name), environment: None, file: None } => {
                Ok(CredentialsConfig::Profile(name))
            }
            Self { profile: None, environment: Some(prefix), file: None } => {
                let word = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
                if prefix.is_empty() || !prefix.bytes().all(word) {
                    return Err("environment: expected a prefix of A-Z, 0-9 and _".to_owned());
                }
                Ok(CredentialsConfig::Environment(prefix))
            }
            Self { profile, environment: None, file: Some(path) } => {
                Ok(CredentialsConfig::File(path, profile))
            }
            _ => Err(EXPECTED.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for CredentialsConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = CredentialsConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED.trim_start_matches("expected "))
            }

            /// Other texts are named in serde's refusals; this one may be a key.
            fn visit_str<E: de::Error>(self, _text: &str) -> Result<Self::Value, E> {
                Err(E::custom(format_args!("{INLINE}; {EXPECTED}")))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(name) = table.next_key::<String>()? {
                    match name.as_str() {
                        "profile" if fields.profile.is_none() => fields.profile = Some(table.next_value()?),
                        "environment" if fields.environment.is_none() => {
                            fields.environment = Some(table.next_value()?);
                        }
                        "file" if fields.file.is_none() => fields.file = Some(table.next_value()?),
                        "profile" | "environment" | "file" => {
                            return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
                        }
                        name if name.contains("key") || name.contains("token") || name.contains("secret") => {
                            return Err(de::Error::custom(format_args!("{name}: {INLINE}; {EXPECTED}")));
                        }
                        name => {
                            return Err(de::Error::custom(format_args!(
                                "unknown field `{name}`, {EXPECTED}"
                            )));
                        }
                    }
                }
                fields.resolve().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Table)
    }
}

impl Serialize for CredentialsConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = serializer.serialize_map(None)?;
        match self {
            Self::Default => {}
            Self::Profile(name) => table.serialize_entry("profile", name)?,
            Self::Environment(prefix) => table.serialize_entry("environment", prefix)?,
            Self::File(path, profile) => {
                table.serialize_entry("file", path)?;
                if let Some(profile) = profile {
                    table.serialize_entry("profile", profile)?;
                }
            }
        }
        table.end()
    }
}
