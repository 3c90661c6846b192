//! Text with delimiters: rows of fields, and the items they become.
use super::reader::failed;
use crate::exec::Failure;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// One object a row, its fields by the headers: those given, or the first row's.
pub(super) fn items(body: &[u8], headers: Option<&[String]>, delimiter: char) -> Result<Vec<Value>, Failure> {
    let text = std::str::from_utf8(body).map_err(|e| failed(format!("The file is not UTF-8: {e}")))?;
    let mut rows = rows(text, delimiter).into_iter();
    let headers = match headers {
        Some(given) => given.to_vec(),
        None => rows.next().unwrap_or_default(),
    };
    let unique: BTreeSet<&String> = headers.iter().collect();
    if unique.len() != headers.len() {
        return Err(failed("CSV headers cannot contain duplicates."));
    }
    // A short row has empty fields; what a long row has too much is left out.
    let item = |row: Vec<String>| {
        let mut row = row.into_iter();
        let fields = headers.iter().map(|h| (h.clone(), Value::String(row.next().unwrap_or_default())));
        Value::Object(fields.collect::<Map<_, _>>())
    };
    Ok(rows.map(item).collect())
}

/// Splits into rows of fields; a quoted field may hold delimiters, line ends and doubled quotes.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows.retain(|r| r.len() > 1 || r.first().is_some_and(|f| !f.is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_may_hold_anything() {
        assert_eq!(
            rows("a,b\n\"x,\n\"\"y\"\"\",2\r\n\n3,4", ','),
            [["a", "b"], ["x,\n\"y\"", "2"], ["3", "4"]]
        );
    }
}
