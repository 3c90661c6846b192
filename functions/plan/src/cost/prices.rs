//! A table of prices and rates: each number with where it is from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A number and where it is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Price {
    /// The number, in the place's currency, or of the rate's unit.
    pub value: f64,
    /// Name of one of the table's sources.
    pub source: String,
}

/// Where numbers are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// Page or command.
    pub from: String,
    /// When it was read, ISO 8601.
    pub date: String,
    /// Whether it was really read there; false: to be checked before anybody relies on it.
    pub checked: bool,
}

/// What S3 costs in one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegionPrices {
    /// Currency of all numbers here.
    pub currency: String,
    /// 1,000 PUT, COPY, POST and LIST requests.
    pub put_per_thousand: Price,
    /// 1,000 GET, HEAD and all other requests.
    pub get_per_thousand: Price,
    /// A GiB to the internet.
    pub egress_per_gib: Price,
    /// A GiB to another Region of the same partition.
    pub between_regions_per_gib: Price,
    /// A GiB read, by storage class; classes that are absent cost nothing.
    #[serde(default)]
    pub retrieval_per_gib: BTreeMap<String, Price>,
}

/// What Lambda costs, where the workflow runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lambda {
    /// Currency.
    pub currency: String,
    /// A million invocations.
    pub million_requests: Price,
    /// A GB-second of arm64.
    pub gb_second: Price,
}

/// What Step Functions costs, where the workflow runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepFunctions {
    /// Currency.
    pub currency: String,
    /// 1,000 transitions of STANDARD executions.
    pub thousand_transitions: Price,
    /// A million EXPRESS executions.
    pub million_express: Price,
    /// A GB-second of EXPRESS executions, of which each has 64 MB.
    pub express_gb_second: Price,
}

/// How fast workers are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rates {
    /// Small objects that one worker sends in a second.
    pub objects_per_second: Price,
    /// MB (10^6) that one worker sends in a second.
    pub megabytes_per_second: Price,
    /// Seconds of a call that moves no bytes, such as Head or Complete.
    pub call_seconds: Price,
    /// Objects that List compares in a second.
    pub listed_per_second: Price,
    /// Memory of a worker that moves bytes, in MB.
    pub worker_megabytes: Price,
    /// Memory of the other functions, in MB.
    pub small_megabytes: Price,
}

/// Where a store is, as prices know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The location's name.
    pub location: &'a str,
    /// Its partition, if it is AWS.
    pub partition: Option<&'a str>,
    /// Its Region.
    pub region: Option<&'a str>,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prices {
    /// What it is called where its figures are shown.
    pub name: String,
    /// Where numbers are from, by name.
    pub sources: BTreeMap<String, Source>,
    /// Dollars for one unit of each currency.
    pub dollars: BTreeMap<String, Price>,
    /// Prices by Region.
    pub regions: BTreeMap<String, RegionPrices>,
    /// The Region whose prices stand for all others of a partition.
    pub partitions: BTreeMap<String, String>,
    /// The Region whose prices hold for a location of this name, whatever it is; for stores that are not AWS.
    #[serde(default)]
    pub locations: BTreeMap<String, String>,
    /// Lambda.
    pub lambda: Lambda,
    /// Step Functions.
    pub step_functions: StepFunctions,
    /// Rates.
    pub rates: Rates,
}

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: expected {expected}, found {found}")]
pub struct PriceError {
    /// The field.
    pub field: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

fn refuse(field: String, expected: impl Into<String>, found: impl Into<String>) -> PriceError {
    PriceError { field, expected: expected.into(), found: found.into() }
}

impl Prices {
    /// What the types alone do not refuse.
    ///
    /// # Errors
    /// The first number, source or name that can not be, by its field.
    pub fn check(&self) -> Result<(), PriceError> {
        if self.name.trim().is_empty() {
            return Err(refuse("name".to_owned(), "a name", "none"));
        }
        for (field, price) in self.all() {
            if !price.value.is_finite() || price.value < 0.0 {
                return Err(refuse(format!("{field}.value"), "a number from 0", price.value.to_string()));
            }
            self.known(&format!("{field}.source"), &self.sources, &price.source)?;
        }
        let rates = &self.rates;
        for (field, price) in self.rates_by_name().into_iter().filter(|(_, p)| p.value == 0.0) {
            // Everything is divided by a rate, and a call of no seconds is fine.
            if !std::ptr::eq(price, &rates.call_seconds) {
                return Err(refuse(format!("rates.{field}.value"), "a number above 0", "0"));
            }
        }
        for (partition, region) in &self.partitions {
            self.known(&format!("partitions.{partition}"), &self.regions, region)?;
        }
        for (location, region) in &self.locations {
            self.known(&format!("locations.{location}"), &self.regions, region)?;
        }
        let regions = self.regions.iter().map(|(name, region)| (format!("regions.{name}"), &region.currency));
        let services = [("lambda", &self.lambda.currency), ("stepFunctions", &self.step_functions.currency)];
        let services = services.into_iter().map(|(name, currency)| (name.to_owned(), currency));
        for (field, currency) in regions.chain(services) {
            self.known(&format!("{field}.currency"), &self.dollars, currency)?;
        }
        Ok(())
    }

    fn known<T>(&self, field: &str, names: &BTreeMap<String, T>, found: &str) -> Result<(), PriceError> {
        if names.contains_key(found) {
            return Ok(());
        }
        let names: Vec<&str> = names.keys().map(String::as_str).collect();
        Err(refuse(field.to_owned(), format!("one of {}", names.join(", ")), format!("{found:?}")))
    }

