//! A daily window in which bytes may move: which line is shared by day, and idle by night.
//!
//! ```
//! use transload_plan::Window;
//!
//! let night: Window = "mon,tue 22:00-06:00+08:00".parse()?;
//! // Tuesday 2026-11-24, 21:00 in China (13:00 UTC): an hour too early.
//! assert_eq!(night.opens_in(1_795_525_200_000), Some(3_600));
//! // Wednesday, 05:59 in China: Tuesday's window is still open.
//! assert_eq!(night.opens_in(1_795_557_540_000), None);
//! # Ok::<(), transload_plan::WindowError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MINUTES_OF_DAY: i64 = 24 * 60;

/// A text that is no window, time, offset or day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct WindowError {
    expected: &'static str,
    found: String,
}

fn refused<T>(expected: &'static str, found: &str) -> Result<T, WindowError> {
    Err(WindowError { expected, found: found.to_owned() })
}

/// A time of day, `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(u16);

/// What local time is ahead of UTC, `-12:00` to `+14:00`. A fixed one: neither China nor the services know summer time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcOffset(i16);

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "a name says it all")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

const DAYS: [(&str, Day); 7] = [
    ("mon", Day::Mon),
    ("tue", Day::Tue),
    ("wed", Day::Wed),
    ("thu", Day::Thu),
    ("fri", Day::Fri),
    ("sat", Day::Sat),
    ("sun", Day::Sun),
];

/// When bytes may begin to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// When it opens.
    pub opens: ClockTime,
    /// When it closes; on the next day, if this is not later.
    pub closes: ClockTime,
    /// What the times are ahead of UTC. Default `+00:00`.
    #[serde(default)]
    pub utc_offset: UtcOffset,
    /// The days on which it opens; every day without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
}

impl Window {
    /// Seconds until it opens, at this many milliseconds since 1970; `None` while it is open.
    #[must_use]
    pub fn opens_in(&self, now: u64) -> Option<u64> {
        let ahead = i64::from(self.utc_offset.0) * 60;
        let now = i64::try_from(now / 1_000).unwrap_or(i64::MAX / 2).saturating_add(ahead);
        let today = now.div_euclid(MINUTES_OF_DAY * 60);
        let mut soonest = None;
        // Yesterday's may still be open; the only day of a week comes after seven at the latest.
        for day in today - 1..=today + 7 {
            if !self.is_on(day) {
                continue;
            }
            let (opens, closes) = self.on(day);
            if (opens..closes).contains(&now) {
                return None;
            }
            if opens > now {
                soonest = soonest.or(Some(opens - now));
            }
        }
        soonest.and_then(|wait| u64::try_from(wait).ok())
    }

    /// Seconds since 1970, in local time, of its opening on this day and the close that follows.
    fn on(&self, day: i64) -> (i64, i64) {
        let (opens, closes) = (i64::from(self.opens.0), i64::from(self.closes.0));
        let closes = if closes > opens { closes } else { closes + MINUTES_OF_DAY };
        ((day * MINUTES_OF_DAY + opens) * 60, (day * MINUTES_OF_DAY + closes) * 60)
    }

    fn is_on(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        let index = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
        self.days.is_empty() || DAYS.get(index).is_some_and(|(_, day)| self.days.contains(day))
    }

    /// What the types alone do not refuse.
    ///
    /// # Errors
    /// The field, what was expected and what was found.
    pub fn check(&self) -> Result<(), String> {
        if self.opens.0 == 24 * 60 {
            return Err("opens: expected a time from 00:00 to 23:59, found \"24:00\"".to_owned());
        }
        if self.opens == self.closes {
            let found = self.closes;
            return Err(format!(
                "closes: expected another time than opens (no window: always), found \"{found}\""
            ));
        }
        Ok(())
    }
}

impl FromStr for Window {
    type Err = WindowError;

    /// `22:00-06:00`, with an offset behind it and days in front of it: `sat,sun 00:00-24:00+08:00`.
    fn from_str(text: &str) -> Result<Self, WindowError> {
        const EXPECTED: &str = "a window such as 22:00-06:00+08:00 or sat,sun 00:00-24:00";
        let (days, times) = text.trim().rsplit_once(' ').unwrap_or(("", text.trim()));
        let Some((opens, rest)) = times.split_once('-') else { return refused(EXPECTED, text) };
        let Some((closes, offset)) = rest.split_at_checked("HH:MM".len()) else {
            return refused(EXPECTED, text);
        };
        let days = days.split(',').map(str::trim).filter(|day| !day.is_empty()).map(day);
        let window = Self {
            opens: opens.parse()?,
            closes: closes.parse()?,
            utc_offset: if offset.is_empty() { UtcOffset::default() } else { offset.parse()? },
            days: days.collect::<Result<_, _>>()?,
        };
        if window.check().is_err() {
            refused("a window that opens and closes at two times of a day", text)
        } else {
            Ok(window)
        }
    }
}

