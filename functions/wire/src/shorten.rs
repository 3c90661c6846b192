//! Messages that have to fit somewhere.

/// Between what is kept.
const LEFT_OUT: &str = "...";

/// Cuts a text to so many bytes, from its middle: it begins with what was done and ends with what went wrong, and a key
/// between the two may have a thousand bytes.
pub fn shorten(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let room = most.saturating_sub(LEFT_OUT.len());
    let end = text.floor_char_boundary(room / 3);
    let begin = text.ceil_char_boundary(text.len() - (room - room / 3));
    text.replace_range(end..begin, LEFT_OUT);
}

#[cfg(test)]
mod tests {
    use super::shorten;

    fn short(text: &str, most: usize) -> String {
        let mut text = text.to_owned();
        shorten(&mut text, most);
        text
    }

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        let key = "x".repeat(1_024);
        let message = format!("GetObject s3://photos/{key}: AccessDenied (403)");
        assert_eq!(short(&message, 60), "GetObject s3://phot...xxxxxxxxxxxxxxxxxx: AccessDenied (403)");
        assert_eq!(short(&message, message.len()), message);
    }

    #[test]
    fn it_never_is_longer_and_stays_text() {
        let text = "a\u{e9}\u{1f680}".repeat(9);
        for most in 3..=text.len() + 1 {
            let found = short(&text, most);
            assert!(found.len() <= most, "{most}: {found}");
            assert_eq!(found == text, most >= text.len());
        }
    }
}
