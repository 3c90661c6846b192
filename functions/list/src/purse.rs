//! A budget of dollars: what was given out is priced as a plan would price it, object by object, before it is given out.
//!
//! An estimate of everything for each object would take longer than listing it. But it is a sum: so an object adds what an
//! estimate of two of it has more than one of one, and of a small one that is a price for it and one for its bytes.

use std::collections::BTreeMap;

use transload_plan::cost::{Concurrency, LIST_PRICES, Place, Prices, estimate};
use transload_store::Store;
use transload_wire::{ErrorName, Failure, Found, SyncRequest, Tree};

use crate::lists::FOLDERS;
use crate::ways::Ways;

/// Bytes that the price of a byte is taken from: enough to be seen beside the price of an object.
const MANY: u64 = 1 << 40;
/// Maps of a run.
const MAPS: f64 = 3.0;
/// Objects that the price of listing one is taken from.
const PAGE: u64 = 1_000;

/// Where a side is, as prices know it.
#[derive(Debug, Clone)]
struct At {
    location: String,
    partition: Option<String>,
    region: Option<String>,
}

impl At {
    fn new(tree: &Tree, store: &dyn Store) -> Self {
        // Without a partition it is no place of AWS, whatever it calls its Region.
        let partition = store.partition().map(str::to_owned);
        let region = store.region().filter(|_| partition.is_some()).map(str::to_owned);
        Self { location: tree.location.to_string(), partition, region }
    }

    fn place(&self) -> Place<'_> {
        Place {
            location: &self.location,
            partition: self.partition.as_deref(),
            region: self.region.as_deref(),
        }
    }
}

/// Prices, and what is left of a budget.
#[derive(Debug, Clone)]
pub(crate) struct Purse {
    tariff: Tariff,
    limit: f64,
    /// What earlier calls gave out.
    before: f64,
    /// What this one gave out.
    spent: f64,
}

#[derive(Debug, Clone)]
struct Tariff {
    prices: Box<Prices>,
    sides: [At; 2],
    concurrency: Concurrency,
    ways: Ways,
    /// A small object, and a byte of it.
    small: (f64, f64),
    /// A batch as a whole.
    batch: f64,
    /// A deletion, and a call of Delete.
    deletion: (f64, f64),
    /// An object of a listing, at the source and at the destination.
    listed: [f64; 2],
    /// A byte of a storage class that charges for being read.
    retrieved: BTreeMap<String, f64>,
}

impl Purse {
    /// None where no dollars are asked for.
    ///
    /// # Errors
    /// `InputInvalid` if the table has no prices for a place.
    pub(crate) fn new(
        request: &SyncRequest,
        (source, destination): (&dyn Store, &dyn Store),
        ways: &Ways,
    ) -> Result<Option<Self>, Failure> {
        let Some(limit) = request.sync.budget.and_then(|budget| budget.dollars) else { return Ok(None) };
        let mut prices = match &request.sync.prices {
            Some(prices) => prices.clone(),
            None => Box::new(transload_wire::parse(LIST_PRICES.as_bytes())?),
        };
        let sides = [At::new(&request.source, source), At::new(&request.destination, destination)];
        let concurrency = Concurrency {
            batches: request.sync.batch_concurrency,
            large: request.sync.large_concurrency,
            parts: request.options.max_concurrency,
        };
        let concurrency = concurrency.within(request.options.bandwidth, &mut prices);
        let tariff = Tariff::new(prices, sides, concurrency, ways.clone())?;
        Ok(Some(Self { tariff, limit: limit.amount(), before: 0.0, spent: 0.0 }))
    }

    /// The same, behind calls that found this much.
    pub(crate) fn behind(mut self, before: &Found) -> Self {
        // The table had prices for these places.
        self.before = self.tariff.fixed(before).unwrap_or(f64::INFINITY);
        self
    }

    /// What an object costs that is sent in a batch.
    pub(crate) fn small(&self, size: u64, class: Option<&str>) -> f64 {
        let (object, byte) = self.tariff.small;
        object + byte * size as f64 + self.retrieval(size, class)
    }

    /// What an object costs that has an execution of its own: as it is counted.
    pub(crate) fn large(&self, size: u64, class: Option<&str>, count: impl Fn(&Ways, &mut Found)) -> f64 {
        let alone = self.tariff.more(|found| count(&self.tariff.ways, found)).unwrap_or(f64::INFINITY);
        alone + self.retrieval(size, class)
    }

