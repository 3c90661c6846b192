//! From a location as it is written to settings that make sense together. Refusals name the field.

use std::time::Duration;

use http::Uri;
use transload_plan::Limits;
use transload_wire::{ChecksumAlgorithm, ErrorName, Failure};

use super::{CredentialsConfig, LimitsConfig, Location, Partition, PatienceConfig};
use crate::keys::Issued;
use crate::s3::{Capabilities, CredentialsSource, Patience, S3Settings};

impl Location {
    /// The settings of the store.
    ///
    /// # Errors
    /// `InputInvalid`; the message begins with the field.
    pub fn settings(&self, name: &str) -> Result<S3Settings, Failure> {
        self.check_no_files()?;
        let host =
            self.endpoint.as_deref().map(|endpoint| check_endpoint(endpoint, self.allow_http)).transpose()?;
        self.check_partition(host.as_deref())?;
        check_owner(self.expected_bucket_owner.as_deref())?;
        check_user_agent(self.user_agent.as_deref())?;
        let partition = self.resolved_partition(host.as_deref());
        Ok(S3Settings {
            name: name.to_owned(),
            partition,
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
            path_style: self.path_style,
            expected_bucket_owner: self.expected_bucket_owner.clone(),
            credentials: self.source(name, partition)?,
            capabilities: self.capabilities()?,
            patience: patience(&self.patience)?,
            user_agent: self.user_agent.clone(),
        })
    }

    /// Region, endpoint and partition have to agree. A store that is not of AWS names its Regions as it likes.
    fn check_partition(&self, host: Option<&str>) -> Result<(), Failure> {
        let of_host = host.and_then(Partition::of_host);
        let expected = self.partition.or(of_host);
        if let (Some(partition), Some(of_host)) = (self.partition, of_host)
            && partition != of_host
        {
            let found = self.endpoint.as_deref().unwrap_or_default();
            return refuse("endpoint", format!("a host of partition {}", partition.as_str()), found);
        }
        let Some(region) = &self.region else { return Ok(()) };
        let elsewhere = host.is_some() && of_host.is_none();
        match (Partition::of_region(region), expected) {
            (Some(found), Some(expected)) if found != expected => {
                refuse("region", format!("a Region of partition {}", expected.as_str()), region)
            }
            (None, Some(expected)) => {
                refuse("region", format!("a Region of partition {}", expected.as_str()), region)
            }
            (None, None) if !elsewhere => {
                refuse("region", "a Region of AWS (or an endpoint)".to_owned(), region)
            }
            (None, None) if !is_word(region, 64) => {
                refuse("region", "1 to 64 letters, digits and hyphens".to_owned(), region)
            }
            _ => Ok(()),
        }
    }

    /// As it is written, else as host and Region tell. A store that is not of AWS may name its Region as AWS does.
    pub(super) fn resolved_partition(&self, host: Option<&str>) -> Option<Partition> {
        let of_region = || self.region.as_deref().filter(|_| host.is_none()).and_then(Partition::of_region);
        self.partition.or_else(|| host.map_or_else(of_region, Partition::of_host))
    }

    fn source(&self, name: &str, partition: Option<Partition>) -> Result<CredentialsSource, Failure> {
        Ok(match &self.credentials {
            CredentialsConfig::Default => CredentialsSource::Default,
            CredentialsConfig::Profile(name) => CredentialsSource::Profile(name.clone()),
            CredentialsConfig::Environment(prefix) => CredentialsSource::Environment(prefix.clone()),
            CredentialsConfig::File(path, profile) => CredentialsSource::File(path.clone(), profile.clone()),
            CredentialsConfig::Issued(issuer) => {
                let fits = issuer.fits(partition, self.region.as_deref());
                fits.map_err(|message| ErrorName::InputInvalid.because(message).at("credentials"))?;
                let (location, region) = (name.to_owned(), self.region.clone());
                CredentialsSource::Issued(Issued { location, region, issuer: issuer.clone() })
            }
        })
    }

