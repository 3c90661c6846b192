//! The files of the page: a part of this program.

const PAGE: &str = include_str!("../../console/index.html");

/// In the page, in place of the key.
const MARK: &str = "{{key}}";

const FILES: [(&str, &str, &str); 10] = [
    ("/page.css", "text/css; charset=utf-8", include_str!("../../console/page.css")),
    ("/app.js", JS, include_str!("../../console/app.js")),
    ("/api.js", JS, include_str!("../../console/api.js")),
    ("/dom.js", JS, include_str!("../../console/dom.js")),
    ("/machine.js", JS, include_str!("../../console/machine.js")),
    ("/parts.js", JS, include_str!("../../console/parts.js")),
    ("/throughput.js", JS, include_str!("../../console/throughput.js")),
    ("/history.js", JS, include_str!("../../console/history.js")),
    ("/report.js", JS, include_str!("../../console/report.js")),
    ("/places.js", JS, include_str!("../../console/places.js")),
];

const JS: &str = "text/javascript; charset=utf-8";

/// The page with its key.
pub(super) fn page(key: &str) -> String {
    PAGE.replace(MARK, key)
}

/// A file's kind and text.
pub(super) fn file(path: &str) -> Option<(&'static str, &'static str)> {
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
