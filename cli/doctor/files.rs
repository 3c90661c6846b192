//! Looks at the roots of locations of files: whether each is there, and may be written.

use transload_store::file::FileStore;
use transload_store::location::LocationKind;
use transload_wire::BucketName;

use super::finding::Finding;
use super::setup::Setup;

/// What the roots of all such locations are like. `write`: also whether they may be written, which leaves transload's own
/// directory in each destination.
pub(crate) fn look(setup: &Setup, write: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, spot) in setup.locations.iter().filter(|(_, spot)| spot.location.kind == LocationKind::File) {
        let settings = match spot.location.file_settings(name.as_str()) {
            Ok(settings) => settings,
            Err(failure) => {
                findings.push(Finding::wrong(name.as_str(), "location", failure.message));
                continue;
            }
        };
        let store = FileStore::new(settings);
        for bucket in spot.location.roots.keys() {
            let written = write && is_destination(setup, name.as_str(), bucket);
            findings.push(root(&store, name.as_str(), bucket, written));
        }
    }
    findings
}

fn root(store: &FileStore, location: &str, bucket: &BucketName, write: bool) -> Finding {
    let subject = format!("{location}: {bucket}");
    match store.probe(bucket, write) {
        Ok(()) if write => Finding::ok(&subject, "root", "is there and may be written"),
        Ok(()) => Finding::ok(&subject, "root", "is there"),
        Err(error) => Finding::wrong(&subject, "root", error.to_string())
            .expected("a directory that is there, and may be written where it is a destination")
            .advice("mount it on every worker, or correct roots in the location"),
    }
}

fn is_destination(setup: &Setup, location: &str, bucket: &BucketName) -> bool {
    let ends = setup.routes.iter().map(|route| &route.destination);
    ends.into_iter().any(|end| end.location == location && end.bucket == bucket.as_str())
}
