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
        transload_wire::parse(text.as_bytes()).map_err(|failure| {
            let message = hushed(&failure.message);
            failure.name.because(message)
        })
    }
}

/// Of what a secret key consists, and how much of it is too much. The secrets of AWS have 40 characters; the longest field
/// here has 21.
const LEAST: usize = 24;

/// The message without anything in it that could be a key: who misplaces one may find it named as a field.
fn hushed(message: &str) -> String {
    let of_key = |found: char| found.is_ascii_alphanumeric() || "+/=".contains(found);
    let mut hushed = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find(of_key) {
        let word = &rest[start..];
        let len = word.find(|found| !of_key(found)).unwrap_or(word.len());
        hushed.push_str(&rest[..start]);
        hushed.push_str(if len < LEAST { &word[..len] } else { "(not shown)" });
        rest = &word[len..];
    }
    hushed + rest
}

/// The message alone: the error's own `Display` prints the line it is about.
fn of_toml(text: &str, path: &str, error: &toml::de::Error) -> Failure {
    let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
    let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
    let field = if path.is_empty() || path == "." { "locations".to_owned() } else { path.to_owned() };
    ErrorName::InputInvalid.because(hushed(&format!("{field}: {}{line}", error.message())))
}
