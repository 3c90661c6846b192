//! The flags that say how a transfer is done: wire's options, one flag each.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use transload_plan::{LEAST_BANDWIDTH, Window};
use transload_wire::{Encryption, Options, Overwrite, Verify};

use crate::thaw::ThawFlags;
use crate::units::{self, parse_rate, parse_size};

/// Flags of `copy`. What is not given keeps the workflow's default.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How it is done")]
pub(crate) struct OptionFlags {
    /// Bytes of a part, such as 8MiB [default: the location's, grown to what the object needs]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    part_size: Option<u64>,
    /// Objects up to this size are sent whole by one worker [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    whole_object_limit: Option<u64>,
    /// Objects up to this size that are sent in parts are sent by one worker, without a Map Run [default: 0; of many objects 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    single_worker_limit: Option<u64>,
    /// Workers at a time [default: two per processor, at least 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_concurrency: Option<u32>,
    /// Parts that one worker sends at a time [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    parts_in_flight: Option<u32>,
    /// Rounds over what is missing before the transfer is parked for `redrive` [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Seconds before the second round; doubles with each round up to 300 [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    backoff_seconds: Option<u32>,
    /// When an existing destination is replaced [default: if-different]
    #[arg(long, value_enum, value_name = "WHEN")]
    overwrite: Option<OverwriteFlag>,
    /// Cut the parts where the source was cut, so that the ETag is the same
    #[arg(long)]
    preserve_etag: bool,
    /// Pay for reading the source
    #[arg(long)]
    requester_pays: bool,
    /// Storage class at the destination [default: the source's]
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,
    /// Encryption at the destination [default: the bucket's]
    #[arg(long, value_enum, value_name = "TYPE")]
    encryption: Option<EncryptionFlag>,
    /// Key for `--encryption kms`: ARN, id or alias
    #[arg(long, value_name = "KEY", requires = "encryption")]
    kms_key_id: Option<String>,
    /// One bucket key for many objects, with `--encryption kms`
    #[arg(long, requires = "encryption")]
    bucket_key: bool,
    /// User metadata in place of the source's; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// Tag in place of the source's; may be repeated
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = pair)]
    tags: Vec<(String, String)>,
    /// Do not read or set tags
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,
    /// Read a source that tells no checksum twice, and send only what is the same both times
    #[arg(long)]
    read_back: bool,
    #[command(flatten)]
    thaw: ThawFlags,
    /// Only objects whose user metadata match, with `*` and `?`; may be repeated, then all have to
    #[arg(long, value_name = "NAME=PATTERN", value_parser = pair)]
    metadata_filter: Vec<(String, String)>,
    /// Most bytes per second of all workers together, such as 20MB/s or 100Mbit/s, at least 128KiB/s [default: no limit]
    #[arg(long, value_name = "RATE", value_parser = bandwidth)]
    bandwidth: Option<u64>,
    /// When bytes may begin to move, such as 22:00-06:00+08:00 or "sat,sun 00:00-24:00" (UTC without an offset) [default: always]
    #[arg(long, value_name = "WINDOW")]
    window: Option<Window>,
}

/// When an existing destination is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OverwriteFlag {
    /// Unless it already holds this very version of the source
    IfDifferent,
    /// Even when it holds the same
    Always,
    /// An existing destination is an error
    Never,
}

/// Who holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EncryptionFlag {
    /// Keys of S3
    Aes256,
    /// The Key Management Service
    Kms,
}

/// Says why nothing moves, where a window is closed.
pub(crate) fn tell_window(options: &Options) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let closed = |window: &Window| window.opens_in(u64::try_from(now).unwrap_or(u64::MAX));
    if let Some((window, wait)) = options.window.as_ref().and_then(|w| Some((w, closed(w)?))) {
        eprintln!("the window {window} opens in {}", units::time(Duration::from_secs(wait)));
    }
}

