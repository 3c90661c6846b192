//! The files of the page: a part of the program that serves them, and what they are sent with.

use crate::http::Request;

const PAGE: &str = include_str!("../../../console/index.html");

/// In the page, in place of the key.
const MARK: &str = "{{key}}";

const FILES: [(&str, &str, &str); 11] = [
    ("/page.css", "text/css; charset=utf-8", include_str!("../../../console/page.css")),
    ("/app.js", JS, include_str!("../../../console/app.js")),
    ("/api.js", JS, include_str!("../../../console/api.js")),
    ("/dom.js", JS, include_str!("../../../console/dom.js")),
    ("/machine.js", JS, include_str!("../../../console/machine.js")),
    ("/notes.js", JS, include_str!("../../../console/notes.js")),
    ("/parts.js", JS, include_str!("../../../console/parts.js")),
    ("/throughput.js", JS, include_str!("../../../console/throughput.js")),
    ("/history.js", JS, include_str!("../../../console/history.js")),
    ("/report.js", JS, include_str!("../../../console/report.js")),
    ("/places.js", JS, include_str!("../../../console/places.js")),
];

const JS: &str = "text/javascript; charset=utf-8";

/// The page asks nobody else, is in no one's frame, and its address, which may hold a key, is told to nobody.
pub const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-frame-options", "DENY"),
];

/// The page with the key that it is to show with each request.
#[must_use]
pub fn page(key: &str) -> String {
    PAGE.replace(MARK, key)
}

/// What a request asks of the page itself, its kind and text; without a key: who may ask is somebody else's to say.
pub(crate) fn asked(request: &Request) -> Option<(&'static str, String)> {
    if request.method != "GET" {
        return None;
    }
    if request.path == "/" {
        return Some(("text/html; charset=utf-8", page("")));
    }
    file(&request.path).map(|(kind, text)| (kind, text.to_owned()))
}

/// A file's kind and text.
#[must_use]
pub fn file(path: &str) -> Option<(&'static str, &'static str)> {
    FILES.iter().find(|(name, ..)| *name == path).map(|(_, kind, text)| (*kind, *text))
}

#[cfg(test)]
mod tests {
    use super::{FILES, MARK, PAGE, page};

    #[test]
    fn the_page_has_all_that_it_names_and_one_place_for_the_key() {
        assert_eq!(PAGE.matches(MARK).count(), 1);
        assert!(page("abc").contains("\"abc\""));
        for (name, _, text) in FILES {
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let from = line.rsplit('"').nth(1).unwrap().trim_start_matches('.');
                assert!(FILES.iter().any(|(file, ..)| *file == from), "{name}: {line}");
            }
            assert!(!text.contains("http://") || name == "/dom.js", "{name}: an address of elsewhere");
        }
    }
}
