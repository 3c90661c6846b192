//! One way in for every JSON text: errors name the field.

use serde::de::DeserializeOwned;

use crate::{ErrorName, Failure};

/// Reads a JSON text into `T`.
///
/// # Errors
/// [`ErrorName::InputInvalid`] with the path of the field, what was expected and what was found.
pub fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "input".to_owned() } else { path };
        ErrorName::InputInvalid.because(format!("{field}: {}", error.inner()))
    })?;
    reader.end().map_err(|error| ErrorName::InputInvalid.because(format!("input: {error}")))?;
    Ok(value)
}
