//! Ignore lists: one `bucket/key` pattern a line, `*` for any characters and `?` for one, slashes too; case-sensitive.
//!
//! Blanks at the ends of a line do not count, nor do empty lines. A line that no `bucket/key` can ever match is a mistake,
//! and refused rather than passed over: what it was to keep out would be copied.

use thiserror::Error;

use crate::{Glob, GlobError, Slashes};

/// A line that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct IgnoreError {
    /// Its number, from 1.
    pub line: usize,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Problem {
    #[error(transparent)]
    Glob(#[from] GlobError),
    #[error("expected a pattern of bucket/key, found {0:?}, which has neither a slash nor a wildcard")]
    NoSlash(String),
    #[error("expected a pattern that begins with a bucket's name or a wildcard, found {0:?}")]
    NoBucket(String),
}

/// An ignore list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreList(Vec<Glob>);

impl IgnoreList {
    /// Reads a text.
    ///
    /// # Errors
    /// [`IgnoreError`] for the first line that can not be meant.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        Self::new(text.lines())
    }

    /// Reads lines.
    ///
    /// # Errors
    /// As [`IgnoreList::parse`].
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, IgnoreError> {
        let lines = lines.into_iter().map(str::trim).enumerate();
        let patterns = lines.filter(|(_, line)| !line.is_empty());
        let read = |(at, line)| pattern(line).map_err(|problem| IgnoreError { line: at + 1, problem });
        patterns.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a `bucket/key` is to be left out.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.0.iter().any(|glob| glob.matches(path))
    }
}

fn pattern(line: &str) -> Result<Glob, Problem> {
    let glob = Glob::new(line, Slashes::Cross)?;
    // What stands in front of the first slash or wildcard is a bucket's name, or the beginning of one.
    let end = line.find(['/', '*', '?']).ok_or_else(|| Problem::NoSlash(line.to_owned()))?;
    let (name, whole) = (&line[..end], line[end..].starts_with('/'));
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if !name.chars().all(letter) || name.len() > 63 || (whole && name.len() < 3) {
        return Err(Problem::NoBucket(line.to_owned()));
    }
    Ok(glob)
}

#[cfg(test)]
mod tests {
    use super::IgnoreList;

    #[test]
    fn every_documented_pattern_covers_what_it_is_documented_for() {
        for (pattern, covered, others) in [
            (
                "bucket/exact.mp4",
                &["bucket/exact.mp4"][..],
                &["bucket/exact.mp4x", "bucket/a/exact.mp4", "b/exact.mp4", "bucket/Exact.mp4"][..],
            ),
            (
                "bucket/exact.*",
                &["bucket/exact.mp4", "bucket/exact.", "bucket/exact.d/a"],
                &["bucket/exactly", "bucket/x/exact.a"],
            ),
            (
                "bucket/your_*",
                &["bucket/your_", "bucket/your_photo.jpg", "bucket/your_a/b/c"],
                &["bucket/a/your_b", "bucket/Your_a"],
            ),
            (
                "*.jpg",
                &["bucket/a.jpg", "other/a/b.jpg", "bucket/.jpg"],
                &["bucket/a.jpeg", "bucket/a.JPG", "bucket/a.jpg.txt"],
            ),
            (
                "*/readme.md",
                &["bucket/readme.md", "bucket/a/b/readme.md"],
                &["bucket/README.md", "bucket/readme.md/a", "bucket/xreadme.md"],
            ),
            ("bucket/a?c", &["bucket/abc", "bucket/a/c", "bucket/a\u{fc}c"], &["bucket/ac", "bucket/abbc"]),
        ] {
            let list = IgnoreList::parse(pattern).unwrap();
            covered.iter().for_each(|path| assert!(list.covers(path), "{pattern} {path}"));
            others.iter().for_each(|path| assert!(!list.covers(path), "{pattern} {path}"));
        }
    }

    #[test]
    fn lines_may_be_empty_and_any_of_them_covers() {
        let list = IgnoreList::parse("bucket/a\r\n\n  *.jpg \n").unwrap();
        assert!(list.covers("bucket/a") && list.covers("other/b.jpg") && !list.covers("bucket/b"));
        assert!(IgnoreList::parse(" \n\n").unwrap().is_empty());
    }

    #[test]
    fn a_line_that_can_not_be_meant_is_refused_by_its_number() {
        for (text, found) in [
            ("bucket/a\nreadme.md", "line 2: expected a pattern of bucket/key, found \"readme.md\""),
            ("\n\n/readme.md", "line 3: expected a pattern that begins with a bucket's name"),
            ("Bucket/a", "line 1: expected a pattern that begins with a bucket's name"),
            ("s3://bucket/a", "line 1: expected a pattern that begins with a bucket's name"),
            ("# comment/b", "line 1: expected a pattern that begins with a bucket's name"),
            ("ab/c", "line 1: expected a pattern that begins with a bucket's name"),
            ("*.jpg\nbucket/a\0", "line 2: expected a pattern of 1 to"),
        ] {
            let refused = IgnoreList::parse(text).unwrap_err().to_string();
            assert!(refused.starts_with(found), "{text:?}: {refused}");
        }
    }
}
