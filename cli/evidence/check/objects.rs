//! Whether parts make up an object, and whether what was written is what was read: by the records alone.

use transload_store::Combiner;
use transload_wire::{Checksum, ChecksumKind, CompleteOutput, Proof};

use super::Check;
use crate::evidence::transfer::{ObjectLine, PartLine};
use crate::units::count;

/// How one question was answered for many objects.
#[derive(Debug, Default)]
struct Answers {
    held: u64,
    broken: Option<String>,
    open: Option<String>,
}

impl Answers {
    fn take(&mut self, arn: &str, answer: Answer) {
        match answer {
            Answer::Holds => self.held += 1,
            Answer::Broken(why) => drop(self.broken.get_or_insert(format!("{arn}: {why}"))),
            Answer::Open(why) => drop(self.open.get_or_insert(format!("{arn}: {why}"))),
        }
    }

    /// The first that is broken decides; else what holds, and the first that could not be answered.
    fn check(self, check: &'static str, held: &str) -> Check {
        match (self.broken, self.held, self.open) {
            (Some(why), ..) => Check::failed(check, why),
            (None, 0, Some(why)) => Check::not_checked(check, why),
            (None, 0, None) => Check::not_checked(check, "nothing was written"),
            (None, n, None) => Check::ok(check, format!("{}: {held}", count(n, "object", "objects"))),
            (None, n, Some(why)) => {
                Check::ok(check, format!("{}: {held}; not of all: {why}", count(n, "object", "objects")))
            }
        }
    }
}

enum Answer {
    Holds,
    Broken(String),
    Open(String),
}

/// What was found of all objects that executions of their own moved.
#[derive(Debug, Default)]
pub(super) struct Objects {
    parts: Answers,
    combined: Answers,
    proof: Answers,
}

impl Objects {
    /// Takes one in, with its parts.
    pub(super) fn judge(&mut self, object: &ObjectLine, parts: &[&PartLine]) {
        let arn = &object.execution_arn;
        let Some(written) = &object.written else { return };
        self.parts.take(arn, cover(object, written, parts));
        self.combined.take(arn, combine(written, parts));
        self.proof.take(arn, proof(object, written));
    }

    /// The checks.
    pub(super) fn checks(self) -> [Check; 3] {
        [
            self.parts
                .check("parts", "they cover the object from its first byte to its last, each byte once"),
            self.combined.check("parts' checksums", "combined they are the checksum of the destination"),
            self.proof.check("proof", "the destination's size and checksum are those of what was read"),
        ]
    }
}

fn cover(object: &ObjectLine, written: &CompleteOutput, parts: &[&PartLine]) -> Answer {
    if written.parts == 0 {
        return Answer::Open("it was sent whole".to_owned());
    }
    if parts.len() != written.parts as usize {
        return Answer::Broken(format!("expected {} parts, found {}", written.parts, parts.len()));
    }
    let mut offset = 0;
    for (number, part) in (1..).zip(parts) {
        if (part.part_number, part.offset) != (number, offset) {
            return Answer::Broken(format!(
                "expected part {number} at byte {offset}, found part {} at byte {}",
                part.part_number, part.offset
            ));
        }
        if part.record.as_ref().is_some_and(|record| (record.part_number, record.size) != (number, part.size))
        {
            return Answer::Broken(format!(
                "part {number}: expected {} bytes, its worker told of others",
                part.size
            ));
        }
        offset += part.size;
    }
    if offset != object.source.size {
        return Answer::Broken(format!("expected parts of {} bytes, found {offset}", object.source.size));
    }
    Answer::Holds
}

fn combine(written: &CompleteOutput, parts: &[&PartLine]) -> Answer {
    if written.parts == 0 {
        return Answer::Open("it was sent whole".to_owned());
    }
    let Some(whole) = written.checksum.as_ref().filter(|whole| whole.kind == ChecksumKind::FullObject) else {
        return Answer::Open("the destination told no checksum of the whole".to_owned());
    };
    let Some(mut combiner) = Combiner::new(whole.algorithm) else {
        return Answer::Open(format!("a {} can not be combined", whole.algorithm.as_str()));
    };
    let told = parts.iter().filter(|part| part.record.is_some()).count();
    if told < parts.len() {
        let some = parts.len() - told;
        return Answer::Open(format!(
            "{some} of {} parts were sent by workers that ended without telling of them",
            parts.len()
        ));
    }
    for part in parts {
        let checksum = part.record.as_ref().and_then(|record| record.checksum.as_ref());
        let Some(checksum) = checksum.filter(|checksum| checksum.algorithm == whole.algorithm) else {
            return Answer::Open(format!("part {} has no {}", part.part_number, whole.algorithm.as_str()));
        };
        if combiner.push(&checksum.value, part.size).is_none() {
            return Answer::Broken(format!(
                "part {}: {:?} is no {}",
                part.part_number,
                checksum.value,
                whole.algorithm.as_str()
            ));
        }
    }
    let found = combiner.finish();
    if found.value == whole.value {
        return Answer::Holds;
    }
    Answer::Broken(format!(
        "expected {} {}, found {} over its parts",
        whole.algorithm.as_str(),
        whole.value,
        found.value
    ))
}

