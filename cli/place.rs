//! `LOCATION:s3://BUCKET/KEY`, the way a place is written on the command line. A file is `LOCATION:ROOT/PATH`, with or
//! without `file://` before its root.

use std::str::FromStr;

use crate::doctor::End;
use transload_wire::{BucketName, Destination, LocationName, ObjectKey, Source, StoredSource, VersionId};

/// A place as it is typed. The key may be left off a destination: then it is the source's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    location: LocationName,
    bucket: BucketName,
    key: Option<ObjectKey>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("expected LOCATION:s3://BUCKET/KEY, found {text:?}");
        let (location, rest) = text.split_once(':').ok_or_else(refuse)?;
        if location == "s3" && rest.starts_with("//") {
            return Err(format!("{}: the location's name is missing in front", refuse()));
        }
        let path = ["s3://", "file://"].iter().find_map(|scheme| rest.strip_prefix(scheme)).unwrap_or(rest);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let key = if key.is_empty() { None } else { Some(key.parse().map_err(|e| format!("key: {e}"))?) };
        Ok(Self {
            location: location.parse().map_err(|e| format!("location: {e}"))?,
            bucket: bucket.parse().map_err(|e| format!("bucket: {e}"))?,
            key,
        })
    }
}

impl Place {
    /// As an end of a route: what was typed as a key is a prefix there.
    pub(crate) fn end(&self) -> End {
        End {
            location: self.location.to_string(),
            bucket: self.bucket.to_string(),
            prefix: self.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Its location and bucket.
    pub(crate) fn bucket(&self) -> (LocationName, BucketName) {
        (self.location.clone(), self.bucket.clone())
    }

    /// As a source, at a version or the newest one.
    ///
    /// # Errors
    /// If there is no key.
    pub(crate) fn source(self, version_id: Option<VersionId>) -> Result<Source, String> {
        let key = self.key.ok_or_else(|| {
            format!("source: expected LOCATION:s3://BUCKET/KEY, found no key behind bucket {}", self.bucket)
        })?;
        let Self { location, bucket, .. } = self;
        Ok(Source::Stored(StoredSource { location, bucket, key, version_id }))
    }

    /// As a destination; without a key it takes the source's, or what stands behind the last slash of its URL.
    ///
    /// # Errors
    /// If that is no key either.
    pub(crate) fn destination(self, source: &Source) -> Result<Destination, String> {
        let key = match (self.key, source) {
            (Some(key), _) => key,
            (None, Source::Stored(source)) => source.key.clone(),
            (None, Source::Url(source)) => named(source.url.path()).ok_or_else(|| {
                format!("destination: expected LOCATION:s3://BUCKET/KEY, for {source} ends in no plain name")
            })?,
        };
        Ok(Destination { location: self.location, bucket: self.bucket, key })
    }
}

/// The last name of a path. What is percent-encoded there is left to the user.
fn named(path: &str) -> Option<ObjectKey> {
    let name = path.rsplit('/').next()?;
    (!name.contains('%')).then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn shown(text: &str) -> Result<String, String> {
        Ok(text.parse::<Place>()?.source(None)?.to_string())
    }

    #[test]
    fn places_are_read_with_and_without_the_scheme() {
        assert_eq!(shown("global:s3://photos/a/b.jpg").unwrap(), "global:s3://photos/a/b.jpg");
        assert_eq!(shown("global:photos/a b+c%2F").unwrap(), "global:s3://photos/a b+c%2F");
        assert_eq!(shown("efs:file://models/a/b.bin"), shown("efs:models/a/b.bin"));
        assert_eq!(shown("g:s3://photos//x").unwrap(), "g:s3://photos//x");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let rows = [
            ("photos/key", "expected LOCATION:s3://BUCKET/KEY"),
            ("s3://photos/key", "location's name is missing"),
            ("global:s3://Photos/key", "bucket: expected a bucket name"),
            ("glo bal:photos/key", "location: expected a location name"),
            ("global:s3://photos", "found no key"),
        ];
        for (text, expected) in rows {
            let found = shown(text).unwrap_err();
            assert!(found.contains(expected), "{text}: {found}");
        }
    }

    #[test]
    fn a_destination_without_a_key_takes_the_sources() {
        let source = "g:s3://photos/a/b".parse::<Place>().unwrap().source(None).unwrap();
        for text in ["c:s3://photos-cn", "c:photos-cn/"] {
            let destination = text.parse::<Place>().unwrap().destination(&source).unwrap();
            assert_eq!(destination.to_string(), "c:s3://photos-cn/a/b");
        }
    }
}
