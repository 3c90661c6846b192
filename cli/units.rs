//! Sizes, rates and times as people write and read them.

use std::time::Duration;

/// Units, longest first: `KiB` and `K` are 2^10 bytes, as S3's part sizes are counted; `KB` is 1,000.
const UNITS: [(&str, u64); 16] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("bytes", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("t", 1 << 40),
    ("byte", 1),
    ("b", 1),
    ("", 1),
];

/// Reads `8MiB`, `8 M`, `1GB` or plain bytes.
///
/// # Errors
/// What was expected and found, for clap to show beside the flag.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let refuse = || format!("expected bytes such as 8388608, 8MiB or 1GB, found {text:?}");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?;
    let number: u64 = number.parse().map_err(|_| refuse())?;
    number.checked_mul(*factor).ok_or_else(|| format!("expected less than 2^64 bytes, found {text:?}"))
}

/// Reads `20MB/s`, `8MiB/s`, `100Mbit/s` or plain bytes per second.
///
/// # Errors
/// What was expected and found, for clap to show beside the flag.
pub(crate) fn parse_rate(text: &str) -> Result<u64, String> {
    let refuse = |_| format!("expected bytes per second such as 20MB/s, 8MiB/s or 100Mbit/s, found {text:?}");
    let lower = text.trim().to_ascii_lowercase();
    let rate = lower.strip_suffix("/s").unwrap_or(&lower);
    match rate.strip_suffix("bit") {
        // As networks are sold: a megabit is 10^6 bits.
        Some(bits) => parse_size(&format!("{bits}b")).map(|bits| bits / 8).map_err(refuse),
        None => parse_size(rate).map_err(refuse),
    }
}

/// Reads `7d`, `12h`, `30m` or `90s`.
///
/// # Errors
/// What was expected and found, for clap to show beside the flag.
pub(crate) fn parse_age(text: &str) -> Result<Duration, String> {
    let refuse = || format!("expected a time such as 7d, 12h, 30m or 90s, found {text:?}");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(refuse()),
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    // Beyond a hundred years no calendar of ours goes back.
    seconds.filter(|seconds| *seconds <= 100 * 366 * 86_400).map(Duration::from_secs).ok_or_else(refuse)
}

/// Bytes in the largest binary unit that leaves at least 1, three digits long.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ if value.fract() == 0.0 => format!("{value:.0} {unit}"),
        _ if value < 10.0 => format!("{value:.2} {unit}"),
        _ if value < 100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// Bytes per second in decimal units, as networks are measured.
pub(crate) fn rate(bytes: u64, time: Duration) -> String {
    let per_second = bytes as f64 / time.as_secs_f64().max(1e-9);
    if per_second >= 1e9 {
        format!("{:.2} GB/s", per_second / 1e9)
    } else if per_second >= 1e7 {
        format!("{:.0} MB/s", per_second / 1e6)
    } else {
        format!("{:.2} MB/s", per_second / 1e6)
    }
}

/// A duration with two significant units.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.as_millis() < 1000 => format!("{} ms", time.as_millis()),
        0..10 => format!("{:.2} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// `1 part`, `2 parts`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{parse_age, parse_rate, parse_size, rate, size, time};
    use std::time::Duration;

    #[test]
    fn sizes_are_read_with_units() {
        let rows = [
            ("0", 0),
            ("8388608", 8 << 20),
            ("8MiB", 8 << 20),
            ("8 m", 8 << 20),
            ("1GB", 1_000_000_000),
            ("5b", 5),
        ];
        for (text, bytes) in rows {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "MiB", "1.5GiB", "-1", "1 parsec", "18446744073709551616", "99999999TiB"] {
            assert!(parse_size(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn rates_are_read_with_units() {
        let rows = [
            ("20MB/s", 20_000_000),
            ("8 MiB/s", 8 << 20),
            ("100Mbit/s", 12_500_000),
            ("1 Gbit/s", 125_000_000),
            ("8bit/s", 1),
            ("131072", 131_072),
            ("1MB", 1_000_000),
        ];
        for (text, bytes) in rows {
            assert_eq!(parse_rate(text), Ok(bytes), "{text}");
        }
        for bad in ["", "/s", "fast", "1.5MB/s", "20MB/h", "bit/s"] {
            assert!(parse_rate(bad).unwrap_err().contains(&format!("{bad:?}")), "{bad}");
        }
    }

    #[test]
    fn ages_are_read_with_units() {
        let rows = [("7d", 604_800), ("12h", 43_200), ("30 m", 1_800), ("0s", 0)];
        for (text, seconds) in rows {
            assert_eq!(parse_age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "7", "d", "-1d", "1.5h", "1w", "99999999999999999999d", "40000d"] {
            assert!(parse_age(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn sizes_rates_and_times_are_short() {
        let sizes = [0, 1023, 1024, 8 << 20, (1 << 30) + (1 << 28), 150 << 20].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1 KiB", "8 MiB", "1.25 GiB", "150 MiB"]);
        assert_eq!(rate(1 << 30, Duration::from_millis(1_000)), "1.07 GB/s");
        assert_eq!(rate(52_000_000, Duration::from_secs(1)), "52 MB/s");
        assert_eq!(rate(1_234_567, Duration::from_secs(1)), "1.23 MB/s");
        let times = [0.012, 1.234, 12.34, 125.0, 7_260.0].map(|s| time(Duration::from_secs_f64(s)));
        assert_eq!(times, ["12 ms", "1.23 s", "12.3 s", "2 min 05 s", "2 h 01 min"]);
    }
}
