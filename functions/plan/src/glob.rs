//! Patterns of keys. All of a key has to match, byte for byte: no case is folded, nothing is normalised or escaped.
//!
//! | | in a path pattern | in an ignore list |
//! |---|---|---|
//! | `?` | one character but `/` | one character |
//! | `*` | any characters but `/`, or none | any characters, or none |
//! | `**` | any characters, or none | the same as `*` |
//!
//! A character is one of Unicode. A pattern is followed in all its ways at once, so that no key takes more than its length
//! times the pattern's.

use thiserror::Error;

/// Longest pattern in bytes: as long as a bucket's name, a slash and the longest key.
pub const LONGEST_PATTERN: usize = 63 + 1 + 1_024;

/// States of the longest pattern, one more than it has tokens, in words.
const WORDS: usize = (LONGEST_PATTERN + 1).div_ceil(64);

/// Whether wildcards stop at a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slashes {
    /// `*` and `?` do not cross it, `**` does.
    Stop,
    /// All wildcards cross it.
    Cross,
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a pattern of 1 to {LONGEST_PATTERN} bytes without NUL, found {found}")]
pub struct GlobError {
    found: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Is(char),
    /// One character; `true`: slashes too.
    One(bool),
    /// Any number of characters.
    Many(bool),
}

/// A pattern, ready to be held against keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    /// What every match begins with.
    head: String,
    tokens: Vec<Token>,
}

/// A set of states: state `n` is in front of token `n`.
#[derive(Clone, Copy)]
struct States([u64; WORDS]);

impl States {
    fn add(&mut self, tokens: &[Token], mut state: usize) {
        self.0[state / 64] |= 1 << (state % 64);
        // In front of many is behind them, too.
        while let Some(Token::Many(_)) = tokens.get(state) {
            state += 1;
            self.0[state / 64] |= 1 << (state % 64);
        }
    }

    fn step(&self, tokens: &[Token], found: char) -> Option<Self> {
        let (mut next, mut any) = (Self([0; WORDS]), false);
        for (word, bits) in self.0.iter().enumerate().take(tokens.len() / 64 + 1) {
            let mut bits = *bits;
            while bits != 0 {
                let state = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let to = match tokens.get(state) {
                    Some(Token::Is(expected)) if *expected == found => state + 1,
                    Some(Token::One(slashes)) if *slashes || found != '/' => state + 1,
                    Some(Token::Many(slashes)) if *slashes || found != '/' => state,
                    _ => continue,
                };
                next.add(tokens, to);
                any = true;
            }
        }
        any.then_some(next)
    }

    fn holds(&self, state: usize) -> bool {
        self.0[state / 64] & (1 << (state % 64)) != 0
    }
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`GlobError`] for an empty or overlong one, and for NUL, which no key has.
    pub fn new(pattern: &str, slashes: Slashes) -> Result<Self, GlobError> {
        if pattern.is_empty() || pattern.len() > LONGEST_PATTERN || pattern.contains('\0') {
            let found = match pattern.len() {
                0 => "nothing".to_owned(),
                len if len > LONGEST_PATTERN => format!("{len} bytes"),
                _ => format!("{pattern:?}"),
            };
            return Err(GlobError { found });
        }
        let head = pattern.find(['*', '?']).unwrap_or(pattern.len());
        Ok(Self {
            head: pattern[..head].to_owned(),
            tokens: tokens(&pattern[head..], slashes == Slashes::Cross),
        })
    }

    /// Whether all of a key matches.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        let Some(rest) = key.strip_prefix(self.head.as_str()) else { return false };
        let mut states = States([0; WORDS]);
        states.add(&self.tokens, 0);
        for found in rest.chars() {
            match states.step(&self.tokens, found) {
                Some(next) => states = next,
                None => return false,
            }
        }
        states.holds(self.tokens.len())
    }
}

fn tokens(text: &str, cross: bool) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), text.chars().peekable());
    while let Some(found) = rest.next() {
        tokens.push(match found {
            '?' => Token::One(cross),
            '*' => {
                let mut stars = 1;
                while rest.next_if_eq(&'*').is_some() {
                    stars += 1;
                }
                Token::Many(cross || stars > 1)
            }
            other => Token::Is(other),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::{Glob, LONGEST_PATTERN, Slashes};

    fn matches(pattern: &str, key: &str) -> bool {
        Glob::new(pattern, Slashes::Stop).unwrap().matches(key)
    }

    #[test]
    fn stars_stop_at_slashes_and_double_stars_do_not() {
        for (pattern, yes, no) in [
            ("*.jpg", &["a.jpg", ".jpg"][..], &["a/b.jpg", "a.JPG", "a.jpg/"][..]),
            ("**.jpg", &["a.jpg", "a/b/c.jpg"], &["a.jpeg"]),
            ("a/*/c", &["a/b/c", "a//c"], &["a/b/b/c", "a/c"]),
            ("a/**/c", &["a/b/c", "a/b/b/c", "a//c"], &["a/c", "b/a/b/c"]),
            ("a/**", &["a/", "a/b", "a/b/c"], &["a", "ab"]),
            ("**", &["", "a", "/", "a/b"], &[]),
            ("***", &["", "a/b"], &[]),
            ("a?c", &["abc", "a\u{e9}c", "a c", "a?c", "a*c"], &["a/c", "ac", "abbc"]),
            ("exact", &["exact"], &["exactly", "Exact", "", "exac"]),
            ("*a*a*a*b", &["aaab", "xaxaxab"], &["aab", "aaaaaaaaaaaaaaaaaaaa"]),
        ] {
            yes.iter().for_each(|key| assert!(matches(pattern, key), "{pattern} {key}"));
            no.iter().for_each(|key| assert!(!matches(pattern, key), "{pattern} {key}"));
        }
    }

    #[test]
    fn keys_that_only_look_alike_are_not_alike() {
        assert!(
            !matches("e\u{301}", "\u{e9}")
                && !matches("\u{212a}", "K")
                && matches("\u{1f680}*", "\u{1f680}x")
        );
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "a\0", &"a".repeat(LONGEST_PATTERN + 1)] {
            assert!(Glob::new(bad, Slashes::Stop).is_err(), "{bad:?}");
        }
        let most = "*?".repeat(LONGEST_PATTERN / 2);
        assert!(Glob::new(&most, Slashes::Stop).unwrap().matches(&"k".repeat(1_024)));
    }
}
