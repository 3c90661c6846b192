//! `*` in strings: any characters or none.

/// A form of strings: pieces that follow each other with anything between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    /// One more than there are stars; the first begins the string, the last ends it.
    pieces: Vec<String>,
}

impl Wildcard {
    /// Reads a form. A star or a backslash that stands for itself has a backslash before it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = vec![String::new()];
        let (mut after_star, mut characters) = (false, text.char_indices());
        while let Some((at, character)) = characters.next() {
            let literal = match character {
                '*' if after_star => return Err(format!("Consecutive wildcard characters at pos {at}")),
                '*' => None,
                '\\' => match characters.next() {
                    Some((_, escaped @ ('*' | '\\'))) => Some(escaped),
                    _ => return Err(format!("Invalid escape character at pos {at}")),
                },
                other => Some(other),
            };
            after_star = literal.is_none();
            match (literal, pieces.last_mut()) {
                (Some(literal), Some(piece)) => piece.push(literal),
                _ => pieces.push(String::new()),
            }
        }
        Ok(Self { pieces })
    }

    /// Whether a string has the form. Each piece is taken where it first fits: with nothing but stars between pieces no
    /// later place could do better.
    pub(super) fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some((_, behind)) = rest.split_once(piece.as_str()) else { return false };
            rest = behind;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Wildcard;

    #[test]
    fn pieces_may_not_overlap() {
        let form = Wildcard::parse("ab*ba").unwrap();
        assert!(form.matches("abba") && form.matches("abxba"));
        assert!(!form.matches("aba"));
    }

    #[test]
    fn escaped_characters_stand_for_themselves() {
        let form = Wildcard::parse(r"a\*b\\*").unwrap();
        assert!(form.matches(r"a*b\") && form.matches(r"a*b\c"));
        assert!(!form.matches(r"axb\"));
        for wrong in ["a**", r"a\", r"a\b"] {
            assert!(Wildcard::parse(wrong).is_err(), "{wrong}");
        }
    }
}
