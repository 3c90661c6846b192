//! Credentials, identity and clock of a location.

use transload_store::StoreErrorKind as Kind;
use transload_store::location::Partition;
use transload_store::s3::inspect::{Caller, Refusal};

use super::super::facts::{Kept, LocationFacts};
use super::super::finding::Finding;

/// S3 refuses requests that are further off: `RequestTimeTooSkewed`.
const CLOCK_REFUSED: i64 = 15 * 60;
/// Worth a look before it is.
const CLOCK_FAST: i64 = 5 * 60;

/// What is found of it.
pub(crate) fn judge(facts: &LocationFacts) -> Vec<Finding> {
    let mut findings = vec![credentials(facts)];
    findings.extend(identity(facts));
    findings.extend(clock(facts));
    findings
}

fn credentials(facts: &LocationFacts) -> Finding {
    let (subject, source) = (facts.name.as_str(), &facts.source);
    let Err(refusal) = &facts.credentials else {
        return match facts.own_role {
            false => Finding::ok(subject, "credentials", source.clone()),
            true => {
                Finding::ok(subject, "credentials", format!("{source}: what they may do, the policies say"))
            }
        };
    };
    let missing = ["ResourceNotFoundException", "ParameterNotFound"];
    let is_missing = refusal.code.as_deref().is_some_and(|code| missing.contains(&code));
    if is_missing || facts.kept == Some(Kept::Missing) {
        return Finding::wrong(subject, "credentials", "none of this name")
            .expected(source.clone())
            .advice(format!("make it (docs/operations.md, Rotate keys), or correct the name\n{refusal}"));
    }
    match facts.kept {
        Some(Kept::There) => {
            Finding::warning(subject, "credentials", format!("{source} is there, and not yours to read"))
                .advice("what may be done with it is unknown: needs secretsmanager:GetSecretValue")
        }
        Some(_) => Finding::warning(subject, "credentials", format!("{source} is not yours to read"))
            .advice("whether it is there is unknown: needs secretsmanager:GetSecretValue"),
        None if matches!(refusal.code.as_deref(), Some("AccessDenied" | "AccessDeniedException")) => {
            Finding::warning(subject, "credentials", format!("{source} is not yours to use"))
                .advice(refusal.to_string())
        }
        None => Finding::wrong(subject, "credentials", "none")
            .expected(source.clone())
            .advice(refusal.to_string()),
    }
}

fn identity(facts: &LocationFacts) -> Option<Finding> {
    let subject = facts.name.as_str();
    let Some(partition) = facts.partition else {
        return Some(Finding::skipped(subject, "identity", "not of AWS: nobody there tells who we are"));
    };
    Some(match facts.caller.as_ref()? {
        Ok(caller) => same_partition(subject, partition, caller),
        Err(refusal) if refusal.kind == Kind::Credentials => strangers(subject, partition, refusal),
        Err(refusal) => Finding::warning(subject, "identity", format!("unknown: {refusal}")),
    })
}

fn same_partition(subject: &str, partition: Partition, Caller { arn, .. }: &Caller) -> Finding {
    let found = arn.split(':').nth(1).unwrap_or_default();
    if found == partition.as_str() {
        return Finding::ok(subject, "identity", arn.clone());
    }
    Finding::wrong(subject, "identity", arn.clone())
        .expected(format!("somebody of partition {}", partition.as_str()))
        .advice(format!(
            "partitions do not know each other's keys: give the location keys of {}",
            partition.as_str()
        ))
}

fn strangers(subject: &str, partition: Partition, refusal: &Refusal) -> Finding {
    let code = refusal.code.as_deref().unwrap_or("refused");
    Finding::wrong(subject, "identity", format!("{code}: the keys are not known there"))
        .expected(format!("keys of partition {}", partition.as_str()))
        .advice("keys of another partition, deleted, or with another secret? Look at the location's region and partition too")
}

