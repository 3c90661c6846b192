//! The account that functions run in: whose it is, and what it lets run at a time.

use transload_store::StoreErrorKind as Kind;
use transload_store::location::Partition;
use transload_store::s3::inspect::Refusal;

use super::super::facts::AccountFacts;
use super::super::finding::Finding;

/// Workers that one transfer of a large object uses at a time, unless its options say otherwise.
const WORKERS: u64 = 64;
/// Map runs that an account may have open before more wait, as AWS documents it.
const MAP_RUNS: u64 = 1_000;

/// What is found of it.
pub(crate) fn judge(facts: &AccountFacts) -> Vec<Finding> {
    match &facts.caller {
        // Nobody asks for the rest either.
        Err(refusal) if refusal.kind == Kind::Credentials && refusal.code.is_none() => vec![caller(facts)],
        _ => vec![caller(facts), concurrency(facts), map_runs(facts)],
    }
}

fn caller(facts: &AccountFacts) -> Finding {
    let subject = format!("account, {}", facts.region);
    let caller = match &facts.caller {
        Ok(caller) => caller,
        Err(refusal) => {
            let found = refusal.code.as_deref().unwrap_or("none");
            return Finding::wrong(&subject, "identity", found)
                .expected("credentials of the account that is deployed to")
                .advice(format!("set AWS_PROFILE, or what else your AWS tools use\n{refusal}"));
        }
    };
    if let Some(expected) = facts.expected.as_ref().filter(|expected| **expected != caller.account) {
        return Finding::wrong(&subject, "identity", caller.arn.clone())
            .expected(format!("somebody of account {expected}"))
            .advice("use credentials of the config's account, or correct it there");
    }
    let partition = Partition::of_region(&facts.region).map_or("aws", Partition::as_str);
    let found = caller.arn.split(':').nth(1).unwrap_or_default();
    if found != partition {
        return Finding::wrong(&subject, "identity", caller.arn.clone())
            .expected(format!("somebody of partition {partition}"))
            .advice("use credentials of the partition that is deployed to");
    }
    Finding::ok(&subject, "identity", caller.arn.clone())
}

fn unknown(subject: &str, check: &'static str, refusal: &Refusal, needs: &str) -> Finding {
    match refusal.kind {
        Kind::AccessDenied => Finding::unknown(subject, check, needs),
        _ => Finding::warning(subject, check, format!("unknown: {refusal}")),
    }
}

fn concurrency(facts: &AccountFacts) -> Finding {
    let (subject, check) = (format!("account, {}", facts.region), "concurrency");
    match &facts.concurrency {
        Err(refusal) => unknown(&subject, check, refusal, "lambda:GetAccountSettings"),
        Ok(free) if *free < WORKERS => Finding::warning(&subject, check, format!("{free}"))
            .expected(format!("{WORKERS} Lambda invocations at a time or more, for one large object"))
            .advice("raise the quota \"Concurrent executions\" of Lambda, or write a smaller maxConcurrency into routes' options"),
        Ok(free) => {
            let objects = free / WORKERS;
            let plural = if objects == 1 { "" } else { "s" };
            Finding::ok(&subject, check, format!("{free} Lambda invocations: {objects} large object{plural} at full speed"))
        }
    }
}

fn map_runs(facts: &AccountFacts) -> Finding {
    let (subject, check) = (format!("account, {}", facts.region), "map runs");
    match &facts.map_runs {
        Err(refusal) => unknown(&subject, check, refusal, "servicequotas:ListServiceQuotas"),
        Ok(None) => Finding::skipped(
            &subject,
            check,
            format!("Service Quotas tells none; {MAP_RUNS} open at a time is documented"),
        ),
        Ok(Some(most)) if *most < MAP_RUNS => {
            Finding::warning(&subject, check, format!("{most} open at a time"))
                .expected(format!("{MAP_RUNS}"))
                .advice("each large object under way is one: more wait")
        }
        Ok(Some(most)) => {
            Finding::ok(&subject, check, format!("{most} open at a time, one for each large object"))
        }
    }
}

#[cfg(test)]
mod tests {
    use transload_store::s3::inspect::Caller;

    use super::super::super::finding::Verdict;
    use super::*;

    fn facts() -> AccountFacts {
        let caller =
            Caller { arn: "arn:aws:iam::111122223333:user/a".to_owned(), account: "111122223333".to_owned() };
        AccountFacts {
            region: "eu-west-1".to_owned(),
            expected: Some("111122223333".to_owned()),
            caller: Ok(caller),
            concurrency: Ok(1_000),
            map_runs: Ok(Some(1_000)),
        }
    }

    fn denied() -> Refusal {
        Refusal { kind: Kind::AccessDenied, code: None, status: None, message: "no".to_owned() }
    }

    fn of(facts: &AccountFacts, check: &str) -> (Verdict, String) {
        let found = judge(facts).into_iter().find(|finding| finding.check == check).unwrap();
        (found.verdict, found.text())
    }

    #[test]
    fn another_account_or_partition_is_wrong() {
        assert_eq!(of(&facts(), "identity").0, Verdict::Ok);
        let other = AccountFacts { expected: Some("444455556666".to_owned()), ..facts() };
        assert_eq!(of(&other, "identity").0, Verdict::Wrong);
        let elsewhere = AccountFacts { region: "cn-north-1".to_owned(), ..facts() };
        assert_eq!(of(&elsewhere, "identity").0, Verdict::Wrong);
        assert_eq!(of(&AccountFacts { caller: Err(denied()), ..facts() }, "identity").0, Verdict::Wrong);
        let none = Refusal { kind: Kind::Credentials, ..denied() };
        let found = judge(&AccountFacts { caller: Err(none), ..facts() });
        assert!(
            found.len() == 1 && found[0].text().ends_with("found none"),
            "nobody asks for quotas: {found:?}"
        );
    }

    #[test]
    fn quotas_that_are_low_or_unknown_are_told() {
        let (verdict, text) = of(&facts(), "concurrency");
        assert!(verdict == Verdict::Ok && text.contains("15 large objects"), "{text}");
        assert_eq!(of(&AccountFacts { concurrency: Ok(10), ..facts() }, "concurrency").0, Verdict::Warning);
        let (verdict, text) = of(&AccountFacts { map_runs: Err(denied()), ..facts() }, "map runs");
        assert!(
            verdict == Verdict::Warning && text == "unknown: needs servicequotas:ListServiceQuotas",
            "{text}"
        );
        assert_eq!(of(&AccountFacts { map_runs: Ok(Some(100)), ..facts() }, "map runs").0, Verdict::Warning);
        assert_eq!(of(&AccountFacts { map_runs: Ok(None), ..facts() }, "map runs").0, Verdict::Skipped);
    }
}
