//! Partitions of AWS, and which Regions and hosts are theirs. Accounts, credentials and ARNs end at a partition's border.

use serde::{Deserialize, Serialize};

/// A partition of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Partition {
    /// The global one.
    #[serde(rename = "aws")]
    Aws,
    /// China.
    #[serde(rename = "aws-cn")]
    AwsCn,
    /// GovCloud (US).
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
    /// The European sovereign cloud.
    #[serde(rename = "aws-eusc")]
    AwsEusc,
}

/// Areas that begin the names of Regions, as the SDK's own table of partitions has them.
const GLOBAL_AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];

impl Partition {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The partition of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Aws, Self::AwsCn, Self::AwsUsGov, Self::AwsEusc]
            .into_iter()
            .find(|found| found.as_str() == name)
    }

    /// The partition of a Region, by the form of its name; `None` for a name of no partition.
    #[must_use]
    pub fn of_region(region: &str) -> Option<Self> {
        let words: Vec<&str> = region.split('-').collect();
        let number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let place = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        match words.as_slice() {
            ["us", "gov", p, n] if place(p) && number(n) => Some(Self::AwsUsGov),
            ["cn", p, n] if place(p) && number(n) => Some(Self::AwsCn),
            ["eusc", a, p, n] if place(a) && place(p) && number(n) => Some(Self::AwsEusc),
            [area, p, n] if GLOBAL_AREAS.contains(area) && place(p) && number(n) => Some(Self::Aws),
            _ => None,
        }
    }

    /// The partition whose domain a host is of; `None` for a host that is not of AWS.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let of = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
        if of("amazonaws.com.cn") {
            return Some(Self::AwsCn);
        }
        if of("amazonaws.eu") {
            return Some(Self::AwsEusc);
        }
        // GovCloud shares the global domain; the Region in the host tells them apart.
        of("amazonaws.com").then(|| if host.contains("us-gov-") { Self::AwsUsGov } else { Self::Aws })
    }
}