fn clock(facts: &LocationFacts) -> Option<Finding> {
    let ahead = facts.clock?;
    let words = match ahead {
        // Dates have whole seconds, and take a moment to come.
        -2..=2 => "the same as there".to_owned(),
        3.. => format!("{ahead} s behind {}", facts.name),
        _ => format!("{} s ahead of {}", -ahead, facts.name),
    };
    let subject = facts.name.as_str();
    Some(match ahead.abs() {
        far if far > CLOCK_REFUSED => Finding::wrong(subject, "clock", words)
            .expected("within 15 minutes")
            .advice("signatures are refused: set this computer's clock (NTP)"),
        far if far > CLOCK_FAST => Finding::warning(subject, "clock", words)
            .expected("within 5 minutes")
            .advice("beyond 15 requests are refused"),
        _ => Finding::ok(subject, "clock", words),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Verdict;
    use super::*;

    fn refusal(kind: Kind, code: &str) -> Refusal {
        Refusal { kind, code: Some(code.to_owned()), status: None, message: format!("{code} (400)") }
    }

    fn facts() -> LocationFacts {
        let arn = "arn:aws-cn:iam::123456789012:user/mover".to_owned();
        LocationFacts {
            name: "china".to_owned(),
            partition: Some(Partition::AwsCn),
            source: "secret transload/china".to_owned(),
            own_role: false,
            credentials: Ok(()),
            kept: None,
            caller: Some(Ok(Caller { arn, account: "123456789012".to_owned() })),
            clock: Some(1),
        }
    }

    fn of(facts: &LocationFacts, check: &str) -> (Verdict, String) {
        let found = judge(facts).into_iter().find(|finding| finding.check == check).unwrap();
        (found.verdict, format!("{}\n{}", found.text(), found.advice.unwrap_or_default()))
    }

    #[test]
    fn all_is_well() {
        assert!(judge(&facts()).iter().all(|finding| finding.verdict == Verdict::Ok));
    }

    #[test]
    fn a_secret_that_is_not_there_is_wrong_and_one_that_is_hidden_is_told() {
        let missing = refusal(Kind::AccessDenied, "ResourceNotFoundException");
        let (verdict, text) = of(&LocationFacts { credentials: Err(missing), ..facts() }, "credentials");
        assert!(
            verdict == Verdict::Wrong && text.contains("expected secret transload/china, found none"),
            "{text}"
        );
        for (kept, verdict, words) in [
            (Kept::There, Verdict::Warning, "is there, and not yours to read"),
            (Kept::Unknown, Verdict::Warning, "whether it is there is unknown"),
            (Kept::Missing, Verdict::Wrong, "none of this name"),
        ] {
            let denied = Err(refusal(Kind::AccessDenied, "AccessDeniedException"));
            let found =
                of(&LocationFacts { credentials: denied, kept: Some(kept), ..facts() }, "credentials");
            assert!(found.0 == verdict && found.1.contains(words), "{found:?}");
        }
        let none = Refusal { code: None, ..refusal(Kind::Credentials, "no profile china") };
        assert_eq!(of(&LocationFacts { credentials: Err(none), ..facts() }, "credentials").0, Verdict::Wrong);
    }

    #[test]
    fn keys_of_another_partition_are_wrong() {
        let arn = "arn:aws:iam::123456789012:user/mover".to_owned();
        let other = Some(Ok(Caller { arn, account: String::new() }));
        let (verdict, text) = of(&LocationFacts { caller: other, ..facts() }, "identity");
        assert!(
            verdict == Verdict::Wrong && text.contains("expected somebody of partition aws-cn"),
            "{text}"
        );
        let unknown = Some(Err(refusal(Kind::Credentials, "InvalidClientTokenId")));
        let (verdict, text) = of(&LocationFacts { caller: unknown, ..facts() }, "identity");
        assert!(verdict == Verdict::Wrong && text.contains("keys of another partition"), "{text}");
        let away = Some(Err(refusal(Kind::Connection, "none")));
        assert_eq!(of(&LocationFacts { caller: away, ..facts() }, "identity").0, Verdict::Warning);
        assert_eq!(of(&LocationFacts { partition: None, ..facts() }, "identity").0, Verdict::Skipped);
    }

    #[test]
    fn a_clock_is_told_before_and_after_it_is_refused() {
        for (ahead, verdict) in [
            (0, Verdict::Ok),
            (300, Verdict::Ok),
            (-301, Verdict::Warning),
            (900, Verdict::Warning),
            (901, Verdict::Wrong),
            (-3_600, Verdict::Wrong),
        ] {
            assert_eq!(of(&LocationFacts { clock: Some(ahead), ..facts() }, "clock").0, verdict, "{ahead}");
        }
    }
}
