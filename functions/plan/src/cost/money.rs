//! Amounts of money for amounts of work.

use std::collections::BTreeMap;

use super::{Concurrency, Prices, RegionPrices, Requests, Sides};

/// GiB, the unit of bytes that are paid for.
const GIB: f64 = (1_u64 << 30) as f64;
/// GB of an EXPRESS execution: they are paid for in steps of 64 MB.
const EXPRESS_GB: f64 = 64.0 / 1_024.0;
/// Operations at the price of a PUT, as the price list names them: PUT, COPY, POST and LIST. Deletions and aborts are free, all
/// others have the price of a GET.
const LIKE_PUT: [&str; 10] = [
    "PutObject",
    "CopyObject",
    "UploadPart",
    "UploadPartCopy",
    "CreateMultipartUpload",
    "CompleteMultipartUpload",
    "ListObjectsV2",
    "ListObjectVersions",
    "ListParts",
    "ListMultipartUploads",
];
const FREE: [&str; 3] = ["DeleteObject", "DeleteObjects", "AbortMultipartUpload"];

/// Prices of one run.
pub(super) struct Bill<'a> {
    pub(super) prices: &'a Prices,
    pub(super) source: &'a RegionPrices,
    pub(super) destination: &'a RegionPrices,
    /// Of a GiB, in the source's currency.
    pub(super) egress: f64,
    pub(super) at: Concurrency,
}

/// Seconds of one worker: objects and bytes are paid for beside each other, for while one waits the other flows only as far as
/// there is processor left.
pub(super) fn seconds(prices: &Prices, bytes: u64, objects: u64) -> f64 {
    let rates = &prices.rates;
    objects as f64 / rates.objects_per_second.value + bytes as f64 / 1e6 / rates.megabytes_per_second.value
}

fn requests(requests: &Requests, region: &RegionPrices) -> f64 {
    let of = |operation: &str| match operation {
        _ if LIKE_PUT.contains(&operation) => region.put_per_thousand.value,
        _ if FREE.contains(&operation) => 0.0,
        _ => region.get_per_thousand.value,
    };
    requests.iter().map(|(operation, count)| *count as f64 / 1_000.0 * of(operation)).sum()
}

impl Bill<'_> {
    pub(super) fn seconds(&self, bytes: u64, objects: u64) -> f64 {
        seconds(self.prices, bytes, objects)
    }

    pub(super) fn requests(&self, sides: &Sides) -> f64 {
        let dollars = |region: &RegionPrices, of: &Requests| {
            self.prices.dollars(&region.currency, requests(of, region))
        };
        dollars(self.source, &sides.source) + dollars(self.destination, &sides.destination)
    }

    pub(super) fn egress(&self, bytes: u64) -> f64 {
        self.prices.dollars(&self.source.currency, bytes as f64 / GIB * self.egress)
    }

    pub(super) fn retrieval(&self, retrieved: &BTreeMap<String, u64>) -> f64 {
        let of = |(class, bytes): (&String, &u64)| {
            let price = self.source.retrieval_per_gib.get(class).map_or(0.0, |price| price.value);
            *bytes as f64 / GIB * price
        };
        self.prices.dollars(&self.source.currency, retrieved.iter().map(of).sum())
    }

    /// GB-seconds of workers that move bytes.
    pub(super) fn moving(&self, seconds: f64) -> f64 {
        seconds * self.prices.rates.worker_megabytes.value / 1_024.0
    }

    /// GB-seconds of the other functions.
    pub(super) fn small(&self, seconds: f64) -> f64 {
        seconds * self.prices.rates.small_megabytes.value / 1_024.0
    }

    /// GB-seconds of calls that move no bytes.
    pub(super) fn quick(&self, calls: u64) -> f64 {
        self.small(calls as f64 * self.prices.rates.call_seconds.value)
    }

    pub(super) fn lambda(&self, calls: f64, gb_seconds: f64) -> f64 {
        let lambda = &self.prices.lambda;
        let amount = calls / 1e6 * lambda.million_requests.value + gb_seconds * lambda.gb_second.value;
        self.prices.dollars(&lambda.currency, amount)
    }

    pub(super) fn transitions(&self, count: f64) -> f64 {
        let machine = &self.prices.step_functions;
        self.prices.dollars(&machine.currency, count / 1e3 * machine.thousand_transitions.value)
    }

    pub(super) fn express(&self, count: f64, seconds: f64) -> f64 {
        let machine = &self.prices.step_functions;
        let time = seconds * EXPRESS_GB * machine.express_gb_second.value;
        self.prices.dollars(&machine.currency, count / 1e6 * machine.million_express.value + time)
    }

    /// The lists are written and read twice, by a Map or Report and by whoever lists them; each Map writes a manifest and two files
    /// of results, and Report three. The bucket is where the workflow runs, which is taken for the source's Region.
    pub(super) fn own_bucket(&self, files: u64, maps: u64) -> f64 {
        let (puts, gets) = (files + 5 * maps + 3 + 4, 2 * files + 3 * maps);
        let region = self.source;
        let amount =
            puts as f64 * region.put_per_thousand.value + gets as f64 * region.get_per_thousand.value;
        self.prices.dollars(&region.currency, amount / 1_000.0)
    }
}
