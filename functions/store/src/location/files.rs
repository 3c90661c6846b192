//! Locations of files: which directories of the workers stand for buckets.

use std::path::{Component, PathBuf};

use serde_json::Value;
use transload_wire::{ErrorName, Failure};

use super::{Location, LocationKind};
use crate::file::FileSettings;

/// What a location of files may say.
const FIELDS: [&str; 8] = ["kind", "roots", "mounted", "mode", "directory_mode", "uid", "gid", "limits"];
/// What of it no other location may say.
const OWN: [&str; 6] = ["roots", "mounted", "mode", "directory_mode", "uid", "gid"];

impl Location {
    /// The settings of the store of files.
    ///
    /// # Errors
    /// `InputInvalid`; the message begins with the field.
    pub fn file_settings(&self, name: &str) -> Result<FileSettings, Failure> {
        if self.kind != LocationKind::File {
            return refuse("kind", "file", "another one");
        }
        self.check_fields(|field| FIELDS.contains(&field), "file")?;
        if self.roots.is_empty() {
            return refuse("roots", "at least one, such as { models = \"/mnt/models\" }", "none");
        }
        for (bucket, path) in &self.roots {
            check_root(bucket.as_str(), path)?;
        }
        let limits = super::check::limits(&self.limits, transload_plan::Limits::default());
        limits.check().map_err(|error| ErrorName::InputInvalid.because(error.to_string()).at("limits"))?;
        Ok(FileSettings {
            name: name.to_owned(),
            roots: self.roots.clone(),
            mounted: self.mounted,
            mode: self.mode.as_deref().map(|mode| octal("mode", mode)).transpose()?,
            directory_mode: self
                .directory_mode
                .as_deref()
                .map(|mode| octal("directory_mode", mode))
                .transpose()?,
            uid: self.uid,
            gid: self.gid,
            limits,
        })
    }

    /// Refuses, in a location of another kind, what only files have.
    pub(super) fn check_no_files(&self) -> Result<(), Failure> {
        match self.kind {
            LocationKind::S3 => self.check_fields(|field| !OWN.contains(&field), "s3"),
            LocationKind::File => refuse("kind", "s3", "file"),
        }
    }

    /// Refuses the first field that was set and is not of this kind.
    fn check_fields(&self, belongs: impl Fn(&str) -> bool, kind: &str) -> Result<(), Failure> {
        let plain = Self { kind: self.kind, ..Self::plain() };
        let json = |location: &Self| match serde_json::to_value(location) {
            Ok(Value::Object(fields)) => Ok(fields),
            _ => Err(ErrorName::Internal.because("a location that can not be written as JSON")),
        };
        let (found, plain) = (json(self)?, json(&plain)?);
        match found.iter().find(|(field, value)| !belongs(field) && plain.get(*field) != Some(value)) {
            Some((field, _)) => refuse(field, &format!("none in a location of kind {kind}"), "one"),
            None => Ok(()),
        }
    }
}

/// As it stands, so that nobody has to guess which directory is meant.
fn check_root(bucket: &str, path: &std::path::Path) -> Result<(), Failure> {
    let same: PathBuf = path.components().collect();
    let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
    if path.is_absolute() && plain && same.as_os_str() == path.as_os_str() {
        return Ok(());
    }
    let found = format!("{:?}", path.display().to_string());
    refuse(&format!("roots.{bucket}"), "an absolute path without . and .., and without / at its end", &found)
}

fn octal(field: &str, text: &str) -> Result<u32, Failure> {
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if digits => Ok(mode),
        _ => refuse(field, "3 or 4 octal digits in quotation marks, such as \"0640\"", &format!("{text:?}")),
    }
}

fn refuse<T>(field: &str, expected: &str, found: &str) -> Result<T, Failure> {
    Err(ErrorName::InputInvalid.because(format!("{field}: expected {expected}, found {found}")))
}

#[cfg(test)]
mod tests {
    use transload_wire::LocationName;

    use crate::Stores;
    use crate::location::{ConfiguredStores, Locations};

    fn toml(lines: &str) -> Result<ConfiguredStores, String> {
        let text = format!("[locations.efs]\n{lines}");
        ConfiguredStores::from_toml(&text).map_err(|failure| failure.message)
    }

    const ROOTS: &str = "kind = \"file\"\nroots = { models = \"/mnt/models\", drop = \"/srv/drop\" }";

    #[test]
    fn locations_of_files_are_accepted() {
        let all = "mounted = true\nmode = \"0640\"\ndirectory_mode = \"750\"\nuid = 1001\ngid = 1001\nlimits = { min_part = 1 }";
        for lines in [ROOTS.to_owned(), format!("{ROOTS}\n{all}")] {
            let stores = toml(&lines).unwrap();
            let name: LocationName = "efs".parse().unwrap();
            let store = stores.open(&name).unwrap();
            assert!(store.conditional_writes() && !store.takes(&"a//b".parse().unwrap()));
            let locations = Locations::from_toml(&format!("[locations.efs]\n{lines}")).unwrap();
            let json = serde_json::to_string(&locations).unwrap();
            assert_eq!(Locations::from_json(&json).unwrap(), locations, "{json}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_field() {
        let with = |line: &str| format!("{ROOTS}\n{line}");
        let root = |path: &str| format!("kind = \"file\"\nroots = {{ models = {path:?} }}");
        for (lines, expected) in [
            ("kind = \"file\"".to_owned(), "locations.efs.roots: expected at least one"),
            (root("mnt/models"), "locations.efs.roots.models: expected an absolute path"),
            (root("/mnt/../etc"), "locations.efs.roots.models: expected an absolute path"),
            (root("/mnt/models/"), "locations.efs.roots.models: expected an absolute path"),
            (
                "kind = \"file\"\nroots = { Models = \"/mnt\" }".to_owned(),
                "locations.efs.roots.Models: expected a bucket name",
            ),
            (
                with("region = \"eu-west-1\""),
                "locations.efs.region: expected none in a location of kind file",
            ),
            (
                with("credentials = { profile = \"a\" }"),
                "locations.efs.credentials: expected none in a location of kind file",
            ),
            (
                with("profile = \"generic\""),
                "locations.efs.profile: expected none in a location of kind file",
            ),
            (with("mode = \"0999\""), "locations.efs.mode: expected 3 or 4 octal digits"),
            (with("directory_mode = \"rwx\""), "locations.efs.directory_mode: expected 3 or 4 octal digits"),
            (with("limits = { min_part = 0 }"), "locations.efs.limits: location.limits:"),
            (
                "kind = \"s3\"\nroots = { models = \"/mnt\" }".to_owned(),
                "locations.efs.roots: expected none in a location of kind s3",
            ),
            (
                "kind = \"s3\"\nuid = 0".to_owned(),
                "locations.efs.uid: expected none in a location of kind s3",
            ),
        ] {
            let found = toml(&lines).expect_err(&lines);
            assert!(found.starts_with(expected), "{lines}\nexpected {expected}\n   found {found}");
        }
    }
}
