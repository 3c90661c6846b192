//! A URL to read from. Its query may be a signature, so nothing but [`Url::reveal`] gives it out: printed, logged or
//! written as JSON it stands there as `?…`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Signed URLs are long, and servers take up to 8 KiB of them by default.
const LONGEST: usize = 8_192;
/// How a query that is not shown is written.
const LEFT_OUT: &str = "…";
const EXPECTED: &str = "expected https://HOST[:PORT]/PATH[?QUERY]";

/// A text that is no URL to read from. It quotes nothing of the text but its scheme.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{EXPECTED}, found {0}")]
pub struct UrlError(String);

/// Where a URL points to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Query {
    None,
    Given(String),
    /// There is one, which was not written down.
    LeftOut,
}

/// An absolute `https` (or `http`) URL without user, password and fragment. Its host has one form only: names in lower case,
/// addresses as the standard library writes them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    https: bool,
    host: Host,
    port: Option<u16>,
    path: String,
    query: Query,
}

impl Url {
    /// Whether it is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The path, which begins with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether there is a query, shown or not.
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.query != Query::None
    }

    /// Whether it has a query that was not written down: it can be named, and not read.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.query == Query::LeftOut
    }

    /// The query. A secret.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        if let Query::Given(query) = &self.query { Some(query) } else { None }
    }

    /// All of it, with the query. A secret.
    #[must_use]
    pub fn reveal(&self) -> String {
        match &self.query {
            Query::Given(query) => format!("{}?{query}", self.place()),
            Query::None | Query::LeftOut => self.place(),
        }
    }

    /// Without its query.
    #[must_use]
    pub fn place(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}{}", self.host, self.path)
    }

    /// The same place without a query.
    #[must_use]
    pub fn without_query(&self) -> Self {
        Self { query: Query::None, ..self.clone() }
    }

    /// What a `Location` header of this URL's answer points to. A fragment there is left out.
    ///
    /// # Errors
    /// [`UrlError`] if that is no URL to read from.
    pub fn join(&self, location: &str) -> Result<Self, UrlError> {
        let location = escaped(location.split('#').next().unwrap_or_default());
        let base = self.without_query();
        let origin = Self { path: String::new(), ..base.clone() }.place();
        if scheme_of(&location).is_some() {
            return location.parse();
        }
        if let Some(rest) = location.strip_prefix("//") {
            return format!("{}://{rest}", if self.https { "https" } else { "http" }).parse();
        }
        if location.starts_with('/') {
            return format!("{origin}{location}").parse();
        }
        if location.is_empty() || location.starts_with('?') {
            return format!("{}{location}", base.place()).parse();
        }
        let (path, query) = location.split_once('?').map_or((&*location, None), |(p, q)| (p, Some(q)));
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{origin}{}{query}", without_dots(&format!("{folder}/{path}"))).parse()
    }
}

/// Bytes beyond ASCII as browsers send them; they do stand in headers of old servers.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// RFC 3986, 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

/// The scheme in front of a colon, if there is one.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let first = scheme.bytes().next()?.is_ascii_alphabetic();
    let word = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    (first && word).then_some(scheme)
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let refuse = |found: &str| Err(UrlError(found.to_owned()));
        let (text, cut) = text.strip_suffix(LEFT_OUT).map_or((text, false), |text| (text, true));
        if text.is_empty() || text.len() > LONGEST {
            return refuse(&format!("{} bytes (at most {LONGEST})", text.len()));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&b)) {
            return refuse("a character that has to be percent-encoded, or a fragment (#)");
        }
        let Some(scheme) = scheme_of(text) else { return refuse("no scheme") };
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            other => return refuse(&format!("scheme {:?}", other.chars().take(16).collect::<String>())),
        };
        let Some(rest) = text[scheme.len() + 1..].strip_prefix("//") else {
            return refuse("no // behind it");
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (path, query) = match rest.split_once('?') {
            Some((path, "")) if cut => (path, Query::LeftOut),
            Some((path, query)) if !cut => (path, Query::Given(query.to_owned())),
            None if !cut => (rest, Query::None),
            _ => return refuse("a query that is cut"),
        };
        let (host, port) = authority_of(authority, https)?;
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Self { https, host, port, path, query })
    }
}

fn authority_of(authority: &str, https: bool) -> Result<(Host, Option<u16>), UrlError> {
    let refuse = |found: &str| Err(UrlError(found.to_owned()));
    if authority.contains('@') {
        return refuse("a user or password before @");
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => {
            let Ok(address) = host.parse::<Ipv6Addr>() else { return refuse("no IPv6 address in brackets") };
            (Host::Address(address.into()), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (name_or_v4(host)?, port)
        }
    };
    let usual = if https { 443 } else { 80 };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse::<u16>() {
            Ok(port) if port > 0 => Some(port).filter(|port| *port != usual),
            _ => return refuse("no port of 1 to 65535"),
        },
        _ => return refuse("no port of 1 to 65535"),
    };
    Ok((host, port))
}

