//! Placeholders: what in a recording stands for a value that is another one each time.
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

/// What every recording has as the whole of a string where a moment was.
const MOMENTS: [&str; 3] = ["timestamp", "datetime", "date"];

struct Token {
    text: String,
    /// Matches the whole of a real value.
    pattern: Regex,
    /// Whether it means the same value throughout the case.
    same: bool,
}

/// The placeholders of a case, and what has been found for them so far.
pub(crate) struct Tokens {
    /// Longest first: one may be the beginning of another.
    tokens: Vec<Token>,
    whole: BTreeSet<String>,
    pub(crate) found: BTreeMap<String, String>,
}

enum Piece<'a> {
    Literal(&'a str),
    Token(&'a Token),
}

impl Tokens {
    /// Those of a case.
    pub(crate) fn of(case: &Value) -> Self {
        let listed = case["placeholders"].as_array().into_iter().flatten();
        let mut tokens: Vec<Token> = listed.filter_map(token).collect();
        tokens.sort_by_key(|t| std::cmp::Reverse(t.text.len()));
        let whole = case["wildcards"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let whole = whole.chain(MOMENTS).map(str::to_owned).collect();
        Self { tokens, whole, found: BTreeMap::new() }
    }

    /// Whether the whole of a string stands for anything.
    pub(crate) fn is_wild(&self, expected: &str) -> bool {
        self.whole.contains(expected)
    }

    /// Whether the whole of a string is a placeholder.
    pub(crate) fn is_token(&self, expected: &str) -> bool {
        self.tokens.iter().any(|t| t.text == expected)
    }

    /// Whether a string is what the recording says, and if so, remembers what stood for its placeholders.
    pub(crate) fn matches(&mut self, expected: &str, actual: &str) -> bool {
        if expected == actual || self.is_wild(expected) {
            return true;
        }
        let pieces = self.pieces(expected);
        if !pieces.iter().any(|p| matches!(p, Piece::Token(_))) {
            return false;
        }
        let Some(found) = fit(&pieces, actual, self.found.clone()) else { return false };
        self.found = found;
        true
    }

    fn pieces<'a>(&'a self, text: &'a str) -> Vec<Piece<'a>> {
        let (mut pieces, mut from, mut at) = (Vec::new(), 0, 0);
        while at < text.len() {
            if let Some(token) = self.tokens.iter().find(|t| t.stands_at(text, at)) {
                if from < at {
                    pieces.push(Piece::Literal(&text[from..at]));
                }
                pieces.push(Piece::Token(token));
                at += token.text.len();
                from = at;
            } else {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        if from < at {
            pieces.push(Piece::Literal(&text[from..]));
        }
        pieces
    }
}

fn token(listed: &Value) -> Option<Token> {
    let text = listed["token"].as_str().filter(|t| !t.is_empty())?.to_owned();
    Some(Token { text, pattern: compiled(listed["pattern"].as_str()?)?, same: listed["same_value"] != "any" })
}

/// The cases share few patterns, and compiling one takes longer than all matching with it.
fn compiled(pattern: &str) -> Option<Regex> {
    static KNOWN: LazyLock<Mutex<BTreeMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = known.get(pattern) {
        return Some(regex.clone());
    }
    let regex = Regex::new(&format!("^(?s:{pattern})$")).ok()?;
    known.insert(pattern.to_owned(), regex.clone());
    Some(regex)
}

impl Token {
    /// Whether it begins here. One that looks like a word must not be a part of a longer word.
    fn stands_at(&self, text: &str, at: usize) -> bool {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        text[at..].starts_with(&self.text)
            && (self.text.starts_with('<')
                || !word(text[..at].chars().next_back())
                    && !word(text[at + self.text.len()..].chars().next()))
    }
}

/// Lays the pieces over a string, longest values first; gives what stood for the placeholders.
fn fit(
    pieces: &[Piece<'_>],
    actual: &str,
    found: BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let Some((piece, rest)) = pieces.split_first() else { return actual.is_empty().then_some(found) };
    let token = match piece {
        Piece::Literal(text) => return fit(rest, actual.strip_prefix(text)?, found),
        Piece::Token(token) => token,
    };
    if let Some(known) = found.get(&token.text).filter(|_| token.same).cloned() {
        return fit(rest, actual.strip_prefix(known.as_str())?, found);
    }
    let next = match rest.first() {
        Some(Piece::Literal(text)) => *text,
        _ => "",
    };
    let ends = actual.char_indices().map(|(at, _)| at).chain([actual.len()]);
    let mut ends: Vec<usize> = ends.filter(|&at| actual[at..].starts_with(next)).collect();
    if rest.is_empty() {
        ends = vec![actual.len()];
    }
    ends.iter().rev().find_map(|&at| {
        let (value, after) = actual.split_at(at);
        if value != token.text && !token.pattern.is_match(value) {
            return None;
        }
        let mut found = found.clone();
        if token.same && value != token.text {
            found.insert(token.text.clone(), value.to_owned());
        }
        fit(rest, after, found)
    })
}
