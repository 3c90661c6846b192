//! What a run will cost and how long it will take, as far as its plan tells.

use std::path::Path;

use serde_json::Value;
use transload_plan::cost::{Concurrency, Estimate, LIST_PRICES, Place, Prices, Takes, estimate};
use transload_store::location::{Location, Partition};
use transload_wire::{Found, LocationName, SyncRequest, Tree};

use crate::exit::{CliError, Outcome};
use crate::locations::Known;
use crate::table::{Side, Table, pairs};
use crate::units;

/// The table of a file, or the one that comes with this release.
///
/// # Errors
/// What is wrong with it, by its field.
pub(crate) fn table(path: Option<&Path>) -> Outcome<Prices> {
    let (name, text) = match path {
        None => ("the list prices".to_owned(), LIST_PRICES.to_owned()),
        Some(path) => {
            let name = format!("--prices {}", path.display());
            let text =
                std::fs::read_to_string(path).map_err(|error| CliError::usage(format!("{name}: {error}")))?;
            (name, text)
        }
    };
    let refuse = |what: String| CliError::usage(format!("{name}: {what}"));
    let prices: Prices = transload_wire::parse(text.as_bytes()).map_err(|failure| refuse(failure.message))?;
    prices.check().map_err(|error| refuse(error.to_string()))?;
    Ok(prices)
}

/// Prices a plan.
///
/// # Errors
/// If the table has no prices for a place.
pub(crate) fn priced(
    found: &Found,
    request: &SyncRequest,
    known: &[(LocationName, Location)],
    prices: &Prices,
) -> Outcome<Estimate> {
    let mut prices = prices.clone();
    let (sync, options) = (&request.sync, &request.options);
    let (batches, large, parts) = (sync.batch_concurrency, sync.large_concurrency, options.max_concurrency);
    let concurrency = Concurrency { batches, large, parts }.within(options.bandwidth, &mut prices);
    let (from, to) = (place(&request.source, known), place(&request.destination, known));
    estimate(&found.run(), &prices, (&from, &to), concurrency)
        .map_err(|error| CliError::usage(format!("prices: {error}")))
}

/// The locations of a request.
pub(crate) fn places(known: &Known) -> Vec<(LocationName, Location)> {
    known.all().map(|(name, location)| (name.clone(), location.clone())).collect()
}

/// Where a tree is. An endpoint that is not of AWS has no prices of AWS, whatever it calls its Region.
fn place<'a>(tree: &'a Tree, known: &'a [(LocationName, Location)]) -> Place<'a> {
    let location = known.iter().find(|(name, _)| *name == tree.location).map(|(_, location)| location);
    let host = |endpoint: &str| {
        let host = endpoint.split("://").last().unwrap_or_default();
        Partition::of_host(host.split([':', '/']).next().unwrap_or_default())
    };
    let partition = location.and_then(|location| match &location.endpoint {
        Some(endpoint) => host(endpoint),
        None => location.partition.or_else(|| Partition::of_region(location.region.as_deref()?)),
    });
    let region = location.filter(|_| partition.is_some()).and_then(|location| location.region.as_deref());
    Place { location: tree.location.as_str(), partition: partition.map(Partition::as_str), region }
}

fn dollars(amount: f64) -> String {
    match amount {
        0.0 => "0".to_owned(),
        small if small < 0.01 => "<0.01".to_owned(),
        amount if amount < 1_000.0 => format!("{amount:.2}"),
        amount => format!("{amount:.0}"),
    }
}

fn hours(hours: f64) -> String {
    match hours {
        0.0 => "0".to_owned(),
        small if small < 0.01 => "<0.01".to_owned(),
        hours if hours < 100.0 => format!("{hours:.2}"),
        hours => format!("{hours:.0}"),
    }
}

