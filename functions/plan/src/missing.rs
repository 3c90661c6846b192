//! What an earlier round left at the destination, compared with the layout.

use crate::{Layout, PartSet, PlanError};

/// A part as the destination lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedPart {
    /// Number of the part.
    pub number: u32,
    /// Its bytes.
    pub size: u64,
}

/// The parts of `layout` that are not listed. The order of the answer does not matter, nor does a repetition.
///
/// # Errors
/// [`PlanError::LayoutMismatch`] if a listed part has another length or no place in this layout: two layouts are never
/// mixed in one upload.
pub fn missing(layout: &Layout, listed: &[ListedPart]) -> Result<PartSet, PlanError> {
    let count = layout.count();
    let mut there = vec![false; count as usize];
    for part in listed {
        let expected = layout.range(part.number).map_or(0, |range| range.len);
        if expected != part.size || expected == 0 {
            return Err(PlanError::LayoutMismatch { part: part.number, expected, found: part.size });
        }
        if let Some(slot) = there.get_mut(part.number as usize - 1) {
            *slot = true;
        }
    }
    Ok((1..=count).zip(there).filter(|(_, there)| !there).map(|(number, _)| number).collect())
}
