//! The old workers' settings file: sections of `name = value`, remarks behind `;` or `#`. What has a place here is carried over;
//! of everything else it is told why not. Pure.

/// What is carried over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// Whether the other account's keys are for the source (`JobType = GET`).
    pub(super) keys_at_source: bool,
    /// Storage class at the destination.
    pub(super) storage_class: Option<String>,
    /// Bytes of a part.
    pub(super) part_size: Option<u64>,
    /// Whether the source is read by version id.
    pub(super) versions: bool,
}

/// Settings that need no successor, and why.
const REPLACED: [(&[&str], &str); 7] = [
    (
        &["table_queue_name", "sqs_queue_name", "ssm_parameter_bucket", "ssm_parameter_ignore_list"],
        "there is no table, queue or parameter of that kind any more",
    ),
    (&["ssm_parameter_credentials"], "read the parameter's value by: transload import credentials"),
    (&["MaxRetry"], "each part is tried again by the workflow: options.rounds and options.backoffSeconds"),
    (&["MaxThread", "MaxParallelFile"], "workers of one object are options.maxConcurrency, 64 by default"),
    (
        &["JobTimeout", "ResumableThreshold", "CleanUnfinishedUpload"],
        "only missing parts are sent, whenever a transfer goes on",
    ),
    (&["ifVerifyMD5Twice"], "checksums over the whole object are always proven before it appears"),
    (&["LoggingLevel", "LocalProfileMode"], "logs and roles are those of the deployment"),
];

/// Part size that the old system had by default, which is the smallest that S3 takes.
const OLD_PART: u64 = 5;

/// Reads a settings file; notes on what is not carried over.
///
/// # Errors
/// The line, and what is wrong with it.
pub(super) fn read(text: &str) -> Result<(Carried, Vec<String>), String> {
    let (mut carried, mut notes) = (Carried::default(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with([';', '#', '[']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=').or_else(|| line.split_once(':')) else {
            return Err(format!("line {}: expected NAME = VALUE, found neither = nor :", index + 1));
        };
        let (name, value) = (name.trim(), value.trim());
        let at = |expected: &str| format!("line {}: {name}: expected {expected}, found {value:?}", index + 1);
        carry(&mut carried, &mut notes, name, value).map_err(|expected| at(&expected))?;
    }
    Ok((carried, notes))
}

fn carry(carried: &mut Carried, notes: &mut Vec<String>, name: &str, value: &str) -> Result<(), String> {
    // As Python's configparser reads them: names in any case.
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("JobType") {
        carried.keys_at_source = match value.to_ascii_uppercase().as_str() {
            "PUT" => false,
            "GET" => true,
            _ => return Err("PUT or GET".to_owned()),
        };
    } else if is("StorageClass") {
        carried.storage_class = Some(value.to_owned());
    } else if is("ChunkSize") {
        let size: u64 = value.parse().map_err(|_| "MiB as a whole number".to_owned())?;
        if !(5..=5_120).contains(&size) {
            return Err("5 to 5120 MiB".to_owned());
        }
        if size == OLD_PART {
            notes.push(format!("{name} = {value}: was the default; transload chooses larger parts"));
        } else {
            carried.part_size = Some(size << 20);
        }
    } else if is("UpdateVersionId") || is("GetObjectWithVersionId") {
        carried.versions |= flag(value)?;
    } else if is("JobsenderCompareVersionId") {
        if flag(value)? {
            carried.versions = true;
            notes.push(format!("{name} = {value}: versions are pinned while copying; listings are not compared by version yet"));
        }
    } else if is("Des_bucket_default") || is("Des_prefix_default") {
        notes.push(format!("{name} = {value}: every route has its own destination; see the list of buckets"));
    } else if let Some((_, why)) = REPLACED.iter().find(|(names, _)| names.iter().any(|known| is(known))) {
        notes.push(format!("{name} = {value}: {why}"));
    } else {
        // Not repeated: it might be a key.
        notes.push(format!("{name} = ...: unknown, and not carried over"));
    }
    Ok(())
}

fn flag(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("True or False".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Carried, read};

    #[test]
    fn what_has_a_place_is_carried_over_and_the_rest_is_told() {
        let text = "; remark\n[Basic]\nJobType = GET\ntable_queue_name = files\n\n[Mode]\n# remark\nStorageClass = STANDARD_IA\n\
                    MaxThread=20\nUpdateVersionId = True\nColour = blue\n[Debug]\nChunkSize = 16\n";
        let (carried, notes) = read(text).unwrap();
        let expected = Carried {
            keys_at_source: true,
            storage_class: Some("STANDARD_IA".to_owned()),
            part_size: Some(16 << 20),
            versions: true,
        };
        assert_eq!(carried, expected);
        let names: Vec<&str> = notes.iter().filter_map(|note| note.split(' ').next()).collect();
        assert_eq!(names, ["table_queue_name", "MaxThread", "Colour"]);
        assert!(notes[2].contains("unknown"), "{notes:?}");
    }

    #[test]
    fn all_three_switches_of_versions_are_accepted() {
        for (name, value, versions) in [
            ("JobsenderCompareVersionId", "True", true),
            ("UpdateVersionId", "true", true),
            ("GetObjectWithVersionId", "1", true),
            ("GetObjectWithVersionId", "False", false),
        ] {
            assert_eq!(read(&format!("{name} = {value}")).unwrap().0.versions, versions, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            ("[Basic]\nJobType = COPY", "line 2: JobType: expected PUT or GET, found \"COPY\""),
            ("ChunkSize = 4", "line 1: ChunkSize: expected 5 to 5120 MiB"),
            ("ChunkSize = big", "line 1: ChunkSize: expected MiB as a whole number"),
            ("UpdateVersionId = maybe", "expected True or False"),
            ("nonsense", "line 1: expected NAME = VALUE"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
