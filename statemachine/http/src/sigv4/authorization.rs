//! The `Authorization` header: its parts, and what the service says of each that is missing or wrong.
use super::date::Date;
use super::{ALGORITHM, Place, veiled};
use crate::answer::Refusal;
use hyper::header::HeaderMap;

/// A parsed header.
#[derive(Debug)]
pub(super) struct Authorization<'a> {
    /// The access key's id.
    pub(super) key: &'a str,
    pub(super) scope: Scope<'a>,
    /// Names of headers, lower case, as they are listed.
    pub(super) signed: Vec<&'a str>,
    /// Hexadecimal.
    pub(super) signature: &'a str,
}

/// What a signature is good for.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) day: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) terminator: &'a str,
}

fn incomplete(message: impl Into<String>) -> Refusal {
    Refusal::new("IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidSignatureException", message)
}

impl<'a> Authorization<'a> {
    /// Reads a header. `dated`: whether the request has a date.
    pub(super) fn parse(header: &'a str, dated: bool) -> Result<Self, Refusal> {
        let Some(fields) = header.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with([' ', '\t'])) else {
            return Err(incomplete(format!(
                "Authorization header requires '{ALGORITHM}' as its algorithm. (Hashed with SHA-256 and encoded with Base64) Authorization={}",
                veiled(header)
            )));
        };
        let mut found = [None; 3];
        const NAMES: [&str; 3] = ["Credential", "Signature", "SignedHeaders"];
        for field in fields.split([',', ' ', '\t']).filter(|field| !field.is_empty()) {
            let Some((name, value)) = field.split_once('=') else {
                return Err(incomplete(format!(
                    "'{field}' not a valid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '{}'.",
                    veiled(header)
                )));
            };
            if let Some(at) = NAMES.iter().position(|known| *known == name) {
                found[at] = Some(value).filter(|value| !value.is_empty());
            }
        }
        match found {
            [Some(credential), Some(signature), Some(signed)] if dated => {
                let (key, scope) = Scope::parse(credential)?;
                Ok(Self { key, scope, signed: signed.split(';').collect(), signature })
            }
            found => {
                let missing = NAMES.iter().zip(found).filter(|(_, value)| value.is_none());
                let mut message: String = missing
                    .map(|(name, _)| format!("Authorization header requires '{name}' parameter. "))
                    .collect();
                if !dated {
                    message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
                }
                message += "(Hashed with SHA-256 and encoded with Base64) Authorization=";
                Err(incomplete(message + &veiled(header)))
            }
        }
    }

    /// Whether the scope is of this place and of the request's day.
    pub(super) fn check_scope(&self, place: &Place<'_>, date: &Date) -> Result<(), Refusal> {
        let scope = &self.scope;
        if scope.region != place.region {
            return Err(invalid(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                scope.region
            )));
        }
        if scope.service != place.service {
            return Err(invalid(format!(
                "Credential should be scoped to correct service: '{}'. ",
                place.service
            )));
        }
        if scope.terminator != "aws4_request" {
            return Err(invalid(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                scope.terminator
            )));
        }
        if scope.day != date.day() {
            return Err(invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{}'.",
                scope.day,
                date.day(),
                date.text
            )));
        }
        Ok(())
    }

    /// `host` and what says which action of whom has to be under the signature.
    pub(super) fn check_signed(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let needed =
            |name: &str| name == "host" || (name.starts_with("x-amz-") && name != "x-amz-user-agent");
        match headers.keys().find(|name| needed(name.as_str()) && !self.signed.contains(&name.as_str())) {
            None if self.signed.contains(&"host") => Ok(()),
            None => Err(invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")),
            Some(name) => {
                Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")))
            }
        }
    }
}

impl<'a> Scope<'a> {
    fn parse(credential: &'a str) -> Result<(&'a str, Self), Refusal> {
        match credential.split('/').collect::<Vec<_>>()[..] {
            [key, day, region, service, terminator] => Ok((key, Self { day, region, service, terminator })),
            _ => Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            ))),
        }
    }
}