/// What browsers and resolvers take for an IPv4 address in disguise (`0x7f.1`, `2130706433`, `127.1`) is refused: a name whose
/// last label is a number is an address, and has one form only.
fn name_or_v4(host: &str) -> Result<Host, UrlError> {
    let host = host.to_ascii_lowercase();
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let label = |label: &str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(word)
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(UrlError(
            "no host name of letters, digits, hyphens and dots (xn--... for others)".to_owned(),
        ));
    }
    if number {
        return Err(UrlError("an address in another form than a.b.c.d".to_owned()));
    }
    Ok(Host::Name(host))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())?;
        if self.has_query() { write!(f, "?{LEFT_OUT}") } else { Ok(()) }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self})")
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Url};

    fn shown(text: &str) -> Result<String, String> {
        text.parse::<Url>().map(|url| url.reveal()).map_err(|error| error.to_string())
    }

    #[test]
    fn urls_have_one_form() {
        for (text, one) in [
            ("https://Example.COM", "https://example.com/"),
            ("HTTPS://example.com:443/a?b=c&d", "https://example.com/a?b=c&d"),
            ("https://example.com:8443/%2F/x//y;z=1,2?", "https://example.com:8443/%2F/x//y;z=1,2?"),
            ("http://10.0.0.1:80?x", "http://10.0.0.1/?x"),
            ("https://[::0:1]:8443/", "https://[::1]:8443/"),
            ("https://xn--bcher-kva.example/@:a", "https://xn--bcher-kva.example/@:a"),
        ] {
            assert_eq!(shown(text).unwrap(), one, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_to_read_from_is_refused_without_being_quoted() {
        for (text, told) in [
            ("", "0 bytes"),
            ("example.com/TOPSECRET", "no scheme"),
            ("ftp://example.com/TOPSECRET", "scheme \"ftp\""),
            ("file:///TOPSECRET", "scheme \"file\""),
            ("data:text/plain,TOPSECRET", "scheme \"data\""),
            ("gopher://example.com/TOPSECRET", "scheme \"gopher\""),
            ("https:/example.com/TOPSECRET", "no //"),
            ("https:///TOPSECRET", "no host name"),
            ("https://user:TOPSECRET@example.com/", "user or password"),
            ("https://TOPSECRET@example.com/", "user or password"),
            ("https://example.com\\@TOPSECRET/", "percent-encoded"),
            ("https://example.com/TOP SECRET", "percent-encoded"),
            ("https://example.com/a#TOPSECRET", "fragment"),
            ("https://b\u{fc}cher.example/TOPSECRET", "percent-encoded"),
            ("https://example.com:0/TOPSECRET", "no port"),
            ("https://example.com:65536/TOPSECRET", "no port"),
            ("https://example.com:+1/TOPSECRET", "no port"),
            ("https://ex%61mple.com/TOPSECRET", "no host name"),
            ("https://example.com./TOPSECRET", "no host name"),
            ("https://[fe80::1%25eth0]/TOPSECRET", "no IPv6"),
            ("https://0x7f.1/TOPSECRET", "another form"),
            ("https://2130706433/TOPSECRET", "another form"),
            ("https://127.1/TOPSECRET", "another form"),
            ("https://0177.0.0.1/TOPSECRET", "another form"),
            ("https://127.0.0.1.2/TOPSECRET", "another form"),
            ("https://a.0x/TOPSECRET", "another form"),
        ] {
            let refused = shown(text).unwrap_err();
            assert!(refused.contains(told) && !refused.contains("TOPSECRET"), "{text}: {refused}");
        }
        assert!(shown(&format!("https://example.com/{}", "x".repeat(8_192))).unwrap_err().contains("bytes"));
    }

    #[test]
    fn a_query_is_shown_to_nobody_and_known_to_be_missing_afterwards() {
        let url: Url = "https://example.com/a?X-Amz-Signature=TOPSECRET".parse().unwrap();
        let json = serde_json::to_string(&url).unwrap();
        assert_eq!(
            (url.to_string().as_str(), json.as_str()),
            ("https://example.com/a?…", "\"https://example.com/a?…\"")
        );
        assert!(!format!("{url:?}").contains("TOPSECRET"));
        let cut: Url = serde_json::from_str(&json).unwrap();
        assert!(cut.is_cut() && cut.query().is_none() && cut.to_string() == url.to_string());
        assert!(
            "https://example.com/a…".parse::<Url>().is_err()
                && "https://example.com/a?b…".parse::<Url>().is_err()
        );
        let plain: Url = "https://example.com/a".parse().unwrap();
        assert!(!plain.has_query() && plain.to_string() == "https://example.com/a");
    }

    #[test]
    fn a_location_is_resolved_as_browsers_do() {
        let base: Url = "https://example.com/a/b/c?d=e".parse().unwrap();
        for (location, target) in [
            ("https://other.example/x?y#z", "https://other.example/x?y"),
            ("//other.example/x", "https://other.example/x"),
            ("/x?y=/../z", "https://example.com/x?y=/../z"),
            ("x", "https://example.com/a/b/x"),
            ("../x?y", "https://example.com/a/x?y"),
            ("../../../x/.", "https://example.com/x/"),
            ("?y", "https://example.com/a/b/c?y"),
            ("", "https://example.com/a/b/c"),
            ("/\u{fc}", "https://example.com/%C3%BC"),
        ] {
            assert_eq!(base.join(location).unwrap().reveal(), target, "{location}");
        }
        for refused in
            ["file:///etc/passwd", "https://a@b/", "gopher://x", "//user@x/", "https://2130706433/"]
        {
            assert!(base.join(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        let host = |text: &str| text.parse::<Url>().unwrap().host().clone();
        assert_eq!(host("https://[::ffff:169.254.169.254]/").to_string(), "[::ffff:169.254.169.254]");
        assert_eq!(host("https://127.0.0.1/"), Host::Address("127.0.0.1".parse().unwrap()));
        assert_eq!(host("https://A_b.example/"), Host::Name("a_b.example".to_owned()));
    }
}
