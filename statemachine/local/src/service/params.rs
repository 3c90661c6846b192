//! Reads the members of a request with the service's rules: types at once, limits collected and reported together.
use crate::api::ApiError;
use serde_json::{Map, Value};
use std::sync::{Mutex, PoisonError};

/// The members of one request. Unknown members are ignored, as the service does; null is the same as absent.
pub(super) struct Params {
    map: Map<String, Value>,
    /// Behind a lock only because requests are shared across awaits.
    problems: Mutex<Vec<String>>,
}

/// Members whose value the service never repeats in a message.
const SENSITIVE: [&str; 10] = [
    "cause",
    "context",
    "definition",
    "description",
    "error",
    "input",
    "mapItemReaderData",
    "output",
    "variables",
    "versionDescription",
];

/// Shortest and longest of the texts that many requests have (the service's model).
pub(super) const ARN: (usize, usize) = (1, 256);
pub(super) const LONG_ARN: (usize, usize) = (1, 2_000);
pub(super) const NAME: (usize, usize) = (1, 80);
pub(super) const TOKEN: (usize, usize) = (1, 1_024);
pub(super) const DESCRIPTION: (usize, usize) = (0, 256);
pub(super) const DEFINITION: (usize, usize) = (1, crate::asl::MAX_DEFINITION_BYTES);
pub(super) const DATA: (usize, usize) = (0, crate::exec::MAX_DATA);

impl Params {
    /// The members of a request's body.
    pub(super) fn new(body: Value) -> Result<Self, ApiError> {
        match body {
            Value::Object(map) => Ok(Self { map, problems: Mutex::default() }),
            Value::Null => Ok(Self { map: Map::new(), problems: Mutex::default() }),
            other => Err(mistyped(&other, "Structure")),
        }
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|v| !v.is_null())
    }

    /// A violated limit; [`Params::check`] reports it.
    pub(super) fn violated(&self, shown: &str, at: &str, constraint: &str) {
        let value = match SENSITIVE.contains(&at.rsplit('.').next().unwrap_or(at)) {
            true => "Value".to_owned(),
            false if shown == "null" => "Value null".to_owned(),
            false => format!("Value '{shown}'"),
        };
        let text = format!("{value} at '{at}' failed to satisfy constraint: Member must {constraint}");
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    /// Fails with every violation found so far.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let message = match problems.len() {
            0 => return Ok(()),
            1 => format!("1 validation error detected: {}", problems[0]),
            n => format!("{n} validation errors detected: {}", problems.join("; ")),
        };
        Err(ApiError::new("ValidationException", message))
    }

    /// Notes a missing member.
    pub(super) fn required(&self, name: &str) {
        if self.get(name).is_none() {
            self.violated("null", name, "not be null");
        }
    }

    /// A text within limits of length.
    pub(super) fn text(&self, name: &str, limits: (usize, usize)) -> Result<Option<String>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| mistyped(value, "String"))?;
        self.length(text, name, text.chars().count(), limits);
        Ok(Some(text.to_owned()))
    }

    /// Notes a length out of limits.
    pub(super) fn length(&self, shown: &str, at: &str, length: usize, (least, most): (usize, usize)) {
        if length > most {
            self.violated(shown, at, &format!("have length less than or equal to {most}"));
        } else if length < least {
            self.violated(shown, at, &format!("have length greater than or equal to {least}"));
        }
    }

    /// A text that has to be there; empty until [`Params::check`] has refused its absence.
    pub(super) fn required_text(&self, name: &str, limits: (usize, usize)) -> Result<String, ApiError> {
        self.required(name);
        Ok(self.text(name, limits)?.unwrap_or_default())
    }

    /// One of the values of an enumeration.
    pub(super) fn choice(
        &self,
        name: &str,
        allowed: &[&'static str],
    ) -> Result<Option<&'static str>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| mistyped(value, "String"))?;
        let found = allowed.iter().find(|a| **a == text).copied();
        if found.is_none() {
            self.violated(text, name, &format!("satisfy enum value set: [{}]", allowed.join(", ")));
        }
        Ok(found)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| mistyped(value, "Boolean"))
    }

    /// A whole number within limits.
    pub(super) fn whole(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_i64().or_else(|| value.as_f64().map(|n| n as i64));
        let number = number.filter(|_| value.is_number()).ok_or_else(|| mistyped(value, "Integer"))?;
        if number > most {
            self.violated(&number.to_string(), name, &format!("have value less than or equal to {most}"));
        } else if number < least {
            self.violated(&number.to_string(), name, &format!("have value greater than or equal to {least}"));
        }
        Ok(Some(number))
    }

    /// A number of any kind, 0 to 100.
    pub(super) fn percentage(&self, name: &str) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_f64().ok_or_else(|| mistyped(value, "Float"))?;
        if number > 100.0 {
            self.violated(&number.to_string(), name, "have value less than or equal to 100");
        } else if number < 0.0 {
            self.violated(&number.to_string(), name, "have value greater than or equal to 0");
        }
        Ok(Some(number))
    }

    /// A list.
    pub(super) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, ApiError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_array().map(Some).ok_or_else(|| mistyped(value, "List"))
    }

    /// A structure inside this one; its violations are its own.
    pub(super) fn inner(&self, name: &str) -> Result<Option<Self>, ApiError> {
        self.get(name).map(|value| Self::new(value.clone())).transpose()
    }

    /// `maxResults` and `nextToken` of a call that pages.
    pub(super) fn page(&self) -> Result<(Option<u32>, Option<String>), ApiError> {
        self.page_with(TOKEN)
    }

    /// The same with other limits of the token.
    pub(super) fn page_with(&self, token: (usize, usize)) -> Result<(Option<u32>, Option<String>), ApiError> {
        let most = self.whole("maxResults", 0, 1_000)?.and_then(|n| u32::try_from(n).ok());
        Ok((most, self.text("nextToken", token)?))
    }
}