fn bandwidth(text: &str) -> Result<u64, String> {
    match parse_rate(text)? {
        found if found < LEAST_BANDWIDTH => Err(format!("expected at least 128KiB/s, found {text}")),
        found => Ok(found),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("expected NAME=VALUE, found {text:?}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Two workers per processor keep it busy while the network is waited for.
pub(crate) fn default_concurrency() -> u32 {
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    u32::try_from(processors).map_or(u32::MAX, |n| n.saturating_mul(2)).clamp(4, 64)
}

impl OptionFlags {
    /// As the execution's input has them.
    ///
    /// # Errors
    /// A name that is given twice.
    pub(crate) fn resolve(self) -> Result<Options, String> {
        let defaults = Options::default();
        let (archived, thaw) = self.thaw.resolve();
        Ok(Options {
            part_size: self.part_size,
            whole_object_limit: self.whole_object_limit.unwrap_or(defaults.whole_object_limit),
            single_worker_limit: self.single_worker_limit,
            max_concurrency: self.max_concurrency.unwrap_or_else(default_concurrency),
            parts_in_flight: self.parts_in_flight.unwrap_or(defaults.parts_in_flight),
            rounds: self.rounds.unwrap_or(defaults.rounds),
            backoff_seconds: self.backoff_seconds.unwrap_or(defaults.backoff_seconds),
            overwrite: self.overwrite.map_or(defaults.overwrite, OverwriteFlag::resolve),
            preserve_etag: self.preserve_etag,
            requester_pays: self.requester_pays,
            encryption: encryption(self.encryption, self.kms_key_id, self.bucket_key)?,
            storage_class: self.storage_class,
            metadata: unique("--metadata", self.metadata)?,
            tags: unique("--tag", self.tags)?,
            copy_tags: !self.no_tags,
            verify: if self.read_back { Verify::ReadBack } else { Verify::Once },
            metadata_filter: unique("--metadata-filter", self.metadata_filter)?,
            bandwidth: self.bandwidth,
            window: self.window,
            archived,
            thaw,
            // Whether deletions are followed is a flag of `copy` alone.
            ..defaults
        })
    }
}

impl OverwriteFlag {
    fn resolve(self) -> Overwrite {
        match self {
            Self::IfDifferent => Overwrite::IfDifferent,
            Self::Always => Overwrite::Always,
            Self::Never => Overwrite::Never,
        }
    }
}

fn encryption(
    kind: Option<EncryptionFlag>,
    key_id: Option<String>,
    bucket_key: bool,
) -> Result<Option<Encryption>, String> {
    match kind {
        Some(EncryptionFlag::Aes256) if key_id.is_some() || bucket_key => {
            Err("--kms-key-id, --bucket-key: expected with --encryption kms, found with aes256".to_owned())
        }
        Some(EncryptionFlag::Aes256) => Ok(Some(Encryption::S3)),
        Some(EncryptionFlag::Kms) => Ok(Some(Encryption::Kms { key_id, bucket_key })),
        None => Ok(None),
    }
}

fn unique(flag: &str, pairs: Vec<(String, String)>) -> Result<Option<BTreeMap<String, String>>, String> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), value).is_some() {
            return Err(format!("{flag}: expected each name once, found {name:?} twice"));
        }
    }
    Ok(Some(map).filter(|map| !map.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::OptionFlags;
    use clap::Parser;
    use transload_wire::{Encryption, Options, Overwrite, Thaw, Tier, Verify, WhenArchived};

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        flags: OptionFlags,
    }

    fn resolve(args: &[&str]) -> Result<Options, String> {
        let args = std::iter::once("transload").chain(args.iter().copied());
        Flags::try_parse_from(args).map_err(|e| e.to_string())?.flags.resolve()
    }

    #[test]
    fn without_flags_the_workflows_defaults_hold() {
        let expected = Options { max_concurrency: super::default_concurrency(), ..Options::default() };
        assert_eq!(resolve(&[]).unwrap(), expected);
    }

    #[test]
    fn each_flag_reaches_its_field() {
        let args = "--part-size 6MiB --whole-object-limit 1MB --single-worker-limit 64MiB --max-concurrency 3 --parts-in-flight 4 --rounds 2 \
                    --backoff-seconds 7 --overwrite never --preserve-etag --requester-pays --storage-class STANDARD_IA \
                    --encryption kms --kms-key-id alias/k --bucket-key --metadata a=b=c --tag t= --read-back --thaw --thaw-tier bulk --thaw-days 7 --thaw-hours 100 --metadata-filter team=map* --bandwidth 100Mbit/s --window 22:00-06:00+08:00";
        let found = resolve(&args.split_whitespace().collect::<Vec<_>>()).unwrap();
        let expected = Options {
            part_size: Some(6 << 20),
            whole_object_limit: 1_000_000,
            single_worker_limit: Some(64 << 20),
            max_concurrency: 3,
            parts_in_flight: 4,
            rounds: 2,
            backoff_seconds: 7,
            overwrite: Overwrite::Never,
            preserve_etag: true,
            requester_pays: true,
            storage_class: Some("STANDARD_IA".into()),
            encryption: Some(Encryption::Kms { key_id: Some("alias/k".into()), bucket_key: true }),
            metadata: Some([("a".to_owned(), "b=c".to_owned())].into()),
            tags: Some([("t".to_owned(), String::new())].into()),
            copy_tags: true,
            verify: Verify::ReadBack,
            archived: WhenArchived::Thaw,
            thaw: Some(Thaw { tier: Tier::Bulk, days: 7, deadline_hours: 100 }),
            metadata_filter: Some([("team".to_owned(), "map*".to_owned())].into()),
            bandwidth: Some(12_500_000),
            window: Some("22:00-06:00+08:00".parse().unwrap()),
            ..Options::default()
        };
        assert_eq!(found, expected);
        assert!(!resolve(&["--no-tags"]).unwrap().copy_tags);
    }

    #[test]
    fn wrong_flags_are_named() {
        let rows: [(&[&str], &str); 9] = [
            (&["--part-size", "8 parsecs"], "8 parsecs"),
            (&["--rounds", "0"], "1..=100"),
            (&["--metadata", "novalue"], "NAME=VALUE"),
            (&["--thaw-days", "3"], "--thaw"),
            (&["--bandwidth", "100KiB/s"], "at least 128KiB/s"),
            (&["--window", "night"], "a window such as"),
            (&["--tag", "a=1", "--tag", "a=2"], "\"a\" twice"),
            (&["--kms-key-id", "k"], "--encryption"),
            (&["--encryption", "aes256", "--bucket-key"], "found with aes256"),
        ];
        for (args, expected) in rows {
            let found = resolve(args).unwrap_err();
            assert!(found.contains(expected), "{args:?}: {found}");
        }
    }
}
