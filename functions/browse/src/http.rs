//! Requests and answers as plain HTTP has them, whoever serves them.

use serde_json::{Map, Value, json};
use transload_wire::{ErrorName, Failure};

/// Longest body of an answer as it travels: Lambda takes 6 MB with the body as a JSON string inside of another document,
/// where each quote and backslash counts twice; some is left for the headers.
const LONGEST: usize = 6 * 1_000 * 1_000 - 16 * 1_024;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Decoded, `/api/executions` say.
    pub path: String,
    /// Decoded, in order; a name may come more than once.
    pub query: Vec<(String, String)>,
    /// What was posted.
    pub body: Vec<u8>,
}

/// An answer: JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// HTTP's.
    pub status: u16,
    /// The document.
    pub body: Value,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP's.
    pub status: u16,
    /// The name: Step Functions' own, or one of this API.
    pub error: String,
    /// A sentence.
    pub message: String,
    /// Field, expected, found: as far as they are known.
    pub details: Box<Map<String, Value>>,
}

impl Refusal {
    /// With a message alone.
    pub(crate) fn new(status: u16, error: &str, message: impl Into<String>) -> Self {
        Self { status, error: error.to_owned(), message: message.into(), details: Box::default() }
    }

    /// A field that is not what it should be.
    pub(crate) fn field(field: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (expected.into(), found.into());
        let mut refusal =
            Self::new(400, "InputInvalid", format!("{field}: expected {expected}, found {found}"));
        refusal.details = details(field, &expected, &found);
        refusal
    }

    /// The answer.
    pub(crate) fn response(self) -> Response {
        let mut body = json!({"error": self.error, "message": self.message});
        if let Value::Object(body) = &mut body {
            body.extend(*self.details);
        }
        Response { status: self.status, body }
    }
}

fn details(field: &str, expected: &str, found: &str) -> Box<Map<String, Value>> {
    let pair = |(name, value): (&str, &str)| (name.to_owned(), json!(value));
    [("field", field), ("expected", expected), ("found", found)]
        .map(pair)
        .into_iter()
        .collect::<Map<_, _>>()
        .into()
}

impl From<Failure> for Refusal {
    /// Messages of failures read `field: expected X, found Y`, or `field: what was found, expected what` where the JSON
    /// reader wrote them.
    fn from(failure: Failure) -> Self {
        let status = match failure.name {
            name if name.as_str().ends_with("NotFound") => 404,
            name if name.as_str().ends_with("AccessDenied") => 403,
            ErrorName::InputInvalid
            | ErrorName::PlanInvalid
            | ErrorName::DestinationInvalid
            | ErrorName::Unsupported => 400,
            _ => 502,
        };
        let mut refusal = Self::new(status, failure.name.as_str(), failure.message);
        if let Some((field, rest)) =
            refusal.message.split_once(": ").filter(|(field, _)| !field.contains(' '))
        {
            let parts = match rest.strip_prefix("expected ").and_then(|rest| rest.rsplit_once(", found ")) {
                Some(parts) => parts,
                None => {
                    rest.split_once(", expected ").map_or(("", rest), |(found, expected)| (expected, found))
                }
            };
            refusal.details = details(field, parts.0, parts.1);
        }
        refusal
    }
}

impl Request {
    /// The first value of a parameter; an empty one counts as none.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(found, value)| found == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.query.iter().filter(move |(found, _)| found == name);
        values.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.parameter(name).ok_or_else(|| Refusal::field(name, "a value", "none"))
    }

    /// A whole number within bounds.
    pub(crate) fn number(&self, name: &str, low: u32, high: u32, usual: u32) -> Result<u32, Refusal> {
        let Some(text) = self.parameter(name) else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| {
            Refusal::field(name, format!("a whole number from {low} to {high}"), format!("{text:?}"))
        })
    }

    /// Query parameters out of what stands behind the question mark.
    ///
    /// # Errors
    /// If something in it is no UTF-8 once decoded.
    pub fn parse_query(text: &str) -> Result<Vec<(String, String)>, Refusal> {
        let decoded = |text: &str| {
            let spaced = text.replace('+', " ");
            urlencoding::decode(&spaced)
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| Refusal::field("query", "UTF-8 in percent encoding", format!("{text:?}")))
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decoded(name)?, decoded(value)?))
            })
            .collect()
    }
}

/// Whether an answer may travel.
pub(crate) fn fits(body: &Value) -> bool {
    let text = body.to_string();
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Request, fits};
    use serde_json::json;
    use transload_wire::ErrorName;

    #[test]
    fn queries_are_decoded_once() {
        let query = Request::parse_query("a=b%2Bc+d&a=%25&empty=&x").unwrap();
        let request = Request { query, ..Request::default() };
        assert_eq!(request.parameters("a").collect::<Vec<_>>(), ["b+c d", "%"]);
        assert_eq!((request.parameter("empty"), request.parameter("x")), (None, None));
        assert!(Request::parse_query("a=%ff").is_err());
        assert_eq!(request.number("limit", 1, 9, 5).unwrap(), 5);
        let request = Request { query: vec![("limit".to_owned(), "10".to_owned())], ..request };
        assert_eq!(request.number("limit", 1, 9, 5).unwrap_err().details["found"], "\"10\"");
    }

    #[test]
    fn failures_are_taken_apart_both_ways() {
        let ours =
            ErrorName::InputInvalid.because("options.rounds: expected a number from 1 to 100, found 0");
        let ours = Refusal::from(ours).response().body;
        assert_eq!(
            (&ours["field"], &ours["expected"], &ours["found"]),
            (&json!("options.rounds"), &json!("a number from 1 to 100"), &json!("0"))
        );
        let readers =
            ErrorName::InputInvalid.because("source.key: invalid type: integer `1`, expected a string");
        let readers = Refusal::from(readers).response().body;
        assert_eq!(
            (&readers["expected"], &readers["found"]),
            (&json!("a string"), &json!("invalid type: integer `1`"))
        );
    }

    #[test]
    fn what_is_doubled_on_the_way_counts_twice() {
        assert!(fits(&json!("a".repeat(5_900_000))));
        assert!(!fits(&json!("\"".repeat(2_900_000))));
    }
}
