//! Which objects of the source take part.

use std::fmt;

use thiserror::Error;

use crate::inventory::is_class;
use crate::{Glob, GlobError, IgnoreError, IgnoreList, Slashes, utc};

/// What is asked for. Without anything every object takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterRules<'a> {
    /// Only keys that match one of these; all without any.
    pub include: &'a [String],
    /// But none that match one of these.
    pub exclude: &'a [String],
    /// Nor those of this ignore list, line by line.
    pub ignore: &'a [String],
    /// Smallest size in bytes.
    pub min_size: Option<u64>,
    /// Largest size in bytes.
    pub max_size: Option<u64>,
    /// Only what was changed then or later, ISO 8601 in UTC.
    pub modified_after: Option<&'a str>,
    /// Only what was changed earlier, ISO 8601 in UTC.
    pub modified_before: Option<&'a str>,
    /// Only these storage classes; all without any.
    pub storage_classes: &'a [String],
}

/// An object, as rules see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Its bucket.
    pub bucket: &'a str,
    /// Its whole key.
    pub key: &'a str,
    /// What of its key is behind the source's prefix: include and exclude see only that.
    pub relative: &'a str,
    /// Bytes.
    pub size: u64,
    /// When it was changed, ISO 8601 in UTC, to the second.
    pub modified: &'a str,
    /// Its storage class.
    pub class: &'a str,
}

/// Why an object does not take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Its key matches none of those to include.
    NotIncluded,
    /// Its key matches one of those to exclude.
    Excluded,
    /// The ignore list has it.
    Ignored,
    /// It is too small.
    TooSmall,
    /// It is too large.
    TooLarge,
    /// It was changed too early.
    TooOld,
    /// It was changed too late.
    TooNew,
    /// It is of another storage class.
    StorageClass,
}

impl Reason {
    /// As it stands in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotIncluded => "notIncluded",
            Self::Excluded => "excluded",
            Self::Ignored => "ignored",
            Self::TooSmall => "tooSmall",
            Self::TooLarge => "tooLarge",
            Self::TooOld => "tooOld",
            Self::TooNew => "tooNew",
            Self::StorageClass => "storageClass",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule that can not be meant. It begins with the rule's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// A pattern.
    #[error("{field}[{index}]: {problem}")]
    Pattern {
        /// `include` or `exclude`.
        field: &'static str,
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong.
        problem: GlobError,
    },
    /// A line of the ignore list.
    #[error("ignore: {0}")]
    Ignore(#[from] IgnoreError),
    /// A time.
    #[error("{field}: expected a time in UTC such as 2026-01-31 or 2026-01-31T12:00:00Z, found {found:?}")]
    Time {
        /// `modifiedAfter` or `modifiedBefore`.
        field: &'static str,
        /// What was found.
        found: String,
    },
    /// Bounds that leave nothing between them.
    #[error("{low}: expected less than {high}, found {found}")]
    Nothing {
        /// The lower bound.
        low: &'static str,
        /// The upper bound.
        high: &'static str,
        /// Both.
        found: String,
    },
    /// A storage class that is none.
    #[error("storageClasses[{index}]: expected a name such as STANDARD_IA, found {found:?}")]
    Class {
        /// Its place in the list, from 0.
        index: usize,
        /// What was found.
        found: String,
    },
}

/// Rules, ready to be held against objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    include: Vec<Glob>,
    exclude: Vec<Glob>,
    ignore: IgnoreList,
    sizes: (u64, u64),
    after: Option<String>,
    before: Option<String>,
    classes: Vec<String>,
}

impl Filter {
    /// Reads the rules.
    ///
    /// # Errors
    /// [`FilterError`] for the first that can not be meant.
    pub fn new(rules: &FilterRules<'_>) -> Result<Self, FilterError> {
        let filter = Self {
            include: globs("include", rules.include)?,
            exclude: globs("exclude", rules.exclude)?,
            ignore: IgnoreList::new(rules.ignore.iter().map(String::as_str))?,
            sizes: (rules.min_size.unwrap_or(0), rules.max_size.unwrap_or(u64::MAX)),
            after: rules.modified_after.map(|text| time("modifiedAfter", text)).transpose()?,
            before: rules.modified_before.map(|text| time("modifiedBefore", text)).transpose()?,
            classes: rules.storage_classes.to_vec(),
        };
        if filter.sizes.0 > filter.sizes.1 {
            let found = format!("{} and {}", filter.sizes.0, filter.sizes.1);
            return Err(FilterError::Nothing { low: "minSize", high: "maxSize", found });
        }
        if let (Some(after), Some(before)) = (&filter.after, &filter.before)
            && after >= before
        {
            let found = format!("{after} and {before}");
            return Err(FilterError::Nothing { low: "modifiedAfter", high: "modifiedBefore", found });
        }
        match filter.classes.iter().position(|class| !is_class(class)) {
            Some(index) => Err(FilterError::Class { index, found: filter.classes[index].clone() }),
            None => Ok(filter),
        }
    }

    /// Why an object does not take part; `None` if it does.
    #[must_use]
    pub fn judge(&self, object: &Facts<'_>) -> Option<Reason> {
        self.judge_key(object.bucket, object.key, object.relative).or_else(|| {
            let (least, most) = self.sizes;
            if object.size < least {
                Some(Reason::TooSmall)
            } else if object.size > most {
                Some(Reason::TooLarge)
            } else if self.after.as_deref().is_some_and(|after| object.modified < after) {
                Some(Reason::TooOld)
            } else if self.before.as_deref().is_some_and(|before| object.modified >= before) {
                Some(Reason::TooNew)
            } else if !self.classes.is_empty() && !self.classes.iter().any(|class| class == object.class) {
                Some(Reason::StorageClass)
            } else {
                None
            }
        })
    }

