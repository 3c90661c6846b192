//! Uploads in parts, from creation to the finished object.

use transload_plan::{ByteRange, Run};
use transload_wire::ChecksumAlgorithm;

use super::{Subject, body, bytes, kind, number};
use crate::{Complete, Condition, PartRef, StoreErrorKind as Kind, UploadRef};

pub(super) async fn run(subject: &Subject) {
    parts_become_the_object(subject).await;
    an_aborted_upload_is_gone(subject).await;
    open_uploads_are_listed(subject).await;
    complete_refuses_what_is_not_there(subject).await;
    complete_refuses_other_bytes_than_were_sent(subject).await;
    complete_holds_its_condition(subject).await;
}

/// All parts of an upload, as they are listed.
async fn listed(subject: &Subject, upload: &UploadRef) -> Vec<PartRef> {
    crate::all_parts(subject.store.as_ref(), upload)
        .await
        .unwrap_or_else(|error| panic!("list {upload}: {error}"))
}

/// Sends a part that begins at `offset` of the object.
async fn send(subject: &Subject, upload: &UploadRef, part: u32, offset: usize, content: &[u8]) {
    let sent = subject.store.upload_part_at(upload, number(part), offset as u64, body(content)).await;
    let sent = sent.unwrap_or_else(|error| panic!("part {part}: {error}"));
    if upload.checksum_algorithm.is_some() && sent.checksum.is_some() {
        assert_eq!(sent.checksum, subject.sum(content), "checksum of part {part}");
    }
}

async fn complete(subject: &Subject, parts: Vec<PartRef>, content: &[u8]) -> Complete {
    Complete {
        parts,
        size: content.len() as u64,
        checksum: subject.sum(content),
        condition: Condition::Anything,
    }
}

async fn parts_become_the_object(subject: &Subject) {
    let least = subject.min_part();
    let content = bytes(2 * least + 17, 5);
    let upload = subject.create("parts").await;
    send(subject, &upload, 3, 2 * least, &content[2 * least..]).await;
    send(subject, &upload, 1, 0, &bytes(least, 99)).await;
    send(subject, &upload, 2, least, &content[least..2 * least]).await;
    send(subject, &upload, 1, 0, &content[..least]).await;
    assert!(subject.absent("parts").await, "an object before Complete");

    let parts = listed(subject, &upload).await;
    let seen: Vec<_> = parts.iter().map(|part| (part.number.get(), part.size)).collect();
    assert_eq!(seen, [(1, least as u64), (2, least as u64), (3, 17)]);
    let rest = subject.store.list_parts(&upload, 2).await.expect("parts behind the second");
    assert_eq!(rest.parts, parts[2..], "parts behind the second");

    let asked = complete(subject, parts, &content).await;
    let written = subject.store.complete_upload(&upload, &asked).await.expect("complete");
    let head = subject.head("parts").await;
    // A file does not know what it was sent in.
    let parts = (!subject.keeps_files()).then_some(3);
    assert_eq!((head.size, &head.etag, head.etag.parts()), (content.len() as u64, &written.etag, parts));
    if head.checksum.is_some() || upload.checksum_algorithm.is_some() {
        assert_eq!(head.checksum, subject.sum(&content), "checksum of the whole");
    }
    assert_eq!(subject.read("parts", ByteRange { start: 0, len: content.len() as u64 }).await, content);
    let runs = subject.store.source_parts(&subject.object("parts"), &head).await.expect("source parts");
    let lengths: Option<Vec<u64>> = runs.map(|runs| runs.iter().flat_map(lengths_of).collect());
    assert_eq!(lengths, parts.map(|_| vec![least as u64, least as u64, 17]));
}

fn lengths_of(run: &Run) -> impl Iterator<Item = u64> + use<> {
    std::iter::repeat_n(run.length, run.count as usize)
}

async fn an_aborted_upload_is_gone(subject: &Subject) {
    let upload = subject.create("aborted").await;
    send(subject, &upload, 1, 0, b"x").await;
    subject.store.abort_upload(&upload).await.expect("abort");
    assert_eq!(kind("list", subject.store.list_parts(&upload, 0).await), Kind::NoSuchUpload);
    assert_eq!(kind("abort again", subject.store.abort_upload(&upload).await), Kind::NoSuchUpload);
    let part = subject.store.upload_part(&upload, number(1), body(b"x")).await;
    assert_eq!(kind("a part after abort", part), Kind::NoSuchUpload);
    let asked = complete(subject, Vec::new(), b"").await;
    let asked = Complete { parts: vec![made_up(1)], ..asked };
    assert_eq!(kind("complete", subject.store.complete_upload(&upload, &asked).await), Kind::NoSuchUpload);
}

