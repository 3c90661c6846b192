//! The `Range` header.

/// Offset and length that a `Range` header asks for of `size` bytes; `Err` when it asks for none of them (416).
pub(crate) fn resolve(header: &str, size: u64) -> Result<(u64, u64), ()> {
    let (first, last) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or(())?;
    if first.is_empty() {
        let suffix = last.parse::<u64>().map_err(drop)?.min(size);
        return if suffix == 0 { Err(()) } else { Ok((size - suffix, suffix)) };
    }
    let first = first.parse::<u64>().map_err(drop)?;
    let last = if last.is_empty() { u64::MAX } else { last.parse::<u64>().map_err(drop)? };
    if first >= size || last < first {
        return Err(());
    }
    Ok((first, last.min(size - 1) - first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_resolved() {
        let cases = [
            ("bytes=0-0", Ok((0, 1))),
            ("bytes=5-9", Ok((5, 5))),
            ("bytes=5-99", Ok((5, 5))),
            ("bytes=9-", Ok((9, 1))),
            ("bytes=-3", Ok((7, 3))),
            ("bytes=-30", Ok((0, 10))),
            ("bytes=10-", Err(())),
            ("bytes=6-5", Err(())),
            ("bytes=-0", Err(())),
            ("lines=1-2", Err(())),
            ("bytes=a-2", Err(())),
        ];
        for (header, expected) in cases {
            assert_eq!(resolve(header, 10), expected, "{header}");
        }
    }
}
