//! Names for one version of a source, and for one transfer of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use transload_wire::{Destination, ErrorName, ExecutionInfo, Failure, Pinned, Token};

/// Identity of the version that is read. A version id names it for good. Without one (or with `null`, which the bucket
/// reuses), ETag and size name the bytes, and the time of the last change the attributes: S3 changes metadata by copying
/// an object onto itself, which leaves its ETag as it is.
pub(crate) fn of_version(pinned: &Pinned) -> Result<Token, Failure> {
    let object = &pinned.object;
    let size = pinned.size.to_string();
    let mut fields = vec![
        "version",
        object.location.as_str(),
        object.bucket.as_str(),
        object.key.as_str(),
        pinned.etag.as_str(),
        &size,
    ];
    match object.version_id.as_ref().map(|version| version.as_str()) {
        Some(version) if version != "null" => fields.extend(["id", version]),
        _ => fields.extend(["changed", &pinned.last_modified]),
    }
    digest(&fields)
}

/// Token of this execution's transfer: the same over retries and redrives, another for every execution, though it copies
/// the same object to the same place.
pub(crate) fn of_transfer(execution: &ExecutionInfo, to: &Destination) -> Result<Token, Failure> {
    digest(&[
        "transfer",
        &execution.id,
        &execution.start_time,
        to.location.as_str(),
        to.bucket.as_str(),
        to.key.as_str(),
    ])
}

/// 192 bits of SHA-256 over the fields, each behind its length so that no two lists read the same: 32 characters, to
/// leave most of the 2,048 bytes of metadata to the user.
fn digest(fields: &[&str]) -> Result<Token, Failure> {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let text = URL_SAFE_NO_PAD.encode(&hash.finalize()[..24]);
    text.parse().map_err(|error| ErrorName::Internal.because(format!("token: {error}")))
}

#[cfg(test)]
mod tests {
    use transload_wire::{ExecutionInfo, Pinned, parse};

    use super::{digest, of_transfer, of_version};

    fn pinned(change: impl FnOnce(&mut Pinned)) -> Pinned {
        let json = r#"{"object": {"location": "g", "bucket": "abc", "key": "k"}, "etag": "e", "size": 3,
                       "lastModified": "2026-01-01T00:00:00Z"}"#;
        let mut pinned = parse(json.as_bytes()).unwrap();
        change(&mut pinned);
        pinned
    }

    #[test]
    fn whatever_tells_versions_apart_changes_the_identity() {
        let base = of_version(&pinned(|_| {})).unwrap();
        let others = [
            pinned(|p| p.etag = "f".parse().unwrap()),
            pinned(|p| p.size = 4),
            pinned(|p| p.object.key = "l".parse().unwrap()),
            pinned(|p| p.last_modified = "2026-01-01T00:00:01Z".to_owned()),
            pinned(|p| p.object.version_id = Some("v1".parse().unwrap())),
        ];
        for other in others {
            assert_ne!(of_version(&other).unwrap(), base, "{other:?}");
        }
    }

    #[test]
    fn a_version_id_outlives_a_changed_date_but_null_does_not() {
        let of = |version: &str, date: &str| {
            of_version(&pinned(|p| {
                p.object.version_id = Some(version.parse().unwrap());
                p.last_modified = date.to_owned();
            }))
            .unwrap()
        };
        assert_eq!(of("v1", "a"), of("v1", "b"));
        assert_ne!(of("null", "a"), of("null", "b"));
    }

    #[test]
    fn a_redrive_keeps_the_token_and_another_execution_has_its_own() {
        let destination = parse(br#"{"location": "c", "bucket": "abc", "key": "k"}"#).unwrap();
        let of = |id: &str, start: &str, redrives| {
            let execution =
                ExecutionInfo { id: id.into(), start_time: start.into(), redrive_count: redrives };
            of_transfer(&execution, &destination).unwrap()
        };
        assert_eq!(of("a", "1", 0), of("a", "1", 3));
        assert_ne!(of("a", "1", 0), of("b", "1", 0));
        assert_ne!(of("a", "1", 0), of("a", "2", 0));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]).unwrap(), digest(&["a", "bc"]).unwrap());
        assert_eq!(digest(&["a"]).unwrap().as_str().len(), 32);
    }
}
