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

/// Length of what is put in the place of a part that holds wrong bytes: never that of the part.
#[must_use]
pub fn disowned_len(part: u64) -> u64 {
    if part == 1 { 2 } else { 1 }
}

/// The parts of `layout` that are not listed, or were disowned: see [`disowned_len`]. The order of the answer does not matter, nor does a repetition.
///
/// # Errors
/// [`PlanError::LayoutMismatch`] if a listed part has another length or no place in this layout: two layouts are never
/// mixed in one upload.
pub fn missing(layout: &Layout, listed: &[ListedPart]) -> Result<PartSet, PlanError> {
    let count = layout.count();
    let mut there = vec![false; count as usize];
    for part in listed {
        let expected = layout.range(part.number).map_or(0, |range| range.len);
        if expected > 0 && part.size == disowned_len(expected) {
            continue;
        }
        if expected != part.size || expected == 0 {
            return Err(PlanError::LayoutMismatch { part: part.number, expected, found: part.size });
        }
        if let Some(slot) = there.get_mut(part.number as usize - 1) {
            *slot = true;
        }
    }
    Ok((1..=count).zip(there).filter(|(_, there)| !there).map(|(number, _)| number).collect())
}

#[cfg(test)]
mod tests {
    use super::{ListedPart, disowned_len, missing};
    use crate::{Limits, layout};

    #[test]
    fn a_disowned_part_is_missing_and_no_other_length_is() {
        let limits = Limits { min_part: 4, default_part: 8, ..Limits::default() };
        // 8, 8 and 1 bytes.
        let layout = layout(17, Some(8), &limits).unwrap();
        let listed = |sizes: [u64; 3]| {
            (1..).zip(sizes).map(|(number, size)| ListedPart { number, size }).collect::<Vec<_>>()
        };
        assert!(missing(&layout, &listed([8, 8, 1])).unwrap().is_empty());
        let disowned = listed([8, disowned_len(8), disowned_len(1)]);
        assert_eq!(missing(&layout, &disowned).unwrap().to_string(), "2-3");
        assert!(missing(&layout, &listed([8, 2, 1])).is_err());
        assert!(missing(&layout, &[ListedPart { number: 4, size: 1 }]).is_err(), "no part of the layout");
    }
}
