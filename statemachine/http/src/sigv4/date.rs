//! The date of a request, and how far it may lie from ours.
use super::text;
use crate::answer::Refusal;
use hyper::header::HeaderMap;
use std::time::SystemTime;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// How far a request's date may lie from the server's: 15 minutes, as the vendor documents.
const SKEW: Duration = Duration::minutes(15);

/// A date as requests write it: `20260131T120000Z`.
#[derive(Debug)]
pub(super) struct Date {
    time: OffsetDateTime,
    /// As it is signed.
    pub(super) text: String,
}

fn written(time: OffsetDateTime) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    // A year beyond four digits has no such form; it is far enough from now to be refused anyway.
    time.to_offset(UtcOffset::UTC).format(&format).unwrap_or_default()
}

impl Date {
    /// Of `X-Amz-Date`, or of `Date`.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let time = match text(headers, "x-amz-date") {
            Some(date) => parse(date)?,
            None => {
                let date = text(headers, "date")?;
                parse(date).or_else(|| OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok())?
            }
        };
        Some(Self { time, text: written(time) })
    }

    /// `20260131`.
    pub(super) fn day(&self) -> &str {
        self.text.get(..8).unwrap_or_default()
    }

    /// Refuses dates that are too old, or not here yet.
    pub(super) fn check_skew(&self, now: SystemTime) -> Result<(), Refusal> {
        let now = OffsetDateTime::from(now);
        let refuse = |message| Err(Refusal::new("InvalidSignatureException", message));
        let (text, clock) = (&self.text, written(now));
        if self.time < now - SKEW {
            let earliest = written(now - SKEW);
            return refuse(format!(
                "Signature expired: {text} is now earlier than {earliest} ({clock} - 15 min.)"
            ));
        }
        if self.time > now + SKEW {
            let latest = written(now + SKEW);
            return refuse(format!(
                "Signature not yet current: {text} is still later than {latest} ({clock} + 15 min.)"
            ));
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    PrimitiveDateTime::parse(text, &format).ok().map(PrimitiveDateTime::assume_utc)
}
