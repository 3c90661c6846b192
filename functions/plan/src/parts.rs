//! Part numbers, and sets of them in a form small enough to travel through a state's input.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::PlanError;

/// Number of a part, 1 to 10,000 as S3 counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartNumber(NonZeroU16);

impl PartNumber {
    /// The highest part number of an upload.
    pub const MAX: u32 = 10_000;

    /// # Errors
    /// [`PlanError::PartNumbers`] outside of 1 to 10,000.
    pub fn new(number: u32) -> Result<Self, PlanError> {
        u16::try_from(number)
            .ok()
            .filter(|n| u32::from(*n) <= Self::MAX)
            .and_then(NonZeroU16::new)
            .map(Self)
            .ok_or_else(|| PlanError::PartNumbers { found: number.to_string(), max: Self::MAX })
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        u32::from(self.0.get())
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for PartNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PartNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A set of part numbers, written as `"1-4,9"`. Even every second one of 10,000 parts is 25 KB in this form, far
/// below the 262,144 bytes that a state may hand on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PartSet {
    /// Ascending, disjoint and never touching: first and last, both included.
    ranges: Vec<(u32, u32)>,
    /// How many numbers the ranges hold.
    count: u32,
}

impl PartSet {
    /// How many parts are in the set.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether no part is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Adds a number that is greater than all before it; the builder of every set here.
    pub(crate) fn push(&mut self, number: u32) {
        self.count += 1;
        match self.ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => self.ranges.push((number, number)),
        }
    }
}

impl FromIterator<u32> for PartSet {
    /// Sorts and drops repetitions.
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut set = Self::default();
        numbers.into_iter().for_each(|n| set.push(n));
        set
    }
}

impl fmt::Display for PartSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for PartSet {
    type Err = PlanError;

    /// Strict: ascending, disjoint, 1 to 10,000; an empty text is refused, for no child is sent without work.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let refuse = || PlanError::PartNumbers { found: text.to_owned(), max: PartNumber::MAX };
        let mut set = Self::default();
        for item in text.split(',') {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (first, last) = (number(first).ok_or_else(refuse)?, number(last).ok_or_else(refuse)?);
            let floor = set.ranges.last().map_or(0, |(_, last)| *last);
            if first <= floor || last < first {
                return Err(refuse());
            }
            (first..=last).for_each(|n| set.push(n));
        }
        Ok(set)
    }
}

/// A number as we write them: digits without sign or leading zero.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten().filter(|n| (1..=PartNumber::MAX).contains(n))
}

impl Serialize for PartSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
