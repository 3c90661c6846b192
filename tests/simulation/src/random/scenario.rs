//! What a seed means: places, options, objects, how rough the day is, and what happens when.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use strict_s3::{Capabilities, Versioning};

use super::acts::Act;
use crate::builder::Builder;
use crate::seed::Seed;
use crate::world::World;

/// Beginnings of keys: what paths, queries and XML treat in ways of their own.
const KEYS: [&str; 8] = ["plain", "a/b c+d", "x//y", "100%2F", "ü/😀", "/lead", "soap?&=", "e\u{301}"];

/// Kinds of destinations, by name.
const DESTINATIONS: [&str; 6] = ["aws", "aws", "forgetful", "md5", "r2", "crc32"];

/// Everything that a seed draws before the world begins.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The seed.
    pub seed: u64,
    /// What the destination is.
    pub destination: &'static str,
    pub(super) part_size: u64,
    pub(super) versioning: [Versioning; 2],
    pub(super) options: Value,
    pub(super) concurrency: usize,
    /// Keys and bytes of the objects.
    pub(super) objects: Vec<(String, usize)>,
    /// Whether something stands at the destination already, by object.
    pub(super) standing: Vec<bool>,
    /// Shares of exchanges, requests and invocations that meet a fault.
    pub(super) rough: [f64; 3],
    /// Whether a worker's memory flips bits.
    pub(super) rotten: bool,
    /// When the storm is over.
    pub(super) calm: Duration,
    /// What happens when, in order.
    pub(super) acts: Vec<(Duration, Act)>,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, destination, part_size, versioning, options, concurrency, .. } = self;
        write!(f, "seed {seed}: {destination}, versions {versioning:?}, parts of {part_size}, {options}, ")?;
        write!(f, "{concurrency} workers, objects {:?} (standing {:?}), ", self.objects, self.standing)?;
        write!(
            f,
            "faults {:?} until {:?}, rotten {}, acts {:?}",
            self.rough, self.calm, self.rotten, self.acts
        )
    }
}

impl Scenario {
    /// What this seed means.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = Seed(seed).rng("scenario");
        let part_size = [64, 100, 256, 500][rng.usize(0..4)];
        let count = rng.usize(1..=5);
        let objects: Vec<_> = (0..count).map(|n| object(&mut rng, n, part_size as usize)).collect();
        let standing = objects.iter().map(|_| rng.u8(0..5) == 0).collect();
        let rough = roughness(&mut rng);
        let calm = Duration::from_millis(between(&mut rng, 50, 3_600_000));
        let acts = acts(&mut rng, count);
        let destination = DESTINATIONS[rng.usize(0..DESTINATIONS.len())];
        Self {
            seed,
            destination,
            part_size,
            versioning: [versioning(&mut rng), versioning(&mut rng)],
            options: alone(seed, part_size, options(&mut rng)),
            concurrency: [1, 2, 3, 8, 64][rng.usize(0..5)],
            objects,
            standing,
            rough,
            rotten: rng.u8(0..4) == 0 && knows_checksum(destination),
            calm,
            acts,
        }
    }

    /// Whether workers' memories flip bits.
    #[must_use]
    pub fn is_rotten(&self) -> bool {
        self.rotten
    }

    /// Whether bytes may be damaged on their way from the source to the part that is sent.
    pub(super) fn knows_checksum(&self) -> bool {
        knows_checksum(self.destination)
    }

    pub(super) fn builder(&self) -> Builder {
        let (location, capabilities) = destination(self.destination);
        World::builder(self.seed)
            .part_size(self.part_size)
            .versioning(self.versioning[0], self.versioning[1])
            .destination(location, capabilities)
            .options(self.options.clone())
            .concurrency(self.concurrency)
    }
}

/// A number between the two, each order of magnitude as likely as the others.
fn between(rng: &mut Rng, low: u64, high: u64) -> u64 {
    let (low, high) = ((low as f64).ln(), (high as f64).ln());
    (low + rng.f64() * (high - low)).exp() as u64
}

fn object(rng: &mut Rng, n: usize, part: usize) -> (String, usize) {
    let near = part * rng.usize(1..=8);
    let size = match rng.u8(0..6) {
        0 => rng.usize(0..=2),
        1 => near - 1,
        2 => near,
        3 => near + 1,
        _ => rng.usize(0..part * 9),
    };
    (format!("{}{n}", KEYS[rng.usize(0..KEYS.len())]), size)
}

fn roughness(rng: &mut Rng) -> [f64; 3] {
    let mut one = || [0.0, 0.01, 0.05, 0.2][rng.usize(0..4)];
    [one(), one(), one()]
}

fn versioning(rng: &mut Rng) -> Versioning {
    if rng.bool() { Versioning::Enabled } else { Versioning::Off }
}

fn options(rng: &mut Rng) -> Value {
    let mut options = json!({
        "rounds": rng.u32(1..=4),
        "partsInFlight": rng.u32(1..=3),
        "maxConcurrency": rng.u32(1..=8),
        "backoffSeconds": rng.u32(1..=10),
    });
    match rng.u8(0..8) {
        0 => options["overwrite"] = json!("always"),
        1 => options["overwrite"] = json!("never"),
        2 => options["copyTags"] = json!(false),
        _ => {}
    }
    options
}

/// Some days one worker sends all parts of an object. Drawn apart from the rest, which a seed goes on meaning.
fn alone(seed: u64, part_size: u64, mut options: Value) -> Value {
    let mut rng = Seed(seed).rng("one worker");
    match rng.u8(0..8) {
        0 => options["singleWorkerLimit"] = json!(part_size * 3),
        1 => options["singleWorkerLimit"] = json!(1 << 30),
        _ => {}
    }
    options
}

fn destination(name: &str) -> (Value, Capabilities) {
    let aws = Capabilities::default();
    let bare = Capabilities {
        crc64nvme: false,
        checksums: false,
        trailers: false,
        conditional_writes: false,
        ..Capabilities::default()
    };
    match name {
        "forgetful" => (json!({}), Capabilities { no_such_upload_after_complete: true, ..aws }),
        "md5" => (json!({"profile": "generic", "etag_md5": true}), bare),
        "r2" => (json!({"profile": "r2", "etag_md5": true}), Capabilities { equal_parts: true, ..bare }),
        "crc32" => (
            json!({"profile": "generic", "checksums": ["CRC32"], "conditional_writes": true}),
            Capabilities { crc64nvme: false, trailers: false, ..aws },
        ),
        _ => (json!({}), aws),
    }
}

/// Whether the destination's checksum of the whole object can be held against the source's, which is CRC64NVME: elsewhere
/// nothing tells of a bit that was flipped before its part was hashed, but a second reading.
fn knows_checksum(destination: &str) -> bool {
    matches!(destination, "aws" | "forgetful")
}

fn acts(rng: &mut Rng, objects: usize) -> Vec<(Duration, Act)> {
    let count = [0, 0, 1, 2, 4][rng.usize(0..5)];
    let mut acts: Vec<_> = (0..count)
        .map(|_| (Duration::from_millis(between(rng, 1, 1_800_000)), Act::draw(rng, objects)))
        .collect();
    acts.sort_by_key(|(at, _)| *at);
    acts
}
