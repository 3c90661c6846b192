//! AWS beside S3, for people's tools: one signed request, one answer. The functions need none of it.

use std::error::Error;
use std::fmt;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::region::Region;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use super::endpoint::Service;
use super::http::{Answer, Question, ask};
use super::own::Own;
use super::{Unread, json};
use crate::StoreErrorKind;
use crate::location::Partition;

/// Tries of a request: somebody waits for it.
const TRIES: u32 = 3;

/// Somebody in a Region of AWS.
#[derive(Debug, Clone)]
pub struct Account(Own);

/// Why there is no answer. The message names services, codes and places, never a value.
#[derive(Debug)]
pub struct Refused(Unread);

impl Refused {
    /// The service's code, if it answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// What it means for the request.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Whether the service answered that this is not allowed.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        let denied =
            |code: &str| matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation");
        self.code().is_some_and(denied)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Refused {}

impl Account {
    /// With the credentials that the AWS tools would use, in the given Region or theirs; `None` where there is none.
    ///
    /// # Errors
    /// If the Region is none of AWS.
    pub async fn of_process(region: Option<&str>) -> Result<Option<Self>, Refused> {
        let region = match region {
            Some(region) => Some(Region::new(region.to_owned())),
            None => DefaultRegionChain::builder().build().region().await,
        };
        let Some(region) = region else { return Ok(None) };
        Own::in_region(region).await.map(|own| Some(Self::of(own, "credentials"))).map_err(Refused)
    }

    /// With credentials of the caller's own; `whose` they are, for messages.
    ///
    /// # Errors
    /// If the Region is none of AWS.
    pub(crate) fn with(
        region: &str,
        credentials: SharedCredentialsProvider,
        whose: &'static str,
    ) -> Result<Self, Refused> {
        let own = Own::new(region, credentials, |name| std::env::var(name).ok()).map_err(Refused)?;
        Ok(Self::of(own, whose))
    }

    fn of(mut own: Own, whose: &'static str) -> Self {
        (own.tries, own.whose) = (TRIES, whose);
        Self(own)
    }

    /// The Region that is asked.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// Its partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.0.partition
    }

    /// An action of a service that speaks JSON, by its target (`secretsmanager.DescribeSecret`).
    ///
    /// # Errors
    /// The service's, or why it was not reached.
    pub async fn json(&self, service: Service, target: &str, body: &Value) -> Result<Value, Refused> {
        json::call(&self.0, service, target, body).await.map_err(Refused)
    }

    /// A resource of a service that has paths; `action` is for messages.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn get(&self, service: Service, action: &str, path: &str) -> Result<Value, Refused> {
        json::get(&self.0, service, action, path).await.map_err(Refused)
    }

    /// An action of a service that speaks the query protocol: a form, answered in XML.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub async fn query<T: DeserializeOwned>(
        &self,
        service: Service,
        action: &str,
        version: &str,
        form: &[(&str, &str)],
    ) -> Result<T, Refused> {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in form {
            body.push_str(&format!("&{name}={}", escape(value)));
        }
        let action = format!("{}:{action}", service.name());
        let question = Question {
            service,
            action: &action,
            method: "POST",
            path: "/",
            headers: &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: &body,
        };
        ask(&self.0, &question, |answer| read(&action, &answer)).await.map_err(Refused)
    }
}

#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(rename = "Error")]
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "Code")]
    code: String,
    #[serde(rename = "Message", default)]
    message: Option<String>,
}

fn read<T: DeserializeOwned>(action: &str, answer: &Answer) -> Result<T, Unread> {
    let text = String::from_utf8_lossy(&answer.body);
    if answer.status == 200 {
        return quick_xml::de::from_str(&text).map_err(|error| {
            Unread::new(StoreErrorKind::Malformed, format!("{action}: another answer than expected: {error}"))
        });
    }
    let said = quick_xml::de::from_str::<ErrorResponse>(&text).ok().map(|answer| answer.error);
    let code = said.as_ref().map(|said| said.code.as_str());
    Err(Unread::answered(action, answer.status, code, said.as_ref().and_then(|said| said.message.as_deref())))
}

/// As forms are written: everything but the unreserved characters.
fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte as char),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
