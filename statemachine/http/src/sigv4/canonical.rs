//! The canonical form of a request: what a signature is made over.
use super::hash;
use crate::answer::Refusal;
use hyper::http::request::Parts;

/// Method, path, query, signed headers and the body's hash, a line each.
pub(super) fn request(parts: &Parts, signed: &[&str], body: &[u8]) -> Result<String, Refusal> {
    let mut lines = vec![parts.method.as_str().to_owned(), parts.uri.path().to_owned()];
    lines.push(query(parts.uri.query().unwrap_or_default()));
    for name in signed {
        lines.push(format!("{name}:{}", header(parts, name)?));
    }
    lines.push(String::new());
    lines.push(signed.join(";"));
    lines.push(hash(body));
    Ok(lines.join("\n"))
}

/// Parameters in the order of their names. They are taken as escaped as they came: the API has none of its own.
fn query(query: &str) -> String {
    let with_sign = |part: &str| if part.contains('=') { part.to_owned() } else { format!("{part}=") };
    let mut parts: Vec<String> = query.split('&').filter(|part| !part.is_empty()).map(with_sign).collect();
    parts.sort();
    parts.join("&")
}

/// All values of a header, with single spaces.
fn header(parts: &Parts, name: &str) -> Result<String, Refusal> {
    let mut values = Vec::new();
    for value in parts.headers.get_all(name) {
        let value = String::from_utf8_lossy(value.as_bytes());
        values.push(value.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if values.is_empty() {
        let message =
            format!("'{name}' is a 'SignedHeader' in the AWS Authorization and not a header of the request.");
        return Err(Refusal::new("InvalidSignatureException", message));
    }
    Ok(values.join(","))
}
