//! Whether an answer is what was recorded, and if not, where it first differs.
use super::document::Doc;
use super::tokens::Tokens;
use regex::Regex;
use serde_json::{Number, Value};
use std::sync::LazyLock;

/// Compares the answers of one case: a placeholder that was found in one has its value in the next.
pub(crate) struct Comparer {
    pub(crate) tokens: Tokens,
    /// In histories whose order is free, numbers of events in texts are, too.
    pub(crate) free_numbers: bool,
    /// Pairings that may still be tried.
    pub(crate) tries: usize,
    /// The first difference.
    pub(crate) why: Option<String>,
}

/// Enough for any recorded history; without a limit, a wrong one could take forever.
const TRIES: usize = 20_000;

impl Comparer {
    /// For a case.
    pub(crate) fn of(case: &Value) -> Self {
        Self { tokens: Tokens::of(case), free_numbers: false, tries: TRIES, why: None }
    }

    /// Notes a difference, if it is the first.
    pub(crate) fn differs(&mut self, path: &str, expected: &str, actual: &str) -> bool {
        self.why.get_or_insert_with(|| format!("{path}: expected {expected}, got {actual}"));
        false
    }

    /// Runs a comparison that leaves nothing behind if it fails.
    pub(crate) fn attempt(&mut self, compare: impl FnOnce(&mut Self) -> bool) -> bool {
        let (found, why) = (self.tokens.found.clone(), self.why.clone());
        if compare(self) {
            return true;
        }
        (self.tokens.found, self.why) = (found, why);
        false
    }

    /// Whether two strings are the same.
    pub(crate) fn strings(&mut self, expected: &str, actual: &str) -> bool {
        if !self.free_numbers {
            return self.tokens.matches(expected, actual);
        }
        let (expected, actual) = (unnumbered(expected), unnumbered(actual));
        self.tokens.matches(&expected, &actual)
    }

    /// Whether two values are the same.
    pub(crate) fn equal(&mut self, expected: &Doc, actual: &Doc, path: &str) -> bool {
        let same = match (expected, actual) {
            (Doc::Quoted(e, _), Doc::Quoted(a, _)) => return self.equal(e, a, &format!("{path}(json)")),
            (Doc::Quoted(_, e), Doc::Text(a)) | (Doc::Text(e), Doc::Quoted(_, a)) => {
                self.strings(e, a) || self.strings(&unspaced(e), &unspaced(a))
            }
            (Doc::Text(e), Doc::Text(a)) => self.strings(e, a),
            // A whole document may have been replaced.
            (Doc::Text(e), Doc::List(_) | Doc::Map(_)) => self.tokens.is_wild(e) || self.tokens.is_token(e),
            (Doc::Text(e), Doc::Number(_) | Doc::Bool(_)) => self.tokens.is_wild(e),
            (Doc::Number(e), Doc::Number(a)) => numbers(e, a),
            (Doc::List(e), Doc::List(a)) if e.len() == a.len() => {
                return (e.iter().zip(a).enumerate())
                    .all(|(i, (e, a))| self.equal(e, a, &format!("{path}[{i}]")));
            }
            (Doc::Map(e), Doc::Map(a)) => {
                if let Some(name) = e.keys().find(|k| !a.contains_key(*k)) {
                    return self.differs(&format!("{path}.{name}"), &e[name].shown(), "nothing");
                }
                if let Some(name) = a.keys().find(|k| !e.contains_key(*k)) {
                    return self.differs(&format!("{path}.{name}"), "nothing", &a[name].shown());
                }
                return e.iter().all(|(k, e)| self.equal(e, &a[k], &format!("{path}.{k}")));
            }
            (Doc::Null, Doc::Null) => true,
            (Doc::Bool(e), Doc::Bool(a)) => e == a,
            _ => false,
        };
        same || self.differs(path, &expected.shown(), &actual.shown())
    }
}

/// 1 and 1.0 are the same number.
fn numbers(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

fn unspaced(s: &str) -> String {
    s.split_whitespace().collect()
}

fn unnumbered(s: &str) -> String {
    #[allow(clippy::unwrap_used)] // A constant.
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"event id #\d+").unwrap());
    NUMBER.replace_all(s, "event id #N").into_owned()
}