    fn rates_by_name(&self) -> [(&'static str, &Price); 6] {
        let rates = &self.rates;
        [
            ("objectsPerSecond", &rates.objects_per_second),
            ("megabytesPerSecond", &rates.megabytes_per_second),
            ("callSeconds", &rates.call_seconds),
            ("listedPerSecond", &rates.listed_per_second),
            ("workerMegabytes", &rates.worker_megabytes),
            ("smallMegabytes", &rates.small_megabytes),
        ]
    }

    /// Every number with its field.
    fn all(&self) -> Vec<(String, &Price)> {
        let mut all: Vec<(String, &Price)> =
            self.rates_by_name().into_iter().map(|(name, price)| (format!("rates.{name}"), price)).collect();
        all.extend(self.dollars.iter().map(|(name, price)| (format!("dollars.{name}"), price)));
        for (name, region) in &self.regions {
            let field = |of: &str| format!("regions.{name}.{of}");
            all.push((field("putPerThousand"), &region.put_per_thousand));
            all.push((field("getPerThousand"), &region.get_per_thousand));
            all.push((field("egressPerGib"), &region.egress_per_gib));
            all.push((field("betweenRegionsPerGib"), &region.between_regions_per_gib));
            let retrieval = region.retrieval_per_gib.iter();
            all.extend(retrieval.map(|(class, price)| (field(&format!("retrievalPerGib.{class}")), price)));
        }
        let (lambda, machine) = (&self.lambda, &self.step_functions);
        all.push(("lambda.millionRequests".to_owned(), &lambda.million_requests));
        all.push(("lambda.gbSecond".to_owned(), &lambda.gb_second));
        all.push(("stepFunctions.thousandTransitions".to_owned(), &machine.thousand_transitions));
        all.push(("stepFunctions.millionExpress".to_owned(), &machine.million_express));
        all.push(("stepFunctions.expressGbSecond".to_owned(), &machine.express_gb_second));
        all
    }

    /// Sources of this table that nobody has checked.
    #[must_use]
    pub fn unchecked(&self) -> Vec<&str> {
        self.sources.iter().filter(|(_, source)| !source.checked).map(|(name, _)| name.as_str()).collect()
    }

    /// The Region whose prices hold for a place, and whether they are really its own.
    ///
    /// # Errors
    /// If the table has none for it.
    pub fn region(&self, place: &Place<'_>) -> Result<(&str, &RegionPrices, bool), PriceError> {
        let own = self.locations.get(place.location).map(String::as_str);
        let own = own.or_else(|| place.region.filter(|region| self.regions.contains_key(*region)));
        // A store that is not AWS is shown at the prices of AWS, which is told.
        let partition = place.partition.unwrap_or("aws");
        let named = own.or_else(|| self.partitions.get(partition).map(String::as_str));
        let found = named.and_then(|name| self.regions.get_key_value(name));
        let (name, region) = found.ok_or_else(|| {
            refuse(format!("partitions.{partition}"), "a Region with prices", "none".to_owned())
        })?;
        Ok((name, region, own.is_some()))
    }

    /// Dollars for an amount of a currency.
    pub(super) fn dollars(&self, currency: &str, amount: f64) -> f64 {
        amount * self.dollars.get(currency).map_or(0.0, |dollars| dollars.value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Prices};
    use crate::cost::LIST_PRICES;

    fn table() -> Prices {
        serde_json::from_str(LIST_PRICES).unwrap()
    }

    #[test]
    fn the_embedded_table_is_good_and_says_what_is_not_checked() {
        table().check().unwrap();
        assert!(table().unchecked().iter().any(|name| name.contains("china")), "{:?}", table().unchecked());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_field() {
        let told = |damage: fn(&mut Prices)| {
            let mut table = table();
            damage(&mut table);
            table.check().unwrap_err().to_string()
        };
        assert_eq!(
            told(|table| table.lambda.gb_second.value = -1.0),
            "lambda.gbSecond.value: expected a number from 0, found -1"
        );
        let told_source = told(|table| "nowhere".clone_into(&mut table.rates.call_seconds.source));
        assert!(told_source.starts_with("rates.callSeconds.source: expected one of "), "{told_source}");
        assert!(told_source.ends_with("found \"nowhere\""), "{told_source}");
        assert_eq!(
            told(|table| table.rates.objects_per_second.value = 0.0),
            "rates.objectsPerSecond.value: expected a number above 0, found 0"
        );
        let mars = told(|table| drop(table.partitions.insert("aws".to_owned(), "mars-1".to_owned())));
        assert!(mars.starts_with("partitions.aws: expected one of cn-north-1, "), "{mars}");
        let money = told(|table| "shells".clone_into(&mut table.lambda.currency));
        assert!(money.starts_with("lambda.currency: expected one of CNY, USD, found"), "{money}");
    }

    #[test]
    fn a_place_has_its_own_prices_or_those_of_its_partition() {
        let mut table = table();
        let place = |location, partition, region| Place { location, partition, region };
        let found = |table: &Prices, place: &Place<'_>| {
            let (name, _, own) = table.region(place).unwrap();
            (name.to_owned(), own)
        };
        let of = |table: &Prices, partition, region| found(table, &place("l", partition, region));
        assert_eq!(of(&table, Some("aws"), Some("us-east-1")), ("us-east-1".to_owned(), true));
        assert_eq!(of(&table, Some("aws"), Some("eu-west-1")), ("us-east-1".to_owned(), false));
        assert_eq!(of(&table, Some("aws-cn"), None), ("cn-north-1".to_owned(), false));
        assert_eq!(of(&table, None, None), ("us-east-1".to_owned(), false));
        table.locations.insert("l".to_owned(), "cn-north-1".to_owned());
        assert_eq!(of(&table, None, None), ("cn-north-1".to_owned(), true));
    }
}
