//! `doctor --probe`: what a store can do, found by trying it, beside what its location says of it.

use transload_store::StoredRef;
use transload_store::location::LocationKind;
use transload_store::s3::inspect::{Probed, Trial};
use transload_store::s3::{Capabilities, S3Store};

use super::ask::absent_key;
use super::finding::Finding;
use crate::exit::{CliError, Outcome};
use crate::locations::Known;
use crate::place::Place;

/// Tries what the store of a place can do.
///
/// # Errors
/// If there is no such location of S3, or what is tried fails for another reason than the store's capabilities.
pub(crate) async fn look(place: &Place, known: &Known) -> Outcome<Vec<Finding>> {
    let (name, bucket) = place.bucket();
    let found = known.all().find(|(known, _)| **known == name);
    let Some((_, location)) = found else {
        let all: Vec<&str> = known.all().map(|(name, _)| name.as_str()).collect();
        return Err(CliError::usage(format!(
            "--probe: expected a location of {}, found {name}",
            all.join(", ")
        )));
    };
    if location.kind != LocationKind::S3 {
        return Err(CliError::usage(format!(
            "--probe: expected a location of S3, found {name}, a file system"
        )));
    }
    let settings = location
        .settings(name.as_str())
        .map_err(|failure| CliError::usage(format!("locations.{name}.{}", failure.message)))?;
    let claims = settings.capabilities.clone();
    let key = absent_key(&place.end().prefix);
    let key = key.parse().map_err(|error| CliError::usage(format!("--probe: key: {error}")))?;
    let object = StoredRef { bucket, key, version: None, requester_pays: false };
    let probed = S3Store::new(settings).inspector().probe(&object).await;
    let probed = probed.map_err(|error| CliError::trouble(format!("--probe {name}"), error))?;
    Ok(judge(name.as_str(), &claims, &probed))
}

fn judge(location: &str, claims: &Capabilities, probed: &Probed) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        probed.trials.iter().map(|trial| of(location, trial, is_claimed(claims, trial.capability))).collect();
    let has = &probed.capabilities;
    if has.checksums.is_empty() && !has.etag_md5 {
        findings.push(
            Finding::warning(location, "proof", "none")
                .expected("checksums, or ETags that are MD5s")
                .advice("objects can be read there, but what is written could not be proven: transfers to it are refused"),
        );
    }
    let left = probed.left.iter();
    findings.extend(left.map(|what| Finding::warning(location, "left behind", what.clone())));
    let seen = Finding::ok(location, "location", "what was seen, as its lines in the locations file:");
    findings.push(seen.advice(lines(has)));
    findings
}

fn is_claimed(claims: &Capabilities, capability: &str) -> bool {
    match capability {
        "limits.equal_parts" => claims.limits.equal_parts,
        "etag_md5" => claims.etag_md5,
        "trailers" => claims.trailers,
        "conditional_writes" => claims.conditional_writes,
        algorithm => claims.checksums.iter().any(|claimed| claimed.as_str() == algorithm),
    }
}

fn of(location: &str, trial: &Trial, claimed: bool) -> Finding {
    let (check, told) = (trial.capability, trial.told.as_str());
    // This one is no gift, but a demand of the store.
    if check == "limits.equal_parts" {
        return match (claimed, trial.has) {
            (false, true) => Finding::wrong(location, check, format!("demanded: {told}"))
                .expected("parts of any lengths, as the location says")
                .advice("write limits = { equal_parts = true } into the location"),
            (_, true) => Finding::ok(location, check, "demanded, and heeded"),
            (_, false) => Finding::ok(location, check, told),
        };
    }
    match (claimed, trial.has) {
        (true, false) => Finding::wrong(location, check, told)
            .expected("what the location says it has")
            .advice("write the lines below into the location"),
        (false, true) => Finding::ok(location, check, format!("{told}; the location does not use it")),
        (true, true) => Finding::ok(location, check, told),
        (false, false) => Finding::skipped(location, check, format!("not there: {told}")),
    }
}

/// The fields of a location, as TOML.
fn lines(has: &Capabilities) -> String {
    let names: Vec<String> =
        has.checksums.iter().map(|algorithm| format!("{:?}", algorithm.as_str())).collect();
    let mut lines = format!(
        "profile = \"generic\"\nchecksums = [{}]\ntrailers = {}\nconditional_writes = {}\netag_md5 = {}",
        names.join(", "),
        has.trailers,
        has.conditional_writes,
        has.etag_md5
    );
    if has.limits.equal_parts {
        lines.push_str("\nlimits = { equal_parts = true }");
    }
    lines
}

#[cfg(test)]
mod tests {
    use transload_store::location::Locations;
    use transload_wire::ChecksumAlgorithm;

    use super::super::finding::Verdict;
    use super::*;

    fn has(change: impl FnOnce(&mut Capabilities)) -> Capabilities {
        let mut has = Capabilities { etag_md5: true, ..Capabilities::default() };
        change(&mut has);
        has
    }

    #[test]
    fn the_lines_are_a_locations_fields() {
        let poor = has(|has| {
            (has.checksums, has.trailers, has.limits.equal_parts) =
                (vec![ChecksumAlgorithm::Crc32c], false, true);
        });
        let text = format!(
            "[locations.store]\nkind = \"s3\"\nendpoint = \"https://s3.example.com\"\n{}\n",
            lines(&poor)
        );
        let read = Locations::from_toml(&text).unwrap();
        let settings = read.locations.values().next().unwrap().settings("store").unwrap();
        let has = settings.capabilities;
        assert!(has.limits.equal_parts);
        // The rest of its limits are those of any store.
        assert_eq!(Capabilities { limits: poor.limits.clone(), ..has }, poor);
    }

    #[test]
    fn a_location_that_claims_more_than_there_is_is_wrong() {
        let trial = |capability, has| Trial { capability, has, told: "seen".to_owned() };
        for (claimed, has, verdict) in [
            (true, true, Verdict::Ok),
            (true, false, Verdict::Wrong),
            (false, true, Verdict::Ok),
            (false, false, Verdict::Skipped),
        ] {
            assert_eq!(of("store", &trial("trailers", has), claimed).verdict, verdict, "{claimed} {has}");
        }
        assert_eq!(of("store", &trial("limits.equal_parts", true), false).verdict, Verdict::Wrong);
        assert_eq!(of("store", &trial("limits.equal_parts", false), true).verdict, Verdict::Ok);
    }

    #[test]
    fn a_store_that_proves_nothing_is_told() {
        let none = has(|has| (has.checksums, has.etag_md5) = (Vec::new(), false));
        let probed = Probed { capabilities: none.clone(), trials: Vec::new(), left: vec!["a".to_owned()] };
        let found = judge("store", &none, &probed);
        let checks: Vec<_> = found.iter().map(|finding| (finding.check, finding.verdict)).collect();
        let warning = Verdict::Warning;
        assert_eq!(checks, [("proof", warning), ("left behind", warning), ("location", Verdict::Ok)]);
    }
}
