//! Signature Version 4: a request is signed again with the key that it names, and has to come out the same.
mod authorization;
mod canonical;
mod date;

use crate::answer::Refusal;
use crate::keys::Key;
use authorization::Authorization;
use base64::Engine as _;
use date::Date;
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};
use std::time::SystemTime;

pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What the scope of a credential has to name.
pub(crate) struct Place<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Whether a request was signed by one of the keys, for this place and within the last minutes.
pub(crate) fn check(
    parts: &Parts,
    body: &[u8],
    keys: &[Key],
    place: &Place<'_>,
    now: SystemTime,
) -> Result<(), Refusal> {
    let headers = &parts.headers;
    let Some(header) = text(headers, "authorization") else {
        return Err(Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token"));
    };
    let date = Date::of(headers);
    let authorization = Authorization::parse(header, date.is_some())?;
    let Some(date) = date else {
        return Err(Refusal::new("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'."));
    };
    let key = known(keys, authorization.key)?;
    check_session(key, text(headers, "x-amz-security-token"), now)?;
    authorization.check_scope(place, &date)?;
    date.check_skew(now)?;
    authorization.check_signed(headers)?;
    let request = canonical::request(parts, &authorization.signed, body)?;
    verify(key, &authorization, &date, &request)
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

fn known<'a>(keys: &'a [Key], id: &str) -> Result<&'a Key, Refusal> {
    let key = keys.iter().find(|key| key.id == id);
    key.ok_or_else(|| Refusal::new("UnrecognizedClientException", INVALID_TOKEN))
}

fn check_session(key: &Key, token: Option<&str>, now: SystemTime) -> Result<(), Refusal> {
    match (&key.session, token) {
        (None, None) => Ok(()),
        (Some(session), Some(token)) if session.token == token => {
            if now < session.expires {
                return Ok(());
            }
            let message = "The security token included in the request is expired";
            Err(Refusal::new("ExpiredTokenException", message))
        }
        _ => Err(Refusal::new("UnrecognizedClientException", INVALID_TOKEN)),
    }
}

fn verify(key: &Key, authorization: &Authorization<'_>, date: &Date, request: &str) -> Result<(), Refusal> {
    let scope = &authorization.scope;
    let steps = [scope.day, scope.region, scope.service, scope.terminator];
    let mut signing = format!("AWS4{}", key.secret).into_bytes();
    for step in steps {
        signing = mac(&signing, step)?.finalize().into_bytes().to_vec();
    }
    let to_sign = format!("{ALGORITHM}\n{}\n{}\n{}", date.text, steps.join("/"), hash(request.as_bytes()));
    let given = unhex(authorization.signature);
    // Compared in constant time.
    if given.is_some_and(|given| mac(&signing, &to_sign).is_ok_and(|mac| mac.verify_slice(&given).is_ok())) {
        return Ok(());
    }
    Err(Refusal::new(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    ))
}

fn mac(key: &[u8], message: &str) -> Result<Hmac<Sha256>, Refusal> {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.map_err(|error| Refusal::new("InternalFailure", error.to_string()))?;
    mac.update(message.as_bytes());
    Ok(mac)
}

/// SHA-256 in lower-case hexadecimal.
fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in base64: how messages show a header that may hold a secret.
pub(crate) fn veiled(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