fn day(text: &str) -> Result<Day, WindowError> {
    let found = DAYS.iter().find(|(name, _)| *name == text.to_ascii_lowercase());
    found.map_or_else(|| refused("days of mon, tue, wed, thu, fri, sat, sun", text), |(_, day)| Ok(*day))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            DAYS.iter().filter(|(_, day)| self.days.contains(day)).map(|(name, _)| *name).collect();
        let space = if names.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}-{}{}", names.join(","), self.opens, self.closes, self.utc_offset)
    }
}

/// Two digits, a colon, two digits.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse::<u16>().ok() } else { None }
    };
    Some(two(hours)? * 60 + two(minutes).filter(|minutes| *minutes < 60)?)
}

impl FromStr for ClockTime {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let found = minutes(text).filter(|minutes| *minutes <= 24 * 60);
        found.map_or_else(|| refused("a time from 00:00 to 24:00", text), |minutes| Ok(Self(minutes)))
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for UtcOffset {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        const EXPECTED: &str = "an offset from -12:00 to +14:00";
        let (sign, most) = match text.as_bytes().first() {
            Some(b'+') => (1, 14 * 60),
            Some(b'-') => (-1, 12 * 60),
            _ if text == "Z" => return Ok(Self::default()),
            _ => return refused(EXPECTED, text),
        };
        let found = minutes(&text[1..]).and_then(|minutes| i16::try_from(minutes).ok());
        let found = found.filter(|minutes| *minutes <= most);
        found.map_or_else(|| refused(EXPECTED, text), |minutes| Ok(Self(sign * minutes)))
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

macro_rules! as_text {
    ($($name:ident)+) => { $(
        impl TryFrom<String> for $name {
            type Error = WindowError;

            fn try_from(text: String) -> Result<Self, WindowError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )+ };
}

as_text!(ClockTime UtcOffset);

#[cfg(test)]
mod tests {
    use super::Window;

    /// Milliseconds of 2026-11-22, a Sunday, at this hour of UTC.
    fn at(days: i64, hour: i64, minute: i64) -> u64 {
        u64::try_from(((20_779 + days) * 1_440 + hour * 60 + minute) * 60_000).unwrap()
    }

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_over_midnight_is_open_on_both_sides_of_it() {
        let night = window("22:00-06:00");
        let rows = [
            ((0, 21, 59), Some(60)),
            ((0, 22, 0), None),
            ((0, 23, 59), None),
            ((1, 0, 0), None),
            ((1, 5, 59), None),
            ((1, 6, 0), Some(16 * 3_600)),
        ];
        for ((day, hour, minute), expected) in rows {
            assert_eq!(night.opens_in(at(day, hour, minute)), expected, "{day} {hour}:{minute}");
        }
    }

    #[test]
    fn times_are_local() {
        assert_eq!(window("22:00-06:00+08:00").opens_in(at(0, 14, 0)), None);
        assert_eq!(window("22:00-06:00+08:00").opens_in(at(0, 13, 0)), Some(3_600));
        assert_eq!(window("00:00-01:00-05:30").opens_in(at(0, 5, 0)), Some(30 * 60));
    }

    #[test]
    fn days_are_those_on_which_it_opens() {
        let weekend = window("sat,sun 20:00-08:00");
        assert_eq!(weekend.opens_in(at(1, 7, 59)), None, "Monday morning is Sunday's");
        assert_eq!(weekend.opens_in(at(1, 8, 0)), Some((4 * 24 + 24 + 12) * 3_600));
        let once = window("mon 10:00-11:00");
        assert_eq!(once.opens_in(at(1, 11, 0)), Some((7 * 24 - 1) * 3_600), "a week later");
        assert_eq!(window("sat,sun 00:00-24:00").opens_in(at(0, 23, 59)), None);
    }

    #[test]
    fn texts_are_read_and_written_alike() {
        for text in ["22:00-06:00+00:00", "mon,fri 09:30-24:00-03:30", "00:00-01:00+14:00"] {
            assert_eq!(window(text).to_string(), text);
            let json = serde_json::to_string(&window(text)).unwrap();
            assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), window(text));
        }
        assert_eq!(window("Sat 01:00-02:00Z").to_string(), "sat 01:00-02:00+00:00");
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "",
            "22:00",
            "22-06",
            "22:00-6:00",
            "22:60-06:00",
            "25:00-06:00",
            "22:00-22:00",
            "24:00-06:00",
            "22:00-06:00+15:00",
            "22:00-06:00-12:01",
            "22:00-06:00 +08:00",
            "day 22:00-06:00",
            "22:00-06:00+8",
        ] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }
}