    fn capabilities(&self) -> Result<Capabilities, Failure> {
        let profile = self.profile.capabilities();
        let checksums = self.checksums.clone().unwrap_or(profile.checksums);
        let told = ChecksumAlgorithm::Crc64Xz;
        let covers =
            |found: &ChecksumAlgorithm| ChecksumAlgorithm::COMBINABLE.contains(found) || *found == told;
        if let Some(found) = checksums.iter().find(|found| !covers(found)) {
            let expected =
                "checksums that cover whole objects (CRC64NVME, CRC32C, CRC32; or CRC64XZ)".to_owned();
            return refuse("checksums", expected, found.as_str());
        }
        let trailers = self.trailers.unwrap_or(profile.trailers);
        if checksums.contains(&told) && (checksums.len() > 1 || trailers) {
            let expected =
                "CRC64XZ alone and without trailers, for it is told by the store and never sent to it";
            let found = if trailers { "trailers = true" } else { "others beside it" };
            return refuse("checksums", expected.to_owned(), found);
        }
        let limits = limits(&self.limits, profile.limits);
        limits.check().map_err(|error| ErrorName::InputInvalid.because(error.to_string()).at("limits"))?;
        Ok(Capabilities {
            limits,
            checksums,
            trailers,
            conditional_writes: self.conditional_writes.unwrap_or(profile.conditional_writes),
            etag_md5: self.etag_md5.unwrap_or(profile.etag_md5),
        })
    }
}

fn refuse<T>(field: &str, expected: String, found: &str) -> Result<T, Failure> {
    let found: String = found.chars().take(200).collect();
    Err(ErrorName::InputInvalid.because(format!("{field}: expected {expected}, found {found:?}")))
}

/// The host of an endpoint: `https://host[:port]` and nothing else.
fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<String, Failure> {
    let expected = || "a URL such as https://s3.example.com".to_owned();
    // Not repeated: what stands before an @ may be a password.
    if endpoint.contains('@') {
        return refuse("endpoint", "a URL without user or password".to_owned(), "one with @");
    }
    let Ok(url) = endpoint.parse::<Uri>() else { return refuse("endpoint", expected(), endpoint) };
    let Some(host) = url.host().filter(|host| !host.is_empty()) else {
        return refuse("endpoint", expected(), endpoint);
    };
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if allow_http => {}
        Some("http") => {
            return refuse("endpoint", "https (or allow_http = true beside it)".to_owned(), endpoint);
        }
        _ => return refuse("endpoint", expected(), endpoint),
    }
    if url.query().is_some() || !matches!(url.path(), "" | "/") {
        return refuse("endpoint", "a URL without path and query".to_owned(), endpoint);
    }
    Ok(host.to_owned())
}

fn check_owner(owner: Option<&str>) -> Result<(), Failure> {
    match owner {
        Some(found) if found.len() != 12 || !found.bytes().all(|b| b.is_ascii_digit()) => {
            refuse("expected_bucket_owner", "an account id of 12 digits".to_owned(), found)
        }
        _ => Ok(()),
    }
}

fn check_user_agent(word: Option<&str>) -> Result<(), Failure> {
    match word {
        Some(found) if aws_types::app_name::AppName::new(found.to_owned()).is_err() || found.is_empty() => {
            refuse("user_agent", "letters, digits and !#$%&'*+-.^_`|~".to_owned(), found)
        }
        _ => Ok(()),
    }
}

fn is_word(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

pub(super) fn limits(config: &LimitsConfig, profile: Limits) -> Limits {
    Limits {
        max_object: config.max_object.unwrap_or(profile.max_object),
        min_part: config.min_part.unwrap_or(profile.min_part),
        max_part: config.max_part.unwrap_or(profile.max_part),
        max_parts: config.max_parts.unwrap_or(profile.max_parts),
        default_part: config.default_part.unwrap_or(profile.default_part),
        equal_parts: config.equal_parts.unwrap_or(profile.equal_parts),
    }
}

pub(super) fn patience(config: &PatienceConfig) -> Result<Patience, Failure> {
    let default = Patience::default();
    let seconds = |field: &str, found: Option<f64>, default: Duration| match found {
        None => Ok(default),
        // An hour is longer than any worker lives.
        Some(found) if (0.001..=3_600.0).contains(&found) => Ok(Duration::from_secs_f64(found)),
        Some(found) => {
            refuse(&format!("patience.{field}"), "0.001 to 3600 seconds".to_owned(), &found.to_string())
        }
    };
    let tries = config.tries.unwrap_or(default.tries);
    if !(1..=10).contains(&tries) {
        return refuse("patience.tries", "1 to 10".to_owned(), &tries.to_string());
    }
    Ok(Patience {
        connect: seconds("connect_seconds", config.connect_seconds, default.connect)?,
        stall: seconds("stall_seconds", config.stall_seconds, default.stall)?,
        answer: seconds("answer_seconds", config.answer_seconds, default.answer)?,
        complete: seconds("complete_seconds", config.complete_seconds, default.complete)?,
        tries,
    })
}
