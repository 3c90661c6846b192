//! A bucket at an end of a route: whether it is there, in which Region, how it is configured.

use transload_store::StoreErrorKind as Kind;
use transload_store::location::Partition;

use super::super::facts::{EndFacts, Inside};
use super::super::finding::Finding;
use super::rights;

/// What is found of it.
pub(crate) fn judge(facts: &EndFacts) -> Vec<Finding> {
    let mut findings = vec![place(facts)];
    if let Some(inside) = &facts.inside {
        findings.push(versioning(facts, inside));
        findings.extend(encryption(facts, inside));
        findings.extend(rights::judge(facts, inside));
    }
    findings
}

/// Whether it is there, and in the Region that requests are signed for.
fn place(facts: &EndFacts) -> Finding {
    let subject = facts.subject.as_str();
    let signed = facts.region.as_deref().unwrap_or("no Region");
    if let (Some(found), Some(partition)) = (facts.head.region.as_deref(), facts.partition)
        && facts.region.as_deref() != Some(found)
    {
        let there = Partition::of_region(found).filter(|there| *there != partition);
        let partition =
            there.map(|there| format!("partition = \"{}\" and ", there.as_str())).unwrap_or_default();
        return Finding::wrong(subject, "Region", found)
            .expected(format!("{signed}, as the location says"))
            .advice(format!("write {partition}region = \"{found}\" into location {}", facts.location));
    }
    let Err(refusal) = &facts.head.answer else {
        return match &facts.head.region {
            Some(region) => Finding::ok(subject, "Region", region.clone()),
            None => Finding::ok(subject, "bucket", "there"),
        };
    };
    match refusal.kind {
        Kind::AccessDenied => match &facts.head.region {
            Some(region) => Finding::ok(subject, "Region", region.clone()),
            None => Finding::skipped(subject, "Region", "not told: HeadBucket is refused (403)"),
        },
        Kind::NotFound | Kind::NoSuchBucket => {
            let partition = facts.partition.map(|partition| format!(" of {}", partition.as_str()));
            Finding::wrong(subject, "bucket", "none")
                .expected(format!("bucket {} in {signed}{}", facts.bucket, partition.unwrap_or_default()))
                .advice("correct its name or make it; a bucket of another partition is not seen from here")
        }
        Kind::Credentials => Finding::wrong(subject, "bucket", refusal.to_string())
            .expected("keys that are known there")
            .advice("see the location's credentials and identity"),
        _ => Finding::wrong(subject, "bucket", refusal.to_string())
            .expected("an answer")
            .advice(format!("look at region ({signed}) and endpoint of location {}", facts.location)),
    }
}

fn versioning(facts: &EndFacts, inside: &Inside) -> Finding {
    let subject = facts.subject.as_str();
    let found = match &inside.versioning.answer {
        Ok(found) => found.as_deref(),
        Err(refusal) if refusal.kind == Kind::AccessDenied => {
            return Finding::unknown(subject, "versioning", "s3:GetBucketVersioning");
        }
        Err(refusal) => return Finding::skipped(subject, "versioning", format!("not told: {refusal}")),
    };
    let words = found.unwrap_or("off").to_lowercase();
    match (&facts.declared, found) {
        (Some(declared), Some(_)) if !declared.versions && facts.own_role => {
            Finding::wrong(subject, "versioning", words)
                .expected("\"versions\": true beside the bucket")
                .advice(format!(
                    "reading by version id is another right: write it for {} in the config",
                    facts.bucket
                ))
        }
        (Some(declared), None) if declared.versions => Finding::warning(subject, "versioning", words)
            .expected("what the config says (\"versions\": true)")
            .advice("harmless: the functions have rights that they do not need"),
        _ => Finding::ok(subject, "versioning", words),
    }
}