fn made_up(part: u32) -> PartRef {
    let etag = "0123456789abcdef0123456789abcdef".parse().expect("an ETag");
    PartRef { number: number(part), size: 1, etag, checksum: None }
}

async fn open_uploads_are_listed(subject: &Subject) {
    let (one, two) = (subject.create("open/a").await, subject.create("open/a").await);
    let prefix = subject.key("open/");
    let ids = async || {
        let listed =
            subject.store.list_uploads(&subject.bucket, prefix.as_str(), None).await.expect("list uploads");
        listed.uploads.into_iter().map(|upload| (upload.key, upload.id)).collect::<Vec<_>>()
    };
    let found = ids().await;
    assert_eq!(found.len(), 2, "{found:?}");
    for upload in [&one, &two] {
        assert!(found.contains(&(upload.key.clone(), upload.id.clone())), "{found:?}");
        subject.store.abort_upload(upload).await.expect("abort");
    }
    assert_eq!(ids().await, []);
}

async fn complete_refuses_what_is_not_there(subject: &Subject) {
    let least = subject.min_part();
    let content = bytes(least + 5, 7);
    let upload = subject.create("refused").await;
    send(subject, &upload, 1, 0, &content[..least]).await;
    send(subject, &upload, 2, least, &content[least..]).await;
    let parts = listed(subject, &upload).await;
    let mut swapped = parts.clone();
    swapped.reverse();
    let wrong_etag = vec![parts[0].clone(), PartRef { etag: made_up(2).etag, ..parts[1].clone() }];
    let unknown = vec![parts[0].clone(), parts[1].clone(), made_up(3)];
    for (what, named) in [("order", swapped), ("ETag", wrong_etag), ("unknown part", unknown)] {
        let asked = complete(subject, named, &content).await;
        assert_eq!(
            kind(what, subject.store.complete_upload(&upload, &asked).await),
            Kind::InvalidPart,
            "{what}"
        );
    }
    assert!(subject.absent("refused").await);
    subject.store.abort_upload(&upload).await.expect("a refused upload is still open");
    too_small(subject).await;
}

async fn too_small(subject: &Subject) {
    if subject.min_part() < 2 {
        return;
    }
    let content = bytes(20, 7);
    let upload = subject.create("too-small").await;
    send(subject, &upload, 1, 0, &content[..1]).await;
    send(subject, &upload, 2, 1, &content[1..]).await;
    let asked = complete(subject, listed(subject, &upload).await, &content).await;
    let answer = subject.store.complete_upload(&upload, &asked).await;
    assert_eq!(kind("a part below the least", answer), Kind::InvalidPart);
    subject.store.abort_upload(&upload).await.expect("abort");
}

async fn complete_refuses_other_bytes_than_were_sent(subject: &Subject) {
    // One that is only told is not sent to be compared.
    if !subject.algorithm().is_some_and(ChecksumAlgorithm::is_sent) {
        return;
    }
    let least = subject.min_part();
    let (content, other) = (bytes(least + 5, 8), bytes(least + 5, 9));
    let upload = subject.create("other-bytes").await;
    send(subject, &upload, 1, 0, &content[..least]).await;
    send(subject, &upload, 2, least, &content[least..]).await;
    let right = complete(subject, listed(subject, &upload).await, &content).await;
    let wrong_sum = Complete { checksum: subject.sum(&other), ..right.clone() };
    let wrong_size = Complete { size: right.size + 1, ..right.clone() };
    let sum = kind("checksum", subject.store.complete_upload(&upload, &wrong_sum).await);
    assert!(matches!(sum, Kind::Corrupted | Kind::InvalidRequest), "{sum:?}");
    let size = kind("size", subject.store.complete_upload(&upload, &wrong_size).await);
    assert_eq!(size, Kind::InvalidRequest);
    assert!(subject.absent("other-bytes").await);
    subject.store.complete_upload(&upload, &right).await.expect("complete with what was sent");
}

async fn complete_holds_its_condition(subject: &Subject) {
    if !subject.store.conditional_writes() {
        return;
    }
    let there = subject.put("held", b"there before").await;
    let upload = subject.create("held").await;
    send(subject, &upload, 1, 0, b"new").await;
    let asked = complete(subject, listed(subject, &upload).await, b"new").await;
    let absent = Complete { condition: Condition::Absent, ..asked.clone() };
    let refused = subject.store.complete_upload(&upload, &absent).await;
    assert_eq!(kind("absent", refused), Kind::PreconditionFailed);
    assert_eq!(subject.head("held").await.etag, there.etag, "a refused Complete had an effect");
    let matches = Complete { condition: Condition::Matches(there.etag), ..asked };
    subject.store.complete_upload(&upload, &matches).await.expect("complete over what was found");
    assert_eq!(subject.head("held").await.size, 3);
}
