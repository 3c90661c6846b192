//! Whether an object that stands on both sides is the same, as far as two lists can tell.

/// What makes two objects the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Nothing does.
    None,
    /// As many bytes.
    Size,
    /// The same bytes.
    Checksum,
    /// The source's present version, by the destination's metadata.
    Version,
    /// As many bytes, and changed at the destination no earlier.
    Newer,
}

/// One side, as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Bytes.
    pub size: u64,
    /// ETag, without quotation marks.
    pub etag: &'a str,
    /// When it was changed, ISO 8601 in UTC, to the second.
    pub modified: &'a str,
}

/// What two lists tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same.
    Same,
    /// They differ.
    Differs,
    /// Only a look at the destination tells.
    NeedsHead,
}

/// Compares source and destination. What differs in size is never the same, whatever else is asked for.
#[must_use]
pub fn compare(likeness: Likeness, source: &Listed<'_>, destination: &Listed<'_>) -> Verdict {
    let when = |same: bool| if same { Verdict::Same } else { Verdict::Differs };
    if likeness == Likeness::None || source.size != destination.size {
        return Verdict::Differs;
    }
    match likeness {
        Likeness::None => Verdict::Differs,
        Likeness::Size => Verdict::Same,
        Likeness::Newer => when(destination.modified >= source.modified),
        // One ETag for two lots of bytes of one size would be an MD5 found twice.
        Likeness::Checksum if source.etag == destination.etag => Verdict::Same,
        Likeness::Checksum | Likeness::Version => Verdict::NeedsHead,
    }
}

#[cfg(test)]
mod tests {
    use super::Likeness as L;
    use super::Verdict::{Differs, NeedsHead, Same};
    use super::{Listed, compare};

    #[test]
    fn each_likeness_sees_what_it_asks_for() {
        let source = Listed { size: 3, etag: "e", modified: "2026-01-01T00:00:10Z" };
        let alike = Listed { modified: "2026-01-01T00:00:11Z", ..source };
        let older = Listed { modified: "2026-01-01T00:00:09Z", ..source };
        let other = Listed { etag: "f", ..alike };
        let longer = Listed { size: 4, ..alike };
        let at_once = source;
        for (likeness, expected) in [
            (L::None, [Differs, Differs, Differs, Differs, Differs]),
            (L::Size, [Same, Same, Same, Differs, Same]),
            (L::Checksum, [Same, Same, NeedsHead, Differs, Same]),
            (L::Version, [NeedsHead, NeedsHead, NeedsHead, Differs, NeedsHead]),
            (L::Newer, [Same, Differs, Same, Differs, Same]),
        ] {
            let found =
                [alike, older, other, longer, at_once].map(|there| compare(likeness, &source, &there));
            assert_eq!(found, expected, "{likeness:?}");
        }
    }
}