/// The lines of an estimate: at most 80 columns.
pub(crate) fn lines(estimate: &Estimate) -> String {
    let mut table = Table::new(&[
        ("to send", Side::Left),
        ("objects", Side::Right),
        ("bytes", Side::Right),
        ("requests", Side::Right),
        ("dollars", Side::Right),
        ("hours", Side::Right),
    ]);
    let mut row = |name: &str, takes: &Takes| {
        table.row([
            name.to_owned(),
            takes.objects.to_string(),
            units::size(takes.bytes),
            takes.requests.to_string(),
            dollars(takes.dollars),
            hours(takes.hours),
        ]);
    };
    estimate.classes.iter().for_each(|(class, takes)| row(class.name(), takes));
    row("listing and rest", &estimate.beside);
    row("all", &estimate.total);
    let money = &estimate.money;
    let parts = [
        ("egress", money.egress),
        ("requests", money.requests),
        ("retrieval", money.retrieval),
        ("lambda", money.lambda),
        ("workflow", money.step_functions),
        ("own bucket", money.own_bucket),
    ];
    let parts = parts.iter().filter(|(_, amount)| *amount > 0.0);
    let parts: Vec<String> = parts.map(|(name, amount)| format!("{name} {}", dollars(*amount))).collect();
    let (from, to) = &estimate.regions;
    let mut rows =
        vec![("dollars", wrapped(&parts)), ("prices", format!("{} ({from} to {to})", estimate.prices))];
    rows.extend(estimate.notes.iter().map(|note| ("note", note.clone())));
    format!("{}\n{}", table.render(), pairs(&rows))
}

/// Three to a line.
fn wrapped(parts: &[String]) -> String {
    let lines: Vec<String> = parts.chunks(3).map(|parts| parts.join(", ")).collect();
    lines.join(",\n             ")
}

/// The request of an execution, from its input.
///
/// # Errors
/// If it is none.
pub(crate) fn request(described: &Value) -> Outcome<SyncRequest> {
    let input = described["input"].as_str().unwrap_or_default();
    transload_wire::parse(input.as_bytes()).map_err(|failure| CliError::trouble("input", failure))
}

#[cfg(test)]
mod tests {
    use transload_plan::cost::{Concurrency, Place, estimate};
    use transload_wire::Found;

    use super::{lines, table};

    #[test]
    fn an_estimate_fits_eighty_columns() {
        let mut found = Found::default();
        for (size, count) in [(10_000, 3_000_000_000_u64), (900 << 20, 123_456)] {
            let class = transload_plan::cost::SizeClass::of(size);
            let work = found.classes.entry(class).or_default();
            (work.objects, work.bytes, work.batched) = (count, count * size, count);
            work.source.insert("GetObject".to_owned(), count);
        }
        found.batches = 3_000_000;
        let place = |location, partition, region| Place { location, partition, region };
        let places = (
            place("global", Some("aws"), Some("eu-west-1")),
            place("china", Some("aws-cn"), Some("cn-north-1")),
        );
        let concurrency = Concurrency { batches: 100, large: 200, parts: 64 };
        let prices = table(None).unwrap();
        let estimate = estimate(&found.run(), &prices, (&places.0, &places.1), concurrency).unwrap();
        let text = lines(&estimate);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains("global (eu-west-1) is priced as us-east-1"), "{text}");
        assert!((estimate.money.sum() - estimate.total.dollars).abs() < 1e-6 * estimate.total.dollars);
    }

    #[test]
    fn a_table_that_can_not_be_is_refused_by_its_field() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, field) in [
            ("{}", "missing field `name`"),
            (
                &transload_plan::cost::LIST_PRICES.replace("0.0000133334", "-3"),
                "lambda.gbSecond.value: expected a number from 0, found -3",
            ),
            (
                &transload_plan::cost::LIST_PRICES.replacen("putPerThousand", "putPerHundred", 1),
                "regions.us-east-1.putPerHundred: unknown field",
            ),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let refused = table(Some(file.path())).unwrap_err().to_string();
            assert!(refused.contains(field), "{refused}");
        }
    }
}
