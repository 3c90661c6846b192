//! Reads locations from TOML or JSON. Errors name field and line, and never quote the text: it might hold a key.

use transload_wire::{ErrorName, Failure};

use super::Locations;

impl Locations {
    /// # Errors
    /// `InputInvalid` with the field, or the line of what is no TOML.
    pub fn from_toml(text: &str) -> Result<Self, Failure> {
        let reader = toml::Deserializer::parse(text).map_err(|error| of_toml(text, "", &error))?;
        serde_path_to_error::deserialize(reader).map_err(|error| {
            let path = error.path().to_string();
            of_toml(text, &path, error.inner())
        })
    }

    /// # Errors
    /// `InputInvalid` with the field, or line and column of what is no JSON.
    pub fn from_json(text: &str) -> Result<Self, Failure> {
        transload_wire::parse(text.as_bytes())
    }
}

/// The message alone: the error's own `Display` prints the line it is about.
fn of_toml(text: &str, path: &str, error: &toml::de::Error) -> Failure {
    let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
    let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let field = if path.is_empty() || path == "." { "locations".to_owned() } else { path.to_owned() };
    ErrorName::InputInvalid.because(format!("{field}: {}{line}", error.message()))
}
