//! The manifest, the sums, and whether documents are documents.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::Check;
use super::lines::{Rows, document, whole};
use crate::evidence::archive::Pack;
use crate::evidence::manifest::{FORMAT, Listed, Manifest, VERSION};
use crate::evidence::name;

/// Files that every pack has.
const ALWAYS: [&str; 11] = [
    name::README,
    name::EXECUTION,
    name::INPUT,
    name::DEFINITION,
    name::HISTORY,
    name::CHILDREN,
    name::MAP_RUNS,
    name::PARTS,
    name::CHECKSUMS,
    name::VERSIONS,
    name::REPORT,
];

/// The manifest, if it is one.
pub(super) fn check(pack: &Pack, checks: &mut Vec<Check>) -> Option<Manifest> {
    let manifest = match manifest(pack) {
        Ok(manifest) => manifest,
        Err(why) => {
            checks.push(Check::failed("manifest", why));
            return None;
        }
    };
    checks.push(Check::ok("manifest", format!("format {FORMAT} {VERSION}, made by {}", manifest.made_by)));
    checks.push(Check::of("files", files(pack, &manifest)));
    checks.push(Check::of("documents", documents(pack)));
    Some(manifest)
}

fn manifest(pack: &Pack) -> Result<Manifest, String> {
    // Its version first: a later one may have other fields.
    let told: Value = document(pack, name::MANIFEST)?;
    if told["format"] != FORMAT {
        return Err(format!("{}: expected format {FORMAT:?}, found {}", name::MANIFEST, told["format"]));
    }
    if told["formatVersion"] != VERSION {
        let found = &told["formatVersion"];
        return Err(format!("{}: expected formatVersion {VERSION}, found {found}", name::MANIFEST));
    }
    serde_json::from_value(told).map_err(|error| format!("{}: {error}", name::MANIFEST))
}

/// Every file that is named, and no other, with its size and its SHA-256; and the sums that follow from them.
fn files(pack: &Pack, manifest: &Manifest) -> Result<String, String> {
    let inside: Vec<Listed> = pack
        .files
        .iter()
        .map(|file| Listed { name: file.name.clone(), size: file.size, sha256: file.sha256.clone() })
        .collect();
    let own = [name::MANIFEST, name::SUMS];
    let found: Vec<&Listed> = inside.iter().filter(|file| !own.contains(&file.name.as_str())).collect();
    let there: BTreeSet<&str> = found.iter().map(|file| file.name.as_str()).collect();
    if let Some(lost) = manifest.files.iter().find(|listed| !there.contains(listed.name.as_str())) {
        return Err(format!("{}: it is in the manifest, and not in the pack", lost.name));
    }
    if let Some(always) = ALWAYS.iter().find(|always| !there.contains(**always)) {
        return Err(format!("{always}: expected a file, found none"));
    }
    for (at, file) in found.iter().enumerate() {
        let Some(listed) = manifest.files.get(at).filter(|listed| listed.name == file.name) else {
            return Err(format!("{}: it is in the pack, and not at its place in the manifest", file.name));
        };
        if listed.size != file.size {
            return Err(format!("{}: expected {} bytes, found {}", file.name, listed.size, file.size));
        }
        if listed.sha256 != file.sha256 {
            return Err(format!("{}: expected SHA-256 {}, found {}", file.name, listed.sha256, file.sha256));
        }
    }
    let sums: String = inside.iter().filter(|file| file.name != name::SUMS).map(Listed::line).collect();
    if whole(pack, name::SUMS)? != sums {
        return Err(format!("{}: expected the SHA-256 of each file, found others", name::SUMS));
    }
    Ok(format!("{} with their sizes and SHA-256, and no other", manifest.files.len()))
}

/// Whether what is called JSON is JSON.
fn documents(pack: &Pack) -> Result<String, String> {
    let (mut documents, mut lines) = (0_u64, 0_u64);
    for file in &pack.files {
        if file.name.ends_with(".json") {
            document::<IgnoredAny>(pack, &file.name)?;
            documents += 1;
        } else if file.name.ends_with(".jsonl") {
            let mut rows = Rows::of(pack, &file.name)?;
            while rows.parsed::<IgnoredAny>()?.is_some() {
                lines += 1;
            }
        }
    }
    Ok(format!("{documents} documents and {lines} lines of JSON"))
}
