//! Rows of an S3 Inventory in CSV: what stood in a bucket up to two days ago.
//!
//! The files have no header: `fileSchema` of the inventory's `manifest.json` names their columns, in their order. A row tells of
//! one version, where versions are in it; keys are URL-encoded.
//!
//! ```
//! use transload_plan::inventory::{Schema, Standing};
//!
//! let schema = Schema::new("Bucket, Key, Size, LastModifiedDate, ETag, StorageClass")?;
//! let row = schema.row(r#""photos","a%20b","3","2026-11-20T01:00:00.000Z","900150983cd24fb0d6963f7d28e17f72","STANDARD""#)?;
//! assert_eq!((row.key.as_str(), row.standing), ("a b", Standing::Newest));
//! assert_eq!(row.known.unwrap().modified, "2026-11-20T01:00:00Z");
//! assert_eq!(Schema::new("Bucket, Size").unwrap_err(), "expected a column Key, found Bucket, Size");
//! # Ok::<(), String>(())
//! ```

use crate::csv::{decoded, fields};
use crate::utc;

/// The class whose objects may be in an archive tier without saying so.
const INTELLIGENT: &str = "INTELLIGENT_TIERING";
/// How the names of its tiers begin that are read at once.
const READABLE: [&str; 3] = ["FREQUENT", "INFREQUENT", "ARCHIVE_INSTANT"];

/// The columns that matter here, by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    columns: usize,
    bucket: usize,
    key: usize,
    /// `IsLatest` and `IsDeleteMarker`: there where all versions are listed.
    versions: Option<(usize, usize)>,
    /// `Size`, `ETag`, `LastModifiedDate` and `StorageClass`.
    known: Option<[usize; 4]>,
    tier: Option<usize>,
}

/// What a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The object that stood there.
    Newest,
    /// A version that another one had replaced.
    Older,
    /// A delete marker.
    Marker,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The bucket.
    pub bucket: String,
    /// The whole key, as it is.
    pub key: String,
    /// What it tells of.
    pub standing: Standing,
    /// What was known of the newest version; `None` where the columns are missing, or do not tell whether it is archived.
    pub known: Option<Known>,
}

/// What a listing would have told of an object at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Bytes.
    pub size: u64,
    /// ETag, without quotation marks.
    pub etag: String,
    /// When it was written, ISO 8601 in UTC, to the second.
    pub modified: String,
    /// Storage class.
    pub class: String,
}

impl Schema {
    /// Reads `fileSchema`.
    ///
    /// # Errors
    /// What was expected and found. Where versions are listed, the columns have to tell which is the newest.
    pub fn new(text: &str) -> Result<Self, String> {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let find = |name: &str| names.iter().position(|found| *found == name);
        let need = |name: &str| find(name).ok_or_else(|| format!("expected a column {name}, found {text}"));
        let of_versions = ["VersionId", "IsLatest", "IsDeleteMarker"].iter().any(|name| find(name).is_some());
        let known = ["Size", "ETag", "LastModifiedDate", "StorageClass"].map(find);
        Ok(Self {
            columns: names.len(),
            bucket: need("Bucket")?,
            key: need("Key")?,
            versions: if of_versions { Some((need("IsLatest")?, need("IsDeleteMarker")?)) } else { None },
            known: match known {
                [Some(size), Some(etag), Some(modified), Some(class)] => Some([size, etag, modified, class]),
                _ => None,
            },
            tier: find("IntelligentTieringAccessTier"),
        })
    }

