//! What is wrong with a text that should be JSON, in the words of the service's parser.

/// The first mistake of a text that is no JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Without the place.
    pub(crate) message: String,
    /// `[Source: (String)"..."; line: 1, column: 4]`.
    pub(crate) place: String,
}

/// Characters of the text that the place repeats.
const SHOWN: usize = 500;
/// Deepest document that is looked at; the parser proper refuses deeper ones.
const MAX_DEPTH: usize = 200;
const VALUE: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// Describes why `text` does not parse.
pub(crate) fn complaint(text: &str) -> Complaint {
    let mut reader = Reader { text, chars: text.chars().collect(), at: 0 };
    let message = match reader.value(0) {
        Err(message) => message,
        Ok(()) => match reader.skip_space() {
            Some(c) => unexpected(c, "expected the end of the document"),
            None => "Document is not valid JSON".to_owned(),
        },
    };
    Complaint { place: reader.place(reader.at), message }
}

struct Reader<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
}

fn unexpected(c: char, wanted: &str) -> String {
    format!("Unexpected character ('{c}' (code {})): {wanted}", u32::from(c))
}

impl Reader<'_> {
    fn place(&self, at: usize) -> String {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        let shown: String = self.chars.iter().take(SHOWN).collect();
        let rest = self.chars.len().saturating_sub(SHOWN);
        let cut = if rest > 0 { format!("[truncated {rest} chars]") } else { String::new() };
        format!("[Source: (String)\"{shown}\"{cut}; line: {line}, column: {column}]")
    }

    fn skip_space(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    /// The parser names the place behind the character that it has just read.
    fn refuse(&mut self, c: char, wanted: &str) -> String {
        self.at += 1;
        unexpected(c, wanted)
    }

    fn value(&mut self, depth: usize) -> Result<(), String> {
        match self.skip_space() {
            _ if depth > MAX_DEPTH => Err(format!("Document is nested more than {MAX_DEPTH} deep")),
            None if self.text.trim().is_empty() => Err("No content to map due to end-of-input".to_owned()),
            None => Err("Unexpected end-of-input".to_owned()),
            Some('{') => self.container('}', depth),
            Some('[') => self.container(']', depth),
            Some('"') => self.string(),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' || c == '$' => self.word(),
            Some(c) => Err(self.refuse(c, &format!("expected a valid value {VALUE}"))),
        }
    }

    fn container(&mut self, end: char, depth: usize) -> Result<(), String> {
        let (start, name) = (self.at, if end == '}' { "Object" } else { "Array" });
        self.at += 1;
        if self.skip_space() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            if end == '}' {
                self.name(start)?;
            }
            self.value(depth + 1)?;
            match self.skip_space() {
                Some(',') => self.at += 1,
                Some(c) if c == end => {
                    self.at += 1;
                    return Ok(());
                }
                Some(c) => {
                    return Err(self.refuse(c, &format!("was expecting comma to separate {name} entries")));
                }
                None => return Err(self.unclosed(start, name)),
            }
        }
    }

    fn unclosed(&self, start: usize, name: &str) -> String {
        let place = self.place(start);
        format!("Unexpected end-of-input: expected close marker for {name} (start marker at {place})")
    }

    fn name(&mut self, start: usize) -> Result<(), String> {
        match self.skip_space() {
            Some('"') => self.string()?,
            Some(c) => return Err(self.refuse(c, "was expecting double-quote to start field name")),
            None => return Err(self.unclosed(start, "Object")),
        }
        match self.skip_space() {
            Some(':') => self.at += 1,
            Some(c) => return Err(self.refuse(c, "was expecting a colon to separate field name and value")),
            None => return Err(self.unclosed(start, "Object")),
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        while let Some(c) = self.chars.get(self.at).copied() {
            self.at += 1;
            match c {
                '"' => return Ok(()),
                '\\' => self.escape()?,
                c if u32::from(c) < 0x20 => {
                    let code = u32::from(c);
                    return Err(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {code})): has to be escaped using backslash to be included in string value"
                    ));
                }
                _ => {}
            }
        }
        Err("Unexpected end-of-input: was expecting closing quote for a string value".to_owned())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.chars.get(self.at).copied() else {
            return Err("Unexpected end-of-input in character escape sequence".to_owned());
        };
        self.at += 1;
        match c {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u' => Ok(()),
            c => Err(format!("Unrecognized character escape '{c}' (code {})", u32::from(c))),
        }
    }

    fn number(&mut self) -> Result<(), String> {
        let part = |c: &char| c.is_ascii_digit() || "+-.eE".contains(*c);
        let length = self.chars[self.at..].iter().take_while(|c| part(c)).count();
        let text: String = self.chars[self.at..self.at + length].iter().collect();
        self.at += length;
        match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("Invalid numeric value: '{text}'")),
        }
    }

    fn word(&mut self) -> Result<(), String> {
        let part = |c: &&char| c.is_alphanumeric() || **c == '_' || **c == '$';
        let word: String = self.chars[self.at..].iter().take_while(part).collect();
        self.at += word.chars().count();
        match word.as_str() {
            "null" | "true" | "false" => Ok(()),
            other => Err(format!("Unrecognized token '{other}': was expecting {VALUE}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistake_is_named_with_its_place() {
        for (text, message, place) in [
            ("nope, really", "Unrecognized token 'nope'", "line: 1, column: 5]"),
            (
                "{\n'a': 1}",
                "Unexpected character (''' (code 39)): was expecting double-quote",
                "line: 2, column: 2]",
            ),
            ("{\"a\" 1}", "Unexpected character ('1' (code 49)): was expecting a colon", "column: 7]"),
            (
                "[1 2]",
                "Unexpected character ('2' (code 50)): was expecting comma to separate Array",
                "column: 5]",
            ),
            ("[1,]", "Unexpected character (']' (code 93)): expected a valid value", "column: 5]"),
            ("{\"a\": 1", "Unexpected end-of-input: expected close marker for Object", "column: 8]"),
            ("[\"a", "Unexpected end-of-input: was expecting closing quote", "column: 4]"),
            ("[\"\\x\"]", "Unrecognized character escape 'x' (code 120)", "column: 5]"),
            ("[01]", "Invalid numeric value: '01'", "column: 4]"),
        ] {
            let found = complaint(text);
            assert!(found.message.starts_with(message), "{text}: {found:?}");
            assert!(found.place.ends_with(place), "{text}: {found:?}");
        }
    }

    #[test]
    fn no_depth_is_too_deep() {
        complaint(&"[".repeat(1_000_000));
    }
}
