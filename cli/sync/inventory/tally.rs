//! What was counted while an inventory was read, and what is bad about it.

use crate::units::count;

/// Bad rows that are told one by one.
const TOLD: usize = 20;

/// Rows by what became of them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Rows in all.
    pub(super) rows: u64,
    /// Objects to see to.
    pub(super) objects: u64,
    /// Outside of the source's prefix.
    pub(super) outside: u64,
    /// Delete markers.
    pub(super) markers: u64,
    /// Versions that others had replaced.
    pub(super) older: u64,
    /// Why nothing is started.
    pub(super) refused: Option<String>,
    bad: u64,
    told: Vec<String>,
}

impl Tally {
    /// Counts a row that can not be read.
    pub(super) fn bad(&mut self, place: &str, line: u64, what: &str) {
        self.bad += 1;
        if self.told.len() < TOLD {
            self.told.push(format!("  {place} line {line}: {what}"));
        }
    }

    /// The bad rows, if there are any.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.bad == 0 {
            return Ok(());
        }
        let mut told = format!("{}\n{}", count(self.bad, "bad row", "bad rows"), self.told.join("\n"));
        let more = self.bad - self.told.len() as u64;
        if more > 0 {
            told.push_str(&format!("\n  and {more} more"));
        }
        Err(told)
    }

    /// For people: what is seen to and what is not.
    pub(super) fn told(&self, created: Option<&str>, prefix: &str, tells: bool) -> String {
        let of = created.map(|created| format!(" of {created} UTC")).unwrap_or_default();
        let (rows, objects) = (count(self.rows, "row", "rows"), count(self.objects, "object", "objects"));
        let mut told = format!("inventory{of}: {rows}, {objects}");
        let left = [
            (self.outside, format!("{} outside of {prefix:?}", self.outside)),
            (self.markers, count(self.markers, "delete marker", "delete markers")),
            (self.older, count(self.older, "older version", "older versions")),
        ];
        let left: Vec<String> = left.into_iter().filter(|(n, _)| *n > 0).map(|(_, what)| what).collect();
        if !left.is_empty() {
            told.push_str(&format!("; left out: {}", left.join(", ")));
        }
        if !tells {
            told.push_str(
                "\nits columns are not Size, ETag, LastModifiedDate and StorageClass: each object is looked at",
            );
        }
        told
    }
}