    /// Whether rows tell what a listing would: size, ETag, time and storage class.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.known.is_some()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// The column, what was expected and what was found, for file and line to stand before it.
    pub fn row(&self, line: &str) -> Result<Row, String> {
        let fields = fields(line.trim_end_matches('\r'))?;
        if fields.len() != self.columns {
            let (expected, found) = (self.columns, fields.len());
            return Err(format!("expected {expected} fields (as fileSchema says), found {found}"));
        }
        let standing = match self.versions {
            None => Standing::Newest,
            Some((latest, marker)) => {
                match (flag("IsLatest", &fields[latest])?, flag("IsDeleteMarker", &fields[marker])?) {
                    (_, true) => Standing::Marker,
                    (true, false) => Standing::Newest,
                    (false, false) => Standing::Older,
                }
            }
        };
        let known = match self.known {
            Some(places) if standing == Standing::Newest => {
                let tier = self.tier.map(|tier| fields[tier].as_str());
                let known = known(places.map(|place| fields[place].as_str()))?;
                Some(known).filter(|known| known.class != INTELLIGENT || tier.is_some_and(is_readable))
            }
            _ => None,
        };
        let key = decoded(&fields[self.key]).map_err(|what| format!("Key: {what}"))?;
        Ok(Row { bucket: fields[self.bucket].clone(), key, standing, known })
    }
}

fn flag(column: &str, text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{column}: expected true or false, found {text:?}")),
    }
}

fn known([size, etag, modified, class]: [&str; 4]) -> Result<Known, String> {
    let refuse =
        |column: &str, expected: &str, found: &str| format!("{column}: expected {expected}, found {found:?}");
    let bytes = size.bytes().all(|b| b.is_ascii_digit()).then(|| size.parse().ok()).flatten();
    let tag = Some(etag.trim_matches('"')).filter(|tag| !tag.is_empty());
    let time = utc(modified).filter(|_| modified.contains('T'));
    let name = Some(class).filter(|class| is_class(class));
    Ok(Known {
        size: bytes.ok_or_else(|| refuse("Size", "bytes", size))?,
        etag: tag.ok_or_else(|| refuse("ETag", "one", etag))?.to_owned(),
        modified: time.ok_or_else(|| {
            refuse("LastModifiedDate", "a time in UTC such as 2026-01-31T12:00:00.000Z", modified)
        })?,
        class: name.ok_or_else(|| refuse("StorageClass", "a name such as STANDARD_IA", class))?.to_owned(),
    })
}

fn is_readable(tier: &str) -> bool {
    let tier = tier.to_ascii_uppercase().replace([' ', '-'], "_");
    READABLE.iter().any(|readable| tier.starts_with(readable))
}

