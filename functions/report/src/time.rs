//! Times as the services write them.

/// Milliseconds since 1970 of an ISO 8601 time in UTC; `None` for what is none.
pub(crate) fn millis(text: &str) -> Option<u64> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?;
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let thousandths: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = (days(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second;
    Some(seconds * 1_000 + thousandths)
}

/// Days from 1970 to a date of the Gregorian calendar; years are counted from March, so that a leap day is the last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leaps = year / 4 - year / 100 + year / 400;
    // Days from March of the year 0 to 1970.
    (year * 365 + leaps + of_year).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn times_are_read_to_the_millisecond() {
        let rows = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00.5Z", 951_825_600_500),
            ("2026-01-01T00:00:00.123Z", 1_767_225_600_123),
            ("2026-03-01T00:00:00+00:00", 1_772_323_200_000),
        ];
        for (text, expected) in rows {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for bad in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01"] {
            assert_eq!(millis(bad), None, "{bad}");
        }
    }
}
