//! The parts of an upload, as the names of their records tell them.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use transload_plan::PartNumber;
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind, Etag, NameError};

use super::entries;
use super::root::Root;
use super::upload::Open;
use crate::{PartListing, PartRef, StoreError, StoreErrorKind as Kind};

/// A part that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) number: u32,
    /// Where it stands in the file; absent for what is no part of the object.
    pub(super) offset: Option<u64>,
    pub(super) len: u64,
    /// When it was written, in seconds.
    pub(super) at: u64,
    /// Its checksum, base64.
    pub(super) value: String,
}

impl Record {
    pub(super) fn name(&self) -> String {
        let offset = self.offset.map_or_else(|| "-".to_owned(), |offset| format!("{offset:x}"));
        let value = self.value.replace('+', "-").replace('/', "_");
        format!("r{:05}.{offset}.{:x}.{:x}.{value}", self.number, self.len, self.at)
    }

    fn parse(name: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(name).ok()?.strip_prefix('r')?.split('.');
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        let record = Self {
            number: fields.next()?.parse().ok()?,
            offset: match fields.next()? {
                "-" => None,
                offset => Some(hex(offset)?),
            },
            len: hex(fields.next()?)?,
            at: hex(fields.next()?)?,
            value: fields.next()?.replace('-', "+").replace('_', "/"),
        };
        fields.next().is_none().then_some(record)
    }

    pub(super) fn etag(&self) -> Result<Etag, NameError> {
        self.value.parse()
    }
}

/// Seconds since 1970 as S3 writes times.
pub(super) fn time(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or_default();
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}

/// All parts that are there, by number.
pub(super) fn read(root: &Root, open: &Open) -> Result<BTreeMap<u32, Record>, StoreError> {
    let names = entries(&open.directory).map_err(|error| root.call.io("list its parts", error))?;
    let mut parts: BTreeMap<u32, Record> = BTreeMap::new();
    for record in names.iter().filter_map(|name| Record::parse(name)) {
        // A worker that was killed between two steps may leave two. Which of them is right nobody knows: neither counts.
        if let Some(other) = parts.insert(record.number, record.clone())
            && other != record
        {
            parts.remove(&record.number);
        }
    }
    Ok(parts)
}

/// All parts behind `after`: they are few enough for one page, and each page costs a listing.
pub(super) fn list(root: &Root, open: &Open, after: u32) -> Result<PartListing, StoreError> {
    let mut listing = PartListing::default();
    let mut changed: Option<(u64, PartNumber)> = None;
    for (number, record) in read(root, open)?.split_off(&(after + 1)) {
        let malformed = |error: String| root.call.refuse(Kind::Malformed, format!("part {number}: {error}"));
        let number = PartNumber::new(number).map_err(|error| malformed(error.to_string()))?;
        changed = changed.max(Some((record.at, number)));
        listing.parts.push(PartRef {
            number,
            size: record.len,
            etag: record.etag().map_err(|error| malformed(error.to_string()))?,
            checksum: Some(checksum(open.about.algorithm, record.value)),
        });
    }
    listing.changed = changed.map(|(at, number)| (time(at), number));
    Ok(listing)
}

pub(super) fn checksum(algorithm: ChecksumAlgorithm, value: String) -> Checksum {
    Checksum { algorithm, value, kind: ChecksumKind::FullObject }
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn a_record_is_read_as_it_was_named() {
        for (offset, value) in
            [(Some(0), "rosUhgp5mIg="), (Some(u64::MAX), "4waSgw=="), (None, "+/+/+/+/+/8=")]
        {
            let record =
                Record { number: 10_000, offset, len: 5 << 30, at: 1_790_000_000, value: value.to_owned() };
            assert_eq!(Record::parse(record.name().as_bytes()), Some(record));
        }
        for name in ["p00001", "r", "r00001.0.5.0", "r00001.0.5.0.x.y", "about", "rx.0.5.0.v", "r\u{ff}"] {
            assert_eq!(Record::parse(name.as_bytes()), None, "{name}");
        }
    }
}
