//! What we may do at an end of a route, and what has to be configured for its part: from calls that leave nothing behind.

use transload_store::StoreErrorKind as Kind;
use transload_store::s3::inspect::{Refusal, UploadLifetime, UploadProbe};

use super::super::facts::{EndFacts, Inside, Written};
use super::super::finding::Finding;

/// Days for which Step Functions takes a redrive of a failed execution: as long an upload has to stay.
const REDRIVABLE_DAYS: i32 = 14;

/// What is found of rights.
pub(super) fn judge(facts: &EndFacts, inside: &Inside) -> Vec<Finding> {
    let subject = facts.subject.as_str();
    let mut findings = vec![list(facts, inside), read(subject, inside)];
    findings.extend(read_version(subject, inside));
    findings.extend(tags(subject, inside));
    findings.extend(events(facts, inside));
    if let Some(written) = &inside.written {
        findings.extend(upload(facts, written));
        findings.push(lifetimes(facts, written));
    }
    findings
}

/// Whether an answer shows that something is allowed: done, or refused for another reason than rights.
fn allowed<T>(answer: &Result<T, Refusal>) -> Option<bool> {
    let Err(refusal) = answer else { return Some(true) };
    match refusal.kind {
        // Asked for one byte of an object that has none, or that has to be thawed first.
        Kind::NotFound | Kind::WrongRange | Kind::Archived | Kind::DeleteMarker => Some(true),
        Kind::AccessDenied | Kind::KeyUnavailable => Some(false),
        _ => None,
    }
}

fn right<T>(
    subject: &str,
    check: &'static str,
    answer: &Result<T, Refusal>,
    needs: &str,
    advice: &str,
) -> Finding {
    match (allowed(answer), answer) {
        (Some(true), _) => Finding::ok(subject, check, needs.to_owned()),
        (Some(false), Err(refusal)) => {
            Finding::wrong(subject, check, refusal.to_string()).expected(needs.to_owned()).advice(advice)
        }
        (_, Err(refusal)) => {
            Finding::warning(subject, check, format!("unknown: {refusal}")).expected(needs.to_owned())
        }
        (None | Some(false), Ok(_)) => Finding::ok(subject, check, needs.to_owned()),
    }
}

fn list(facts: &EndFacts, inside: &Inside) -> Finding {
    let advice = "allow it on the bucket (a condition on the prefix is enough); without it an object that is not there is \
                  refused as if it were secret";
    let finding = right(&facts.subject, "list", &inside.list.answer, "s3:ListBucket", advice);
    match &inside.list.answer {
        Ok(None) if inside.written.is_none() => {
            Finding::ok(&facts.subject, "list", "s3:ListBucket; there is no object yet")
        }
        _ => finding,
    }
}

/// Without the right to list, a key that is not there is refused as one that is secret: 403 tells nothing then.
fn hidden<T>(
    subject: &str,
    check: &'static str,
    inside: &Inside,
    answer: &Result<T, Refusal>,
) -> Option<Finding> {
    let unlisted = allowed(&inside.list.answer) == Some(false) && allowed(answer) == Some(false);
    unlisted.then(|| Finding::warning(subject, check, "unknown as long as s3:ListBucket is refused"))
}

fn read(subject: &str, inside: &Inside) -> Finding {
    if let Some(finding) = hidden(subject, "read", inside, &inside.read.answer) {
        return finding;
    }
    if inside.written.is_some() {
        let advice = "allow it: the object that is there already is compared before it is replaced";
        return right(subject, "read", &inside.read.answer, "s3:GetObject", advice);
    }
    let needs = if matches!(inside.list.answer, Ok(Some(_))) {
        "s3:GetObject, on the first key"
    } else {
        "s3:GetObject"
    };
    let advice = "allow it on the keys of the route, and kms:Decrypt where objects are encrypted with a key";
    right(subject, "read", &inside.read.answer, needs, advice)
}