fn proof(object: &ObjectLine, written: &CompleteOutput) -> Answer {
    if written.size != object.source.size {
        return Answer::Broken(format!(
            "expected {} bytes at the destination, found {}",
            object.source.size, written.size
        ));
    }
    let whole = |checksum: &&Checksum| checksum.kind == ChecksumKind::FullObject;
    let source = object.source.checksum.as_ref().filter(whole);
    let destination = written.checksum.as_ref().filter(whole);
    match (source, destination) {
        (Some(a), Some(b)) if a.algorithm == b.algorithm && a.value == b.value => Answer::Holds,
        (Some(a), Some(b)) if a.algorithm == b.algorithm => {
            Answer::Broken(format!("expected {} {}, found {}", a.algorithm.as_str(), a.value, b.value))
        }
        _ => Answer::Open(words(written.proof).to_owned()),
    }
}

/// What stands for equality where the two ends told no checksum of the same kind.
fn words(proof: Proof) -> &'static str {
    match proof {
        Proof::SourceChecksum => {
            "the history tells that the source's checksum was compared, and not both values"
        }
        Proof::TransitChecksum => "the source told no checksum; the destination's is that of the bytes read",
        Proof::ReadTwice => "the source told no checksum; the destination's is that of the bytes read, twice",
        Proof::PartEtags => "no checksums: the parts' MD5s were compared when it was completed",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Objects;
    use crate::evidence::transfer::{ObjectLine, PartLine};

    use super::super::Verdict as V;
    use V as Verdict;

    /// `1234` and `56789`: the CRC-64/NVME of all nine is that of the catalogues.
    fn object(
        edit: impl FnOnce(&mut serde_json::Value, &mut serde_json::Value),
    ) -> Vec<(&'static str, Verdict)> {
        let crc = |bytes: &[u8]| {
            let mut hasher = transload_store::Hasher::new(transload_wire::ChecksumAlgorithm::Crc64Nvme);
            hasher.update(bytes);
            hasher.finish()
        };
        let checksum = json!({"algorithm": "CRC64NVME", "value": "rosUhgp5mIg=", "kind": "FULL_OBJECT"});
        let mut object = json!({"executionArn": "arn", "status": "SUCCEEDED", "reason": "new", "token": "0123456789abcdef",
            "source": {"object": {"location": "g", "bucket": "abc", "key": "k"}, "etag": "e", "size": 9,
                       "lastModified": "2026-01-01T00:00:00Z", "checksum": checksum},
            "destination": {"location": "c", "bucket": "abd", "key": "k"},
            "written": {"etag": "f-2", "size": 9, "parts": 2, "checksum": checksum, "proof": "sourceChecksum", "requests": {}}});
        let part = |number: u32, offset: u64, bytes: &[u8]| {
            json!({"executionArn": "arn", "uploadId": "u", "partNumber": number, "offset": offset, "size": bytes.len(),
                "child": "c", "function": null, "record": {"partNumber": number, "size": bytes.len(), "etag": "e",
                "checksum": crc(bytes), "attempts": 1, "reads": 1, "durationMs": 1}})
        };
        let mut parts = json!([part(1, 0, b"1234"), part(2, 4, b"56789")]);
        edit(&mut object, &mut parts);
        let object: ObjectLine = serde_json::from_value(object).unwrap();
        let parts: Vec<PartLine> = serde_json::from_value(parts).unwrap();
        let mut objects = Objects::default();
        objects.judge(&object, &parts.iter().collect::<Vec<_>>());
        objects.checks().into_iter().map(|check| (check.check, check.verdict)).collect()
    }

    fn verdicts(edit: impl FnOnce(&mut serde_json::Value, &mut serde_json::Value)) -> [Verdict; 3] {
        let found = object(edit);
        [found[0].1, found[1].1, found[2].1]
    }

    #[test]
    fn parts_have_to_make_up_the_object() {
        assert_eq!(verdicts(|_, _| {}), [V::Ok; 3]);
        assert_eq!(verdicts(|_, parts| parts[1]["offset"] = json!(5))[0], V::Failed);
        assert_eq!(verdicts(|_, parts| drop(parts.as_array_mut().unwrap().pop()))[0], V::Failed);
        assert_eq!(verdicts(|_, parts| parts[1] = parts[0].clone())[0], V::Failed);
        assert_eq!(verdicts(|_, parts| parts[0]["record"]["size"] = json!(5))[0], V::Failed);
        let value = |parts: &serde_json::Value| parts[1]["record"]["checksum"]["value"].clone();
        assert_eq!(verdicts(|_, parts| parts[0]["record"]["checksum"]["value"] = value(parts))[1], V::Failed);
        assert_eq!(verdicts(|_, parts| parts[0]["record"] = json!(null)), [V::Ok, V::NotChecked, V::Ok]);
    }

    #[test]
    fn what_was_written_has_to_be_what_was_read() {
        assert_eq!(verdicts(|object, _| object["written"]["size"] = json!(10))[2], V::Failed);
        let other = json!({"algorithm": "CRC64NVME", "value": "AAAAAAAAAAA=", "kind": "FULL_OBJECT"});
        assert_eq!(verdicts(|object, _| object["source"]["checksum"] = other.clone())[2], V::Failed);
        assert_eq!(verdicts(|object, _| object["written"]["checksum"] = other)[1..], [V::Failed, V::Failed]);
        assert_eq!(
            verdicts(|object, _| object["source"]["checksum"] = json!(null)),
            [V::Ok, V::Ok, V::NotChecked]
        );
        assert_eq!(verdicts(|object, _| object["written"] = json!(null)), [V::NotChecked; 3]);
    }
}
