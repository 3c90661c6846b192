//! Where a location's credentials are read. Keys themselves are refused, and never repeated in the refusal.

use std::fmt;
use std::path::PathBuf;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::keys::{Issuer, WebIdentityTable};

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
    /// `{ secret = ... }`, `{ parameter = ... }`, `{ role = ... }` or `{ web_identity = ... }`: what AWS keeps or issues.
    Issued(Issuer),
}

impl CredentialsConfig {
    /// An empty table would be refused; it is left out.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::Default
    }
}

const EXPECTED: &str = "expected { profile = \"...\" }, { environment = \"PREFIX\" }, { file = \"path\", profile = \"...\" }, \
                        { secret = \"name\" }, { parameter = \"name\" }, { role = \"ARN\", external_id = \"...\" } \
                        or { web_identity = { role = \"ARN\", audience = \"...\" } }";
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
    secret: Option<String>,
    parameter: Option<String>,
    role: Option<String>,
    external_id: Option<String>,
    web_identity: Option<WebIdentityTable>,
}

impl Fields {
    /// One place, with what belongs to it and nothing else.
    fn resolve(mut self) -> Result<CredentialsConfig, String> {
        let issuers = [
            self.secret.map(Issuer::Secret),
            self.parameter.map(Issuer::Parameter),
            self.role.map(|role| Issuer::Role { role, external_id: self.external_id.take() }),
            self.web_identity.map(WebIdentityTable::issuer).transpose()?,
        ];
        let file = self.file.map(|path| CredentialsConfig::File(path, self.profile.take()));
        let places = [self.environment.map(CredentialsConfig::Environment), file];
        let issued = issuers.into_iter().flatten().map(CredentialsConfig::Issued);
        let mut places = places.into_iter().flatten().chain(issued);
        match (places.next(), places.next(), self.profile, self.external_id) {
            (Some(place), None, None, None) => place.checked(),
            (None, None, Some(profile), None) => Ok(CredentialsConfig::Profile(profile)),
            _ => Err(EXPECTED.to_owned()),
        }
    }

    /// Reads a field; `false` for one that there is not.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, table: &mut A) -> Result<bool, A::Error> {
        match name {
            "profile" => once(name, &mut self.profile, table),
            "environment" => once(name, &mut self.environment, table),
            "file" => once(name, &mut self.file, table),
            "secret" => once(name, &mut self.secret, table),
            "parameter" => once(name, &mut self.parameter, table),
            "role" => once(name, &mut self.role, table),
            "external_id" => once(name, &mut self.external_id, table),
            "web_identity" => once(name, &mut self.web_identity, table),
            _ => return Ok(false),
        }
        .map(|()| true)
    }
}

fn once<'de, T, A>(name: &str, field: &mut Option<T>, table: &mut A) -> Result<(), A::Error>
where
    T: Deserialize<'de>,
    A: MapAccess<'de>,
{
    if field.is_some() {
        return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
    }
    *field = Some(table.next_value()?);
    Ok(())
}

impl CredentialsConfig {
    fn checked(self) -> Result<Self, String> {
        match &self {
            Self::Environment(prefix) => {
                let word = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
                if prefix.is_empty() || !prefix.bytes().all(word) {
                    return Err("environment: expected a prefix of A-Z, 0-9 and _".to_owned());
                }
            }
            Self::Issued(issuer) => issuer.check()?,
            Self::Default | Self::Profile(_) | Self::File(..) => {}
        }
        Ok(self)
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
                    if fields.read(&name, &mut table)? {
                        continue;
                    }
                    if ["key", "token", "secret"].iter().any(|word| name.contains(word)) {
                        return Err(de::Error::custom(format_args!("{name}: {INLINE}; {EXPECTED}")));
                    }
                    return Err(de::Error::custom(format_args!("unknown field `{name}`, {EXPECTED}")));
                }
                fields.resolve().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Table)
    }
}

impl Serialize for CredentialsConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Issued(issuer) = self {
            return issuer.serialize(serializer);
        }
        let mut table = serializer.serialize_map(None)?;
        match self {
            Self::Default | Self::Issued(_) => {}
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