fn read_version(subject: &str, inside: &Inside) -> Option<Finding> {
    let advice = "allow it: objects with versions are read by version id";
    let look = inside.read_version.as_ref()?;
    Some(right(subject, "read version", &look.answer, "s3:GetObjectVersion", advice))
}

fn tags(subject: &str, inside: &Inside) -> Option<Finding> {
    let advice =
        "allow it (and s3:GetObjectVersionTagging), or let the route leave tags alone: \"copyTags\": false";
    let look = inside.tags.as_ref()?;
    let hidden = hidden(subject, "read tags", inside, &look.answer);
    if hidden.is_some() {
        return hidden;
    }
    Some(right(subject, "read tags", &look.answer, "s3:GetObjectTagging", advice))
}

fn events(facts: &EndFacts, inside: &Inside) -> Option<Finding> {
    let (subject, check) = (facts.subject.as_str(), "events");
    Some(match &inside.events.as_ref()?.answer {
        Ok(true) => Finding::ok(subject, check, "told to EventBridge"),
        Ok(false) => Finding::wrong(subject, check, "none").expected("objects told to EventBridge").advice(format!(
            "aws s3api put-bucket-notification-configuration --bucket {} \\\n  \
             --notification-configuration '{{\"EventBridgeConfiguration\": {{}}}}'\n\
             (this replaces the whole configuration: put what get-bucket-notification-configuration shows beside it)",
            facts.bucket
        )),
        Err(refusal) if refusal.kind == Kind::AccessDenied => {
            Finding::unknown(subject, check, "s3:GetBucketNotification")
        }
        Err(refusal) => Finding::warning(subject, check, format!("unknown: {refusal}")),
    })
}

fn upload(facts: &EndFacts, written: &Written) -> Vec<Finding> {
    let subject = facts.subject.as_str();
    let Some(probe) = &written.upload else {
        return vec![Finding::skipped(subject, "write", "not tried, as --read-only asks")];
    };
    let steps = [
        (
            "write",
            &probe.create,
            "s3:PutObject (an upload begun)",
            "allow it, and kms:GenerateDataKey where the bucket has a key",
        ),
        (
            "send parts",
            &probe.part,
            "s3:PutObject (a part sent)",
            "allow it, and kms:Decrypt where the bucket has a key",
        ),
        (
            "list parts",
            &probe.list,
            "s3:ListMultipartUploadParts",
            "allow it: what was sent already is found by it",
        ),
        (
            "find upload",
            &probe.find,
            "s3:ListBucketMultipartUploads",
            "allow it on the bucket: what an earlier execution has left is found by it",
        ),
    ];
    let mut findings: Vec<Finding> = steps
        .into_iter()
        .filter_map(|(check, answer, needs, advice)| {
            Some(right(subject, check, answer.as_ref()?, needs, advice))
        })
        .collect();
    findings.extend(tagged(subject, probe));
    findings.extend(abort(facts, probe));
    findings
}

/// Told apart from the right to write: with the tag it was refused, without it was not.
fn tagged(subject: &str, probe: &UploadProbe) -> Option<Finding> {
    if !matches!(probe.create, Some(Ok(()))) {
        return None;
    }
    let advice = "allow it, or let the route leave tags alone: \"copyTags\": false";
    Some(right(subject, "write tags", probe.tagged.as_ref()?, "s3:PutObjectTagging", advice))
}

fn abort(facts: &EndFacts, probe: &UploadProbe) -> Option<Finding> {
    let answer = probe.abort.as_ref()?;
    let mut finding = right(&facts.subject, "abort", answer, "s3:AbortMultipartUpload", "allow it");
    if let Some(id) = &probe.left {
        finding.advice = Some(format!(
            "allow it; the upload of this check is still open, {id}:\n\
             aws s3api list-multipart-uploads --bucket {} --prefix {:?} shows it, abort-multipart-upload ends it",
            facts.bucket,
            format!("{}.transload-doctor-", facts.prefix)
        ));
    }
    Some(finding)
}