fn encryption(facts: &EndFacts, inside: &Inside) -> Option<Finding> {
    let (subject, look) = (facts.subject.as_str(), inside.encryption.as_ref()?);
    Some(match &look.answer {
        Ok(None) => Finding::ok(subject, "encryption", "S3's own keys"),
        Ok(Some(found)) => {
            let key = found.key.as_deref();
            let listed = |key: &str| {
                facts.declared.as_ref().is_some_and(|told| told.keys.iter().any(|one| one == key))
            };
            match key {
                Some(key) if facts.own_role && !listed(key) => {
                    Finding::warning(subject, "encryption", format!("{} with {key}", found.algorithm))
                        .expected("the key among the bucket's kmsKeyArns")
                        .advice("without it the functions may neither read nor write; the key's own policy has to let them, too")
                }
                Some(key) => Finding::ok(subject, "encryption", format!("{} with {key}, whose policy has to let us", found.algorithm)),
                None => Finding::ok(subject, "encryption", found.algorithm.clone()),
            }
        }
        Err(refusal) if refusal.kind == Kind::AccessDenied => {
            Finding::unknown(subject, "encryption", "s3:GetEncryptionConfiguration")
        }
        Err(refusal) => Finding::skipped(subject, "encryption", format!("not told: {refusal}")),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use transload_store::s3::inspect::{DefaultEncryption, Look, Refusal, UploadProbe};

    use super::super::super::facts::Written;
    use super::super::super::finding::Verdict;
    use super::super::super::setup::Declared;
    use super::*;

    pub(crate) fn look<T>(answer: Result<T, Refusal>) -> Look<T> {
        Look { answer, region: Some("cn-north-1".to_owned()), clock: Some(0) }
    }

    pub(crate) fn refused(kind: Kind, code: &str) -> Refusal {
        Refusal { kind, code: Some(code.to_owned()), status: Some(403), message: format!("{code} (403)") }
    }

    pub(crate) fn denied<T>() -> Look<T> {
        look(Err(refused(Kind::AccessDenied, "AccessDenied")))
    }

    /// A destination where all is well.
    pub(crate) fn facts() -> EndFacts {
        let upload = UploadProbe {
            tagged: Some(Ok(())),
            create: Some(Ok(())),
            part: Some(Ok(())),
            list: Some(Ok(())),
            find: Some(Ok(())),
            abort: Some(Ok(())),
            left: None,
        };
        let lifetimes = look(Ok(vec![transload_store::s3::inspect::UploadLifetime {
            prefix: String::new(),
            narrowed: false,
            days: 14,
        }]));
        EndFacts {
            subject: "china: photos-cn".to_owned(),
            location: "china".to_owned(),
            bucket: "photos-cn".to_owned(),
            prefix: String::new(),
            partition: Some(Partition::AwsCn),
            region: Some("cn-north-1".to_owned()),
            declared: None,
            own_role: false,
            head: look(Ok(())),
            inside: Some(Inside {
                versioning: look(Ok(None)),
                encryption: Some(look(Ok(None))),
                list: look(Ok(None)),
                read: look(Err(refused(Kind::NotFound, "NoSuchKey"))),
                read_version: None,
                tags: None,
                events: None,
                written: Some(Written { upload: Some(upload), lifetimes }),
            }),
        }
    }

    pub(crate) fn of(facts: &EndFacts, check: &str) -> (Verdict, String) {
        let found = judge(facts).into_iter().find(|finding| finding.check == check).unwrap();
        (found.verdict, format!("{}\n{}", found.text(), found.advice.unwrap_or_default()))
    }

    #[test]
    fn all_is_well() {
        let found = judge(&facts());
        assert!(found.iter().all(|finding| finding.verdict == Verdict::Ok), "{found:#?}");
    }

    #[test]
    fn another_region_or_partition_is_wrong_whatever_the_status() {
        for (region, words) in [
            ("cn-northwest-1", "write region = \"cn-northwest-1\""),
            ("eu-west-1", "write partition = \"aws\" and region = \"eu-west-1\""),
        ] {
            let answer = Err(refused(Kind::InvalidRequest, "PermanentRedirect"));
            let head = Look { region: Some(region.to_owned()), ..look(answer) };
            let (verdict, text) = of(&EndFacts { head, inside: None, ..facts() }, "Region");
            assert!(verdict == Verdict::Wrong && text.contains(words), "{text}");
        }
    }

    #[test]
    fn a_bucket_that_is_not_there_or_does_not_answer_is_wrong() {
        for (kind, words) in [
            (Kind::NotFound, "bucket photos-cn in cn-north-1 of aws-cn, found none"),
            (Kind::Credentials, "keys that are known there"),
            (Kind::Connection, "look at region (cn-north-1) and endpoint of location china"),
        ] {
            let (verdict, text) = of(
                &EndFacts {
                    head: Look { region: None, ..look(Err(refused(kind, "x"))) },
                    inside: None,
                    ..facts()
                },
                "bucket",
            );
            assert!(verdict == Verdict::Wrong && text.contains(words), "{text}");
        }
        assert_eq!(
            of(&EndFacts { head: denied(), ..facts() }, "Region").0,
            Verdict::Ok,
            "not ours to see as a whole"
        );
    }

    fn with(change: impl FnOnce(&mut Inside)) -> EndFacts {
        let mut facts = facts();
        change(facts.inside.as_mut().unwrap());
        facts
    }

    #[test]
    fn versions_have_to_be_declared_where_the_functions_own_roles_read() {
        let versioned = |own_role, versions| {
            let declared = Some(Declared { versions, keys: Vec::new() });
            let enabled = with(|inside| inside.versioning = look(Ok(Some("Enabled".to_owned()))));
            of(&EndFacts { declared, own_role, ..enabled }, "versioning").0
        };
        assert_eq!(versioned(true, false), Verdict::Wrong);
        assert_eq!(versioned(true, true), Verdict::Ok);
        assert_eq!(versioned(false, false), Verdict::Ok, "the rights are that account's matter");
        let declared = Some(Declared { versions: true, keys: Vec::new() });
        assert_eq!(of(&EndFacts { declared, ..facts() }, "versioning").0, Verdict::Warning);
        let (verdict, text) = of(&with(|inside| inside.versioning = denied()), "versioning");
        assert!(verdict == Verdict::Warning && text.contains("unknown: needs s3:GetBucketVersioning"));
    }

    #[test]
    fn a_key_that_the_functions_may_not_use_is_told() {
        let key = "arn:aws-cn:kms:cn-north-1:123456789012:key/a";
        let encrypted = || {
            let found = DefaultEncryption { algorithm: "aws:kms".to_owned(), key: Some(key.to_owned()) };
            with(|inside| inside.encryption = Some(look(Ok(Some(found)))))
        };
        assert_eq!(of(&encrypted(), "encryption").0, Verdict::Ok);
        let own = EndFacts { own_role: true, ..encrypted() };
        let (verdict, text) = of(&own, "encryption");
        assert!(verdict == Verdict::Warning && text.contains("kmsKeyArns"), "{text}");
        let declared = Some(Declared { versions: false, keys: vec![key.to_owned()] });
        assert_eq!(of(&EndFacts { declared, own_role: true, ..encrypted() }, "encryption").0, Verdict::Ok);
    }
}