    fn retrieval(&self, size: u64, class: Option<&str>) -> f64 {
        class.and_then(|class| self.tariff.retrieved.get(class)).map_or(0.0, |price| price * size as f64)
    }

    /// Whether the budget has room for what costs so much, and for a batch that may begin with it.
    pub(crate) fn has_room(&self, price: f64, found: &Found) -> bool {
        let [source, destination] = self.tariff.listed;
        let listed = source * found.listed.objects as f64 + destination * found.destination.objects as f64;
        self.before + self.spent + listed + price + self.tariff.batch <= self.limit
    }

    /// An object is given out.
    pub(crate) fn spend(&mut self, price: f64) {
        self.spent += price;
    }

    /// A batch is.
    pub(crate) fn spend_batch(&mut self) {
        self.spent += self.tariff.batch;
    }

    /// A deletion is.
    pub(crate) fn spend_deletion(&mut self) {
        self.spent += self.tariff.deletion.0;
    }

    /// A list of deletions is.
    pub(crate) fn spend_deletions(&mut self) {
        self.spent += self.tariff.deletion.1;
    }
}

impl Tariff {
    fn new(
        prices: Box<Prices>,
        sides: [At; 2],
        concurrency: Concurrency,
        ways: Ways,
    ) -> Result<Self, Failure> {
        let retrieved = BTreeMap::new();
        let (small, batch, deletion, listed) = ((0.0, 0.0), 0.0, (0.0, 0.0), [0.0; 2]);
        let mut tariff = Self { prices, sides, concurrency, ways, small, batch, deletion, listed, retrieved };
        let of = |size| tariff.more(|found| tariff.ways.batched(found, size));
        let object = of(0)?;
        let small = (object, (of(MANY)? - object) / MANY as f64);
        let batch = tariff.more(|found| {
            found.batches += 1;
            tariff.ways.batch(found);
        })?;
        let deletion =
            (tariff.more(|found| tariff.ways.deleted(found))?, tariff.more(|found| found.deletions += 1)?);
        let source = tariff.more(|found| {
            found.listed.objects += PAGE;
            found.listing.at_source("ListObjectsV2", 1);
        })?;
        let destination = tariff.more(|found| found.listing.at_destination("ListObjectsV2", 1))?;
        let listed = [source / PAGE as f64, destination / PAGE as f64];
        let classes: Vec<String> = {
            let (_, region, _) = tariff.prices.region(&tariff.sides[0].place()).map_err(refused)?;
            region.retrieval_per_gib.keys().cloned().collect()
        };
        let mut retrieved = BTreeMap::new();
        for class in classes {
            let price = tariff.more(|found| *found.retrieved.entry(class.clone()).or_default() += MANY)?;
            retrieved.insert(class, price / MANY as f64);
        }
        (tariff.small, tariff.batch, tariff.deletion) = (small, batch, deletion);
        (tariff.listed, tariff.retrieved) = (listed, retrieved);
        Ok(tariff)
    }

    /// Dollars of a run.
    fn all(&self, found: &Found) -> Result<f64, Failure> {
        let [from, to] = &self.sides;
        let estimated = estimate(&found.run(), &self.prices, (&from.place(), &to.place()), self.concurrency);
        estimated.map(|estimate| estimate.total.dollars).map_err(refused)
    }

    /// What it adds to count this once more: the first of its kind brings a Map with it, which is paid for beforehand.
    fn more(&self, count: impl Fn(&mut Found)) -> Result<f64, Failure> {
        let mut found = Found::default();
        count(&mut found);
        let once = self.all(&found)?;
        count(&mut found);
        Ok(self.all(&found)? - once)
    }

    /// A run that has found this much, with all that it takes beside what is sent.
    fn fixed(&self, before: &Found) -> Result<f64, Failure> {
        let mut found = before.clone();
        found.calls += 1;
        found.files += FOLDERS.len() as u64;
        let first = self.all(&Found { batches: 1, ..Found::default() })? - self.all(&Found::default())?;
        Ok(self.all(&found)? + MAPS * (first - self.batch).max(0.0))
    }
}

fn refused(error: impl std::fmt::Display) -> Failure {
    ErrorName::InputInvalid.because(format!("sync.prices: {error}"))
}