fn lifetimes(facts: &EndFacts, written: &Written) -> Finding {
    let (subject, check) = (facts.subject.as_str(), "old uploads");
    let found = match &written.lifetimes.answer {
        Ok(found) => found,
        Err(refusal) if refusal.kind == Kind::AccessDenied => {
            return Finding::unknown(subject, check, "s3:GetLifecycleConfiguration");
        }
        Err(refusal) => return Finding::skipped(subject, check, format!("not told: {refusal}")),
    };
    let covers = |rule: &&UploadLifetime| !rule.narrowed && facts.prefix.starts_with(&rule.prefix);
    let touches = |rule: &&UploadLifetime| {
        rule.prefix.starts_with(&facts.prefix) || facts.prefix.starts_with(&rule.prefix)
    };
    let least = found.iter().filter(touches).map(|rule| rule.days).min();
    if let Some(days) = least.filter(|days| *days < REDRIVABLE_DAYS) {
        return Finding::warning(subject, check, format!("{days}"))
            .expected(format!("{REDRIVABLE_DAYS} days or more before they are aborted"))
            .advice("a parked transfer can be redriven for 14 days, and then sends all of it again if its upload is gone");
    }
    match found.iter().filter(covers).map(|rule| rule.days).min() {
        Some(days) => Finding::ok(subject, check, format!("aborted after {days} days")),
        None => Finding::warning(subject, check, "no rule")
            .expected("a lifecycle rule that aborts them")
            .advice(format!(
                "parts of an upload that nobody ends are paid for; add to the rules of {}:\n\
             {{\"ID\": \"old-uploads\", \"Status\": \"Enabled\", \"Filter\": {{\"Prefix\": {:?}}},\n \
             \"AbortIncompleteMultipartUpload\": {{\"DaysAfterInitiation\": {REDRIVABLE_DAYS}}}}}",
                facts.bucket, facts.prefix
            )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Verdict;
    use super::super::bucket::tests::{denied, facts, look, of, refused};
    use super::*;

    fn with(change: impl FnOnce(&mut Inside)) -> EndFacts {
        let mut facts = facts();
        change(facts.inside.as_mut().unwrap());
        facts
    }

    fn source(change: impl FnOnce(&mut Inside)) -> EndFacts {
        with(|inside| {
            inside.written = None;
            inside.list = look(Ok(Some("a".to_owned())));
            inside.read = look(Ok(None));
            change(inside);
        })
    }

    fn probed(change: impl FnOnce(&mut UploadProbe)) -> EndFacts {
        with(|inside| change(inside.written.as_mut().unwrap().upload.as_mut().unwrap()))
    }

    fn no() -> Option<Result<(), Refusal>> {
        Some(Err(refused(Kind::AccessDenied, "AccessDenied")))
    }

    fn wrong(facts: &EndFacts, check: &str, right: &str) {
        let (verdict, text) = of(facts, check);
        assert!(verdict == Verdict::Wrong && text.contains(&format!("expected {right}")), "{check}: {text}");
    }

    #[test]
    fn each_missing_right_is_named() {
        wrong(&source(|inside| inside.list = denied()), "list", "s3:ListBucket");
        wrong(&source(|inside| inside.read = denied()), "read", "s3:GetObject");
        wrong(&source(|inside| inside.read_version = Some(denied())), "read version", "s3:GetObjectVersion");
        wrong(&source(|inside| inside.tags = Some(denied())), "read tags", "s3:GetObjectTagging");
        wrong(&with(|inside| inside.read = denied()), "read", "s3:GetObject");
        wrong(&probed(|probe| (probe.tagged, probe.create) = (no(), no())), "write", "s3:PutObject");
        wrong(&probed(|probe| probe.part = no()), "send parts", "s3:PutObject");
        wrong(&probed(|probe| probe.list = no()), "list parts", "s3:ListMultipartUploadParts");
        wrong(&probed(|probe| probe.find = no()), "find upload", "s3:ListBucketMultipartUploads");
        wrong(&probed(|probe| probe.tagged = no()), "write tags", "s3:PutObjectTagging");
        wrong(&probed(|probe| probe.abort = no()), "abort", "s3:AbortMultipartUpload");
    }

    #[test]
    fn what_may_be_hidden_is_not_told_as_refused() {
        let facts = source(|inside| {
            (inside.list, inside.read, inside.tags) = (denied(), denied(), Some(denied()));
        });
        wrong(&facts, "list", "s3:ListBucket");
        for check in ["read", "read tags"] {
            let (verdict, text) = of(&facts, check);
            assert!(verdict == Verdict::Warning && text.contains("as long as s3:ListBucket"), "{text}");
        }
    }

    #[test]
    fn what_is_refused_for_another_reason_is_allowed_or_unknown() {
        for (kind, verdict) in [
            (Kind::NotFound, Verdict::Ok),
            (Kind::Archived, Verdict::Ok),
            (Kind::WrongRange, Verdict::Ok),
            (Kind::KeyUnavailable, Verdict::Wrong),
            (Kind::Unavailable, Verdict::Warning),
        ] {
            let facts = source(|inside| inside.read = look(Err(refused(kind, "x"))));
            assert_eq!(of(&facts, "read").0, verdict, "{kind:?}");
        }
    }

    #[test]
    fn an_upload_that_stays_is_told_with_its_id() {
        let (_, text) = of(
            &probed(|probe| {
                probe.abort = no();
                probe.left = Some("UPLOAD1".to_owned());
            }),
            "abort",
        );
        assert!(text.contains("UPLOAD1") && text.contains("--bucket photos-cn"), "{text}");
        let none = with(|inside| inside.written.as_mut().unwrap().upload = None);
        assert_eq!(of(&none, "write").0, Verdict::Skipped);
    }

    #[test]
    fn a_source_has_to_tell_of_its_objects() {
        let (verdict, text) = of(&source(|inside| inside.events = Some(look(Ok(false)))), "events");
        assert!(
            verdict == Verdict::Wrong && text.contains("put-bucket-notification-configuration"),
            "{text}"
        );
        assert_eq!(of(&source(|inside| inside.events = Some(look(Ok(true)))), "events").0, Verdict::Ok);
        let (verdict, text) = of(&source(|inside| inside.events = Some(denied())), "events");
        assert!(verdict == Verdict::Warning && text.contains("needs s3:GetBucketNotification"), "{text}");
    }

    #[test]
    fn old_uploads_are_given_up_but_not_before_a_redrive_may_come() {
        let rules = |rules: &[(&str, bool, i32)], prefix: &str| {
            let found = rules.iter().map(|(prefix, narrowed, days)| UploadLifetime {
                prefix: (*prefix).to_owned(),
                narrowed: *narrowed,
                days: *days,
            });
            let found = found.collect();
            let facts = with(|inside| inside.written.as_mut().unwrap().lifetimes = look(Ok(found)));
            of(&EndFacts { prefix: prefix.to_owned(), ..facts }, "old uploads")
        };
        assert_eq!(rules(&[("", false, 14)], "2026/").0, Verdict::Ok);
        assert_eq!(rules(&[("2026/", false, 30)], "2026/").0, Verdict::Ok);
        let (verdict, text) = rules(&[("2025/", false, 14)], "2026/");
        assert!(verdict == Verdict::Warning && text.contains("\"DaysAfterInitiation\": 14"), "{text}");
        assert_eq!(rules(&[("", true, 14)], "").0, Verdict::Warning, "a rule for some objects only");
        assert_eq!(rules(&[], "").0, Verdict::Warning);
        let (verdict, text) = rules(&[("", false, 30), ("2026/a/", false, 7)], "2026/");
        assert!(verdict == Verdict::Warning && text.contains("expected 14 days or more"), "{text}");
    }
}