/// A value of the wrong JSON type, in the words of the service's parser.
pub(super) fn mistyped(value: &Value, wanted: &str) -> ApiError {
    let article = if wanted.starts_with(['I', 'A']) { "an" } else { "a" };
    let message = match (value, wanted) {
        (_, "Structure") | (_, "List") if !value.is_object() && !value.is_array() => {
            "Unexpected value type in payload".to_owned()
        }
        (Value::Object(_), _) => "Start of structure or map found where not expected".to_owned(),
        (Value::Array(_), _) => "Start of list found where not expected".to_owned(),
        (Value::String(_), _) => format!("STRING_VALUE can not be converted to {article} {wanted}"),
        (Value::Number(_), _) => format!("NUMBER_VALUE can not be converted to {article} {wanted}"),
        (Value::Bool(true), _) => format!("TRUE_VALUE can not be converted to {article} {wanted}"),
        (Value::Bool(false), _) => format!("FALSE_VALUE can not be converted to {article} {wanted}"),
        (Value::Null, _) => format!("NULL_VALUE can not be converted to {article} {wanted}"),
    };
    ApiError::new("SerializationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn params(body: Value) -> Params {
        Params::new(body).unwrap()
    }

    #[test]
    fn violations_are_counted_and_joined() {
        let p = params(json!({"name": "", "maxResults": 1001}));
        p.required_text("name", NAME).unwrap();
        p.page().unwrap();
        p.required("roleArn");
        let error = p.check().unwrap_err();
        assert_eq!(error.code, "ValidationException");
        assert_eq!(
            error.message,
            "3 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; \
             Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000; \
             Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn wrong_types_are_refused_at_once() {
        let p = params(json!({"name": 7, "publish": "yes", "tags": {}, "maxResults": []}));
        assert_eq!(
            p.text("name", NAME).unwrap_err().message,
            "NUMBER_VALUE can not be converted to a String"
        );
        assert_eq!(p.flag("publish").unwrap_err().message, "STRING_VALUE can not be converted to a Boolean");
        assert_eq!(p.list("tags").unwrap_err().message, "Start of structure or map found where not expected");
        assert_eq!(p.page().unwrap_err().code, "SerializationException");
        assert!(Params::new(json!([1])).is_err());
    }

    #[test]
    fn what_is_secret_is_not_repeated() {
        let p = params(json!({"input": "x".repeat(9)}));
        p.text("input", (0, 8)).unwrap();
        assert!(p.check().unwrap_err().message.starts_with("1 validation error detected: Value at 'input' "));
    }
}