/// Whether a text may be the name of a storage class.
#[must_use]
pub fn is_class(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::{Schema, Standing};

    /// As S3 writes it with every column.
    const WHOLE: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, \
        IsMultipartUploaded, ReplicationStatus, EncryptionStatus, ObjectLockRetainUntilDate, ObjectLockMode, \
        ObjectLockLegalHoldStatus, IntelligentTieringAccessTier, BucketKeyStatus, ChecksumAlgorithm, \
        ObjectAccessControlList, ObjectOwner";

    fn whole(latest: bool, marker: bool, class: &str, tier: &str) -> String {
        let facts = if marker { ["", "", ""] } else { ["7", "5d41402abc4b2a76b9719d911017c592-2", class] };
        format!(
            "\"photos\",\"in/a%2Cb%22+c\",\"v1\",\"{latest}\",\"{marker}\",\"{}\",\"2026-11-20T01:02:03.000Z\",\"{}\",\"{}\",\
             \"true\",\"\",\"SSE-S3\",\"\",\"\",\"\",\"{tier}\",\"DISABLED\",\"CRC64NVME\",\"e30=\",\"owner\"\r",
            facts[0], facts[1], facts[2]
        )
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let schema = Schema::new(WHOLE).unwrap();
        let row = schema.row(&whole(true, false, "STANDARD", "")).unwrap();
        assert_eq!((row.bucket.as_str(), row.key.as_str()), ("photos", "in/a,b\" c"));
        let known = row.known.unwrap();
        assert_eq!((known.size, known.etag.as_str()), (7, "5d41402abc4b2a76b9719d911017c592-2"));
        assert_eq!(known.modified, "2026-11-20T01:02:03Z");
        let other = Schema::new("StorageClass,ETag, Key,LastModifiedDate,Size,Bucket").unwrap();
        let row = other.row("GLACIER,\"\"\"e\"\"\",in/a,2026-11-20T01:02:03Z,0,photos").unwrap();
        let known = row.known.unwrap();
        assert_eq!((known.etag.as_str(), known.class.as_str(), known.size), ("e", "GLACIER", 0));
    }

    #[test]
    fn only_the_newest_version_is_an_object() {
        let schema = Schema::new(WHOLE).unwrap();
        for (latest, marker, standing) in [
            (true, false, Standing::Newest),
            (false, false, Standing::Older),
            (true, true, Standing::Marker),
            (false, true, Standing::Marker),
        ] {
            let row = schema.row(&whole(latest, marker, "STANDARD", "")).unwrap();
            assert_eq!((row.standing, row.known.is_some()), (standing, standing == Standing::Newest));
        }
    }

    #[test]
    fn what_does_not_tell_whether_it_can_be_read_is_not_known() {
        let schema = Schema::new(WHOLE).unwrap();
        for (tier, known) in [
            ("FREQUENT", true),
            ("Infrequent Access", true),
            ("ARCHIVE_INSTANT_ACCESS", true),
            ("ARCHIVE_ACCESS", false),
            ("DEEP_ARCHIVE_ACCESS", false),
            ("", false),
        ] {
            let row = schema.row(&whole(true, false, "INTELLIGENT_TIERING", tier)).unwrap();
            assert_eq!(row.known.is_some(), known, "{tier}");
        }
        for schema in
            ["Bucket,Key", "Bucket,Key,Size,ETag,LastModifiedDate", "Bucket,Key,Size,ETag,StorageClass"]
        {
            assert!(!Schema::new(schema).unwrap().tells(), "{schema}");
        }
    }

    #[test]
    fn columns_that_are_missing_are_named() {
        for (schema, told) in [
            ("Key, Size", "expected a column Bucket"),
            ("Bucket, Key, VersionId", "expected a column IsLatest"),
            ("Bucket, Key, IsLatest", "expected a column IsDeleteMarker"),
            ("struct<bucket:string,key:string>", "expected a column Bucket"),
        ] {
            let refused = Schema::new(schema).unwrap_err();
            assert!(refused.contains(told), "{schema}: {refused}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_row_is_told_by_its_column() {
        let schema =
            Schema::new("Bucket,Key,IsLatest,IsDeleteMarker,Size,LastModifiedDate,ETag,StorageClass")
                .unwrap();
        let time = "2026-11-20T01:02:03.000Z";
        for (row, told) in [
            (format!("b,k,true,false,7,{time},e"), "expected 8 fields (as fileSchema says), found 7"),
            (format!("b,%zz,true,false,7,{time},e,STANDARD"), "Key: expected two hexadecimal"),
            (format!("b,k,yes,false,7,{time},e,STANDARD"), "IsLatest: expected true or false"),
            (format!("b,k,true,,7,{time},e,STANDARD"), "IsDeleteMarker: expected true or false"),
            (format!("b,k,true,false,,{time},e,STANDARD"), "Size: expected bytes, found \"\""),
            (format!("b,k,true,false,+7,{time},e,STANDARD"), "Size: expected bytes"),
            ("b,k,true,false,7,2026-11-20,e,STANDARD".to_owned(), "LastModifiedDate: expected a time"),
            (format!("b,k,true,false,7,{time},,STANDARD"), "ETag: expected one"),
            (format!("b,k,true,false,7,{time},e,standard"), "StorageClass: expected a name"),
            (format!("b,\"k,true,false,7,{time},e,STANDARD"), "closing quote"),
        ] {
            let refused = schema.row(&row).unwrap_err();
            assert!(refused.contains(told), "{row}: {refused}");
        }
    }
}
