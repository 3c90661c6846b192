//! Names for one version of a source, and for one transfer of it.

use transload_wire::{
    Attributes, ErrorName, ExecutionInfo, Failure, Overwrite, Pinned, Source, Token, TransferRequest, Verify,
};

use crate::{fingerprint, http, stamp};

/// Identity of the version that is read. A version id names it for good. Without one (or with `null`, which the bucket
/// reuses), ETag and size name the bytes, and the time of the last change the attributes: S3 changes metadata by copying
/// an object onto itself, which leaves its ETag as it is.
///
/// # Errors
/// `Internal` only.
pub fn of_version(pinned: &Pinned) -> Result<Token, Failure> {
    let object = &pinned.object;
    let size = pinned.size.to_string();
    let place = stamp::place(object);
    let mut fields = vec!["version"];
    fields.extend(place.iter().map(String::as_str));
    fields.extend([pinned.etag.as_str(), &size]);
    match object.version_id().map(|version| version.as_str()) {
        Some(version) if version != "null" => fields.extend(["id", version]),
        _ => fields.extend(["changed", &pinned.last_modified]),
    }
    digest(&fields)
}

/// Where what a URL's server tells does not name its bytes for good, each execution has an identity of its own: none takes
/// what another one wrote for the same.
///
/// # Errors
/// `Internal` only.
pub fn of_url(pinned: &Pinned, execution: &ExecutionInfo, identity: Token) -> Result<Token, Failure> {
    match &pinned.object {
        Source::Url(_) if !http::lasts(&pinned.etag) => {
            digest(&["execution", identity.as_str(), &execution.id, &execution.start_time])
        }
        _ => Ok(identity),
    }
}

/// Token of a transfer: what is read, where it is written, and all that the object will be. The same over retries, redrives
/// and executions with the same input, so that each knows the others' work for its own. Where an object is to be replaced
/// always, or never, each execution has its own.
///
/// # Errors
/// `Internal` only.
pub fn of_transfer(
    request: &TransferRequest,
    execution: &ExecutionInfo,
    identity: &Token,
    attributes: &Attributes,
) -> Result<Token, Failure> {
    let (to, options) = (&request.destination, &request.options);
    let json = |value: serde_json::Result<String>| {
        value.map_err(|error| ErrorName::Internal.because(format!("token: {error}")))
    };
    let attributes = json(serde_json::to_string(attributes))?;
    let encryption = json(serde_json::to_string(&options.encryption))?;
    let mut cut = format!("{:?} {}", options.part_size, options.preserve_etag);
    if options.verify == Verify::ReadBack {
        // Parts that were read once are not taken for parts that were read twice.
        cut.push_str(" twice");
    }
    let (location, bucket, key) = (to.location.as_str(), to.bucket.as_str(), to.key.as_str());
    let mut fields =
        vec!["transfer", identity.as_str(), location, bucket, key, &attributes, &encryption, &cut];
    if options.overwrite != Overwrite::IfDifferent {
        fields.extend(["execution", &execution.id, &execution.start_time]);
    }
    digest(&fields)
}

/// 192 bits of the fields' fingerprint: 32 characters, to leave most of the 2,048 bytes of metadata to the user.
fn digest(fields: &[&str]) -> Result<Token, Failure> {
    let text = fingerprint::<24>(fields);
    text.parse().map_err(|error| ErrorName::Internal.because(format!("token: {error}")))
}

#[cfg(test)]
mod tests {
    use transload_wire::{Attributes, Pinned, Source, StoredSource, Token, parse};

    use super::{digest, of_transfer, of_version};

    fn pinned(change: impl FnOnce(&mut Pinned)) -> Pinned {
        let json = r#"{"object": {"location": "g", "bucket": "abc", "key": "k"}, "etag": "e", "size": 3,
                       "lastModified": "2026-01-01T00:00:00Z"}"#;
        let mut pinned = parse(json.as_bytes()).unwrap();
        change(&mut pinned);
        pinned
    }

    fn stored(pinned: &mut Pinned) -> &mut StoredSource {
        match &mut pinned.object {
            Source::Stored(stored) => stored,
            Source::Url(url) => panic!("{url}"),
        }
    }

    #[test]
    fn whatever_tells_versions_apart_changes_the_identity() {
        let base = of_version(&pinned(|_| {})).unwrap();
        let others = [
            pinned(|p| p.etag = "f".parse().unwrap()),
            pinned(|p| p.size = 4),
            pinned(|p| stored(p).key = "l".parse().unwrap()),
            pinned(|p| p.last_modified = "2026-01-01T00:00:01Z".to_owned()),
            pinned(|p| stored(p).version_id = Some("v1".parse().unwrap())),
        ];
        for other in others {
            assert_ne!(of_version(&other).unwrap(), base, "{other:?}");
        }
    }

    #[test]
    fn a_version_id_outlives_a_changed_date_but_null_does_not() {
        let of = |version: &str, date: &str| {
            of_version(&pinned(|p| {
                stored(p).version_id = Some(version.parse().unwrap());
                p.last_modified = date.to_owned();
            }))
            .unwrap()
        };
        assert_eq!(of("v1", "a"), of("v1", "b"));
        assert_ne!(of("null", "a"), of("null", "b"));
    }

    fn of(options: &str, id: &str, redrives: u32, metadata: &str) -> Token {
        let json = format!(
            r#"{{"request": {{"source": {{"location": "g", "bucket": "abc", "key": "k"}},
                  "destination": {{"location": "c", "bucket": "abc", "key": "k"}}, "options": {options}}},
                "execution": {{"id": "{id}", "startTime": "1", "redriveCount": {redrives}}}}}"#
        );
        let identity = of_version(&pinned(|_| {})).unwrap();
        let mut attributes = Attributes::default();
        attributes.metadata.insert("colour".to_owned(), metadata.to_owned());
        let input: transload_wire::HeadInput = parse(json.as_bytes()).unwrap();
        of_transfer(&input.request, &input.execution, &identity, &attributes).unwrap()
    }

    #[test]
    fn executions_with_the_same_input_have_the_same_token() {
        let base = of("{}", "a", 0, "red");
        assert_eq!(of("{}", "b", 3, "red"), base);
        assert_eq!(of(r#"{"rounds": 9, "maxConcurrency": 3}"#, "b", 0, "red"), base, "how is no matter");
        for other in
            [r#"{"partSize": 5242880}"#, r#"{"encryption": {"type": "AES256"}}"#, r#"{"preserveEtag": true}"#]
        {
            assert_ne!(of(other, "a", 0, "red"), base, "{other}");
        }
        assert_ne!(of("{}", "a", 0, "blue"), base);
    }

    #[test]
    fn where_always_or_never_is_asked_for_each_execution_has_its_own() {
        for options in [r#"{"overwrite": "always"}"#, r#"{"overwrite": "never"}"#] {
            assert_eq!(of(options, "a", 0, "red"), of(options, "a", 3, "red"), "a redrive keeps it");
            assert_ne!(of(options, "a", 0, "red"), of(options, "b", 0, "red"));
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(digest(&["ab", "c"]).unwrap(), digest(&["a", "bc"]).unwrap());
        assert_eq!(digest(&["a"]).unwrap().as_str().len(), 32);
    }
}
