//! Lines of CSV as S3 writes and reads them: quoted fields, keys URL-encoded.

/// Fields between commas; a quoted one may hold commas, and a quote as two.
pub(crate) fn fields(line: &str) -> Result<Vec<String>, String> {
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let field = &rest[..end];
                if field.contains('"') {
                    return Err(format!("expected quotes around the whole of a field, found {field:?}"));
                }
                (field.to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.is_empty() => return Ok(fields),
            None => return Err(format!("expected a comma behind a quoted field, found {behind:?}")),
        }
    }
}

fn quoted_field(mut rest: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    loop {
        let Some((before, behind)) = rest.split_once('"') else {
            return Err("expected a closing quote, found the end of the line".to_owned());
        };
        field.push_str(before);
        match behind.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, behind)),
        }
    }
}

/// A key as it is: `%20` and `+` are a blank, `%2B` is a plus.
pub(crate) fn decoded(encoded: &str) -> Result<String, String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(encoded.len()), encoded.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
                let byte = text.and_then(|text| u8::from_str_radix(text, 16).ok());
                bytes.push(byte.ok_or_else(|| {
                    format!(
                        "expected two hexadecimal digits behind % (keys are URL-encoded), found {encoded:?}"
                    )
                })?);
                rest = &rest[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("expected a key of UTF-8, found {encoded:?}"))
}
