//! Cuts a range of keys in two, so that two listers share it.
//!
//! A range is `(after, until]`. Where it is cut decides how well the halves are balanced, never whether a key is listed: the
//! halves `(after, middle]` and `(middle, until]` have every key of the whole exactly once.

/// The characters that keys were seen to have: keys of one bucket are made of few, and a cut at any other one would leave one
/// half empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alphabet(u128);

impl Alphabet {
    /// Learns a key's characters, those of ASCII.
    pub fn learn(&mut self, key: &str) {
        for byte in key.bytes().filter(|byte| (0x20..0x7f).contains(byte)) {
            self.0 |= 1 << byte;
        }
    }

    /// The middle one of the characters between two; any of ASCII if none was seen there.
    fn between(self, low: Option<char>, high: Option<char>) -> Option<char> {
        let least = low.map_or(0x20, |low| u32::from(low) + 1).max(0x20);
        let most = high.map_or(0x7f, u32::from).min(0x7f);
        let seen: Vec<u32> = (least..most).filter(|code| self.0 & (1 << code) != 0).collect();
        seen.get(seen.len() / 2).copied().and_then(char::from_u32)
    }
}

/// A key strictly between two, near the middle of what `alphabet` makes likely; `until` without a value is behind all keys.
/// `None` if no such key is found: the range is best left to one.
#[must_use]
pub fn middle(after: &str, until: Option<&str>, alphabet: Alphabet) -> Option<String> {
    if until.is_some_and(|until| until <= after) {
        return None;
    }
    let (mut low, mut high) = (after.chars(), until.map(str::chars));
    let mut begin = String::new();
    // Whether what was begun is still the beginning of `after`.
    let mut on_low = true;
    while begin.len() <= 1_000 {
        let least = if on_low { low.next() } else { None };
        let most = high.as_mut().map(Iterator::next);
        // `until` ends here: all behind its beginning is behind it.
        if most == Some(None) {
            return None;
        }
        let most = most.flatten();
        if let Some(found) = alphabet.between(least, most) {
            begin.push(found);
            return Some(begin);
        }
        match (least, most) {
            // Above the lower end everything is allowed, once it is left behind that the upper end began alike.
            (Some(least), most) => {
                begin.push(least);
                if most != Some(least) {
                    high = None;
                }
            }
            (None, Some(most)) => {
                on_low = false;
                begin.push(most);
            }
            (None, None) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Alphabet, middle};

    fn alphabet(keys: &[&str]) -> Alphabet {
        let mut alphabet = Alphabet::default();
        keys.iter().for_each(|key| alphabet.learn(key));
        alphabet
    }

    #[test]
    fn a_range_is_cut_at_characters_that_were_seen() {
        let digits = alphabet(&["0123456789"]);
        for (after, until, expected) in [
            ("", None, Some("5")),
            ("3", Some("9"), Some("6")),
            ("39", Some("4"), Some("395")),
            ("12", Some("14"), Some("13")),
            ("12", Some("13"), Some("125")),
            ("9", None, Some("95")),
            ("", Some("1"), Some("0")),
            ("", Some("05"), Some("02")),
            ("", Some("00"), None),
            ("a", Some("a"), None),
            ("b", Some("a"), None),
        ] {
            assert_eq!(middle(after, until, digits).as_deref(), expected, "{after} {until:?}");
        }
        assert_eq!(middle("a", Some("b"), Alphabet::default()), None);
    }
}