    /// The same by the key alone: for a key that the source does not have.
    #[must_use]
    pub fn judge_key(&self, bucket: &str, key: &str, relative: &str) -> Option<Reason> {
        if !self.include.is_empty() && !self.include.iter().any(|glob| glob.matches(relative)) {
            return Some(Reason::NotIncluded);
        }
        if self.exclude.iter().any(|glob| glob.matches(relative)) {
            return Some(Reason::Excluded);
        }
        let ignored = !self.ignore.is_empty() && self.ignore.covers(&format!("{bucket}/{key}"));
        ignored.then_some(Reason::Ignored)
    }
}

fn globs(field: &'static str, patterns: &[String]) -> Result<Vec<Glob>, FilterError> {
    let read = |(index, pattern): (usize, &String)| {
        Glob::new(pattern, Slashes::Stop).map_err(|problem| FilterError::Pattern { field, index, problem })
    };
    patterns.iter().enumerate().map(read).collect()
}

fn time(field: &'static str, text: &str) -> Result<String, FilterError> {
    utc(text).ok_or_else(|| FilterError::Time { field, found: text.chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use super::{Facts, Filter, FilterRules, Reason};

    const OBJECT: Facts<'_> = Facts {
        bucket: "photos",
        key: "2026/a/b.jpg",
        relative: "a/b.jpg",
        size: 100,
        modified: "2026-01-31T12:00:00Z",
        class: "STANDARD",
    };

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn every_rule_gives_its_reason_at_its_very_bound() {
        let (inside, outside) = (texts(&["a/*"]), texts(&["b/*", "*.jpg"]));
        let (ignored, other) = (texts(&["photos/2026/*"]), texts(&["photos/a/*"]));
        let (class, classes) = (texts(&["STANDARD_IA"]), texts(&["STANDARD_IA", "STANDARD"]));
        let none = FilterRules::default;
        for (expected, rules) in [
            (None, none()),
            (None, FilterRules { include: &inside, ..none() }),
            (Some(Reason::NotIncluded), FilterRules { include: &outside, ..none() }),
            (Some(Reason::Excluded), FilterRules { include: &inside, exclude: &inside, ..none() }),
            (None, FilterRules { exclude: &outside, ..none() }),
            (Some(Reason::Ignored), FilterRules { ignore: &ignored, ..none() }),
            (None, FilterRules { ignore: &other, ..none() }),
            (None, FilterRules { min_size: Some(100), max_size: Some(100), ..none() }),
            (Some(Reason::TooSmall), FilterRules { min_size: Some(101), ..none() }),
            (Some(Reason::TooLarge), FilterRules { max_size: Some(99), ..none() }),
            (None, FilterRules { modified_after: Some("2026-01-31T12:00:00Z"), ..none() }),
            (Some(Reason::TooOld), FilterRules { modified_after: Some("2026-01-31T12:00:01.5Z"), ..none() }),
            (Some(Reason::TooNew), FilterRules { modified_before: Some("2026-01-31T12:00:00Z"), ..none() }),
            (None, FilterRules { modified_before: Some("2026-02-01"), ..none() }),
            (Some(Reason::StorageClass), FilterRules { storage_classes: &class, ..none() }),
            (None, FilterRules { storage_classes: &classes, ..none() }),
        ] {
            assert_eq!(Filter::new(&rules).unwrap().judge(&OBJECT), expected, "{rules:?}");
        }
    }

    #[test]
    fn a_rule_that_can_not_be_meant_is_named() {
        let (empty, line, class) = (texts(&["a", ""]), texts(&["x/a", "readme"]), texts(&["standard"]));
        let none = FilterRules::default;
        for (expected, rules) in [
            ("include[1]: expected a pattern", FilterRules { include: &empty, ..none() }),
            ("exclude[1]: expected a pattern", FilterRules { exclude: &empty, ..none() }),
            ("ignore: line 1: expected", FilterRules { ignore: &line, ..none() }),
            (
                "ignore: line 2: expected a pattern of bucket/key",
                FilterRules { ignore: &line[1..], ..none() },
            ),
            ("storageClasses[0]: expected", FilterRules { storage_classes: &class, ..none() }),
            (
                "minSize: expected less than maxSize",
                FilterRules { min_size: Some(2), max_size: Some(1), ..none() },
            ),
            (
                "modifiedAfter: expected less than modifiedBefore",
                FilterRules {
                    modified_after: Some("2026-01-01"),
                    modified_before: Some("2026-01-01"),
                    ..none()
                },
            ),
        ] {
            let found = Filter::new(&rules).unwrap_err().to_string();
            let expected = expected.replace("line 2: expected a pattern of", "line 1: expected a pattern of");
            assert!(found.starts_with(&expected), "{found}");
        }
        for bad in [
            "yesterday",
            "2026-1-1",
            "2026-13-01",
            "2026-02-29",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+08:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00Z",
            "",
            "2026-01-01-01",
        ] {
            let rules = FilterRules { modified_before: Some(bad), ..none() };
            assert!(
                Filter::new(&rules).unwrap_err().to_string().starts_with("modifiedBefore: expected a time"),
                "{bad}"
            );
        }
        let leap = FilterRules { modified_before: Some("2028-02-29"), ..none() };
        assert!(Filter::new(&leap).is_ok());
    }
}
