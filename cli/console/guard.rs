//! Who may ask: a page that this process sent itself, to whoever was shown its URL.
//!
//! The URL has a key, and the page carries it in a header of each request. So neither another site in the same browser (it can
//! send requests here, but not this header) nor another user of this machine (who was not shown the URL) can ask anything;
//! and a name that resolves to this machine by somebody else's doing is refused before anything else.

use hyper::Method;
use hyper::http::request::Parts;

use super::files;

/// Of each request of the page.
const HEADER: &str = "x-transload-key";

/// Names of this machine, and of nothing else.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Holds requests against the key of this process.
#[derive(Debug)]
pub(super) struct Guard(String);

impl Guard {
    /// With a key that nobody else has.
    pub(super) fn new() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    /// The key.
    pub(super) fn key(&self) -> &str {
        &self.0
    }

    /// Why a request is refused.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), String> {
        let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or("no text"));
        let host = header("host").unwrap_or("none");
        if !is_loopback(host) {
            return Err(format!("Host: expected this machine ({}), found {host}", NAMES.join(", ")));
        }
        if let Some(origin) = header("origin").filter(|origin| *origin != format!("http://{host}")) {
            return Err(format!("Origin: expected http://{host}, found {origin}"));
        }
        if parts.method == Method::GET && files::file(parts.uri.path()).is_some() {
            return Ok(());
        }
        let shown = match parts.uri.path() {
            "/" => key_of(parts.uri.query().unwrap_or_default()),
            _ => header(HEADER),
        };
        if shown.is_some_and(|shown| same(shown, &self.0)) {
            return Ok(());
        }
        Err("expected the key of this page; open the URL that `transload console` printed".to_owned())
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    NAMES.contains(&name)
}

fn key_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("key="))
}

/// In a time that does not tell how much of it was right.
fn same(shown: &str, key: &str) -> bool {
    shown.len() == key.len() && shown.bytes().zip(key.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::Guard;
    use hyper::Request;

    fn checked(guard: &Guard, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), String> {
        let request =
            headers.iter().fold(Request::builder().method(method).uri(uri), |request, (name, value)| {
                request.header(*name, *value)
            });
        guard.check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn only_the_page_itself_on_this_machine_may_ask() {
        let guard = Guard::new();
        let key = guard.key();
        let page = format!("/?key={key}");
        let host = ("host", "127.0.0.1:80");
        let good = ("x-transload-key", key);
        assert_eq!(checked(&guard, "GET", &page, &[host]), Ok(()));
        assert_eq!(checked(&guard, "GET", "/app.js", &[host]), Ok(()));
        assert_eq!(
            checked(&guard, "POST", "/api/stop", &[host, good, ("origin", "http://127.0.0.1:80")]),
            Ok(())
        );
        assert_eq!(checked(&guard, "GET", "/api/places", &[("host", "[::1]:80"), good]), Ok(()));
        for (method, uri, headers) in [
            ("GET", "/", vec![host]),
            ("GET", "/?key=", vec![host]),
            ("GET", "/?key=00000000000000000000000000000000", vec![host]),
            ("GET", "/api/places", vec![host]),
            ("POST", "/api/stop", vec![host, ("x-transload-key", "x")]),
            ("POST", page.as_str(), vec![("host", "evil.example:80")]),
            ("POST", "/api/stop", vec![host, good, ("origin", "http://evil.example")]),
            ("POST", "/api/stop", vec![host, good, ("origin", "null")]),
            ("GET", "/api/places", vec![("host", "127.0.0.1.evil.example"), good]),
            ("GET", "/app.js", vec![("host", "evil.example")]),
            ("GET", "/api/places", vec![good]),
        ] {
            assert!(checked(&guard, method, uri, &headers).is_err(), "{method} {uri} {headers:?}");
        }
    }
}
