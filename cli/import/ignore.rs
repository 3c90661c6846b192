//! Ignore lists of the systems before: one `bucket/key` pattern a line, `*` for any characters (slashes too), `?` for one,
//! case-sensitive. Pure.

/// The patterns of a list, without empty lines and blanks at their ends.
pub(super) fn patterns(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

/// Whether a pattern covers a `bucket/key`.
#[cfg(test)]
fn covers(pattern: &str, path: &str) -> bool {
    rests(pattern, path).iter().any(|rest| rest.is_empty())
}

/// Whether a pattern may cover something that begins so.
pub(super) fn may_cover(pattern: &str, beginning: &str) -> bool {
    !rests(pattern, beginning).is_empty()
}

/// What is left of a pattern behind a text that it begins to match: all ways, for `*` may end anywhere.
fn rests<'a>(pattern: &'a str, text: &str) -> Vec<&'a str> {
    let mut states = closure(vec![pattern]);
    for letter in text.chars() {
        let next = states.iter().filter_map(|state| step(state, letter)).collect();
        states = closure(next);
    }
    states
}

/// With each state in front of a `*` comes the one behind it.
fn closure(states: Vec<&str>) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for mut state in states {
        loop {
            if !all.contains(&state) {
                all.push(state);
            }
            match state.strip_prefix('*') {
                Some(behind) => state = behind,
                None => break,
            }
        }
    }
    all
}

fn step(state: &str, letter: char) -> Option<&str> {
    let expected = state.chars().next()?;
    match expected {
        '*' => Some(state),
        '?' => Some(&state[1..]),
        _ if expected == letter => Some(&state[expected.len_utf8()..]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{covers, may_cover, patterns};

    #[test]
    fn every_documented_pattern_covers_what_it_is_documented_for() {
        for (pattern, covered, others) in [
            (
                "bucket/exact.mp4",
                &["bucket/exact.mp4"][..],
                &["bucket/exact.mp4x", "bucket/a/exact.mp4", "b/exact.mp4"][..],
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
                &["bucket/a.jpg", "other/a/b.jpg"],
                &["bucket/a.jpeg", "bucket/a.JPG", "bucket/a.jpg.txt"],
            ),
            (
                "*/readme.md",
                &["bucket/readme.md", "bucket/a/b/readme.md"],
                &["bucket/README.md", "bucket/readme.md/a"],
            ),
            ("bucket/a?c", &["bucket/abc", "bucket/aüc"], &["bucket/ac", "bucket/abbc"]),
        ] {
            covered.iter().for_each(|path| assert!(covers(pattern, path), "{pattern} {path}"));
            others.iter().for_each(|path| assert!(!covers(pattern, path), "{pattern} {path}"));
        }
    }

    #[test]
    fn what_may_be_covered_below_a_prefix_is_known() {
        for (pattern, beginning, expected) in [
            ("bucket/2026/*", "bucket/2026/", true),
            ("bucket/2026/*", "bucket/2025/", false),
            ("bucket/exact.mp4", "bucket/2026/", false),
            ("*.jpg", "bucket/2026/", true),
            ("other/*", "bucket/", false),
            ("buck?t/*", "bucket/a", true),
        ] {
            assert_eq!(may_cover(pattern, beginning), expected, "{pattern} {beginning}");
        }
    }

    #[test]
    fn lists_are_read_line_by_line() {
        assert_eq!(patterns("a/b\r\n\n  *.jpg \n# c\n"), ["a/b", "*.jpg", "# c"]);
    }
}
