//! The cut of an object into parts: which bytes are part n.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{ByteRange, Limits, MIB, PartNumber, PlanError};

/// `count` parts of `length` bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Bytes of each part.
    pub length: u64,
    /// Number of parts.
    pub count: u32,
}

/// The parts of one upload as runs of equal lengths, in order. Two layouts are the same if and only if they cut the
/// same bytes at the same places, so `==` decides whether an upload may be continued.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Layout {
    runs: Vec<Run>,
}

/// More runs than this would make the layout too long to travel in every child's input (about 30 bytes a run).
const MAX_RUNS: usize = 512;

impl Layout {
    /// Normalises (merges equal neighbours) and checks.
    fn new(parts: impl IntoIterator<Item = Run>) -> Result<Self, PlanError> {
        let mut runs: Vec<Run> = Vec::new();
        for run in parts {
            if run.length == 0 || run.count == 0 {
                return Err(PlanError::SourceParts { reason: "found a part without bytes".to_owned() });
            }
            match runs.last_mut() {
                Some(last) if last.length == run.length => last.count = last.count.saturating_add(run.count),
                _ => runs.push(run),
            }
        }
        let layout = Self { runs };
        if layout.runs.len() > MAX_RUNS || layout.sum(|r| u64::from(r.count)) > u64::from(PartNumber::MAX) {
            let found = format!("{} parts in {} runs", layout.sum(|r| u64::from(r.count)), layout.runs.len());
            return Err(PlanError::SourceParts {
                reason: format!(
                    "expected at most 10000 parts in {MAX_RUNS} runs of equal length, found {found}"
                ),
            });
        }
        if layout
            .runs
            .iter()
            .try_fold(0_u64, |sum, r| sum.checked_add(r.length.checked_mul(r.count.into())?))
            .is_none()
        {
            return Err(PlanError::SourceParts { reason: "expected a total below 2^64 bytes".to_owned() });
        }
        Ok(layout)
    }

    fn sum(&self, of: impl Fn(&Run) -> u64) -> u64 {
        self.runs.iter().map(of).fold(0, u64::saturating_add)
    }

    /// Bytes of the whole object.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.sum(|r| r.length * u64::from(r.count))
    }

    /// Number of parts; 0 for an empty object, which is never sent in parts.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.runs.iter().map(|r| r.count).sum()
    }

    /// Bytes of the first part; 0 for an empty object.
    #[must_use]
    pub fn part_size(&self) -> u64 {
        self.runs.first().map_or(0, |r| r.length)
    }

    /// The runs, in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The bytes of a part.
    ///
    /// # Errors
    /// [`PlanError::PartNumbers`] if this layout has no such part.
    pub fn range(&self, part: u32) -> Result<ByteRange, PlanError> {
        let refuse = || PlanError::PartNumbers { found: part.to_string(), max: self.count() };
        let mut before = part.checked_sub(1).ok_or_else(refuse)?;
        let mut start = 0;
        for run in &self.runs {
            if before < run.count {
                return Ok(ByteRange { start: start + run.length * u64::from(before), len: run.length });
            }
            before -= run.count;
            start += run.length * u64::from(run.count);
        }
        Err(refuse())
    }
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            runs: Vec<Run>,
        }
        let raw = Raw::deserialize(deserializer)?;
        let layout = Self::new(raw.runs.iter().copied()).map_err(de::Error::custom)?;
        if layout.runs == raw.runs {
            Ok(layout)
        } else {
            Err(de::Error::custom("layout.runs: neighbours of equal length are not merged"))
        }
    }
}

/// Cuts `size` bytes into equal parts, the last one shorter. Without a wish the location's default part is used, grown
/// in steps of 1 MiB until the object fits the number of parts.
///
/// # Errors
/// [`PlanError`] if the object is too large for the location or the wish breaks one of its limits.
pub fn layout(size: u64, wish: Option<u64>, limits: &Limits) -> Result<Layout, PlanError> {
    limits.check()?;
    if size > limits.reach() {
        return Err(PlanError::ObjectTooLarge { size, max: limits.reach() });
    }
    let least = size.div_ceil(u64::from(limits.max_parts));
    let part = match wish {
        Some(found) if !(limits.min_part..=limits.max_part).contains(&found) => {
            return Err(PlanError::PartSize { found, min: limits.min_part, max: limits.max_part });
        }
        Some(found) if found < least => {
            return Err(PlanError::TooManyParts { found, least, size, max: limits.max_parts });
        }
        Some(found) => found,
        None => limits.default_part.max(least.next_multiple_of(MIB)).min(limits.max_part),
    };
    uniform(size, part)
}

/// Parts of `part` bytes; the last one has what is left.
fn uniform(size: u64, part: u64) -> Result<Layout, PlanError> {
    let whole = u32::try_from(size / part).unwrap_or(u32::MAX);
    let runs = [Run { length: part, count: whole }, Run { length: size % part, count: 1 }];
    Layout::new(runs.into_iter().filter(|r| r.length > 0 && r.count > 0))
}

/// Reuses the source's own part lengths, in order, so that the destination computes the same ETag.
///
/// # Errors
/// [`PlanError::SourceParts`] if the lengths do not add up to `size` or break a limit of the destination.
pub fn layout_from_parts(size: u64, lengths: &[Run], limits: &Limits) -> Result<Layout, PlanError> {
    limits.check()?;
    if size > limits.max_object {
        return Err(PlanError::ObjectTooLarge { size, max: limits.max_object });
    }
    let layout = Layout::new(lengths.iter().copied())?;
    let refuse = |reason: String| Err(PlanError::SourceParts { reason });
    if layout.size() != size {
        return refuse(format!("expected lengths that add up to {size} bytes, found {}", layout.size()));
    }
    if layout.count() > limits.max_parts {
        return refuse(format!("expected at most {} parts, found {}", limits.max_parts, layout.count()));
    }
    let last = layout.count();
    let mut number = 0;
    for run in layout.runs() {
        number += run.count;
        let only_last = number == last && run.count == 1;
        if run.length > limits.max_part || (run.length < limits.min_part && !only_last) {
            return refuse(format!(
                "expected {} to {} bytes, found {} in part {number}",
                limits.min_part, limits.max_part, run.length
            ));
        }
    }
    if limits.equal_parts && !is_uniform(&layout) {
        return refuse("expected parts of one length (the destination demands it), found several".to_owned());
    }
    Ok(layout)
}

/// Whether all parts but a shorter last one have one length.
fn is_uniform(layout: &Layout) -> bool {
    match layout.runs() {
        [] | [_] => true,
        [first, last] => last.count == 1 && last.length < first.length,
        _ => false,
    }
}
