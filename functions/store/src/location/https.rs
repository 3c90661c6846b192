//! What a deployment lets URLs lead to, and how they are read. It stands beside the locations: no request can change it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use transload_wire::{ErrorName, Failure};

use super::PatienceConfig;
use super::check::patience;
use crate::http::{Guard, Settings};

/// The table `https`. Everything has a default: public addresses over `https`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpsConfig {
    /// Hosts, as they stand in URLs, that may be at private addresses. Link-local addresses and those of metadata services
    /// are refused even so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub private_hosts: Vec<String>,
    /// Hosts that may be read over plain `http`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http_hosts: Vec<String>,
    /// A file of certificates (PEM) that are trusted beside the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// How long is waited for what.
    pub patience: PatienceConfig,
}

impl HttpsConfig {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let hosts = |field: &str, hosts: &[String]| {
            let host = |host: &String| {
                // As URLs write it, or it would never be found.
                let same = format!("https://{host}/").parse::<transload_wire::Url>();
                let same = same.is_ok_and(|url| url.host().to_string() == *host && url.path() == "/");
                let message =
                    format!("{field}: expected hosts in lower case, without port and path, found {host:?}");
                if same { Ok(host.clone()) } else { Err(ErrorName::InputInvalid.because(message)) }
            };
            hosts.iter().map(host).collect::<Result<Vec<_>, _>>()
        };
        Ok(Settings {
            guard: Guard {
                private_hosts: hosts("private_hosts", &self.private_hosts)?,
                http_hosts: hosts("http_hosts", &self.http_hosts)?,
            },
            ca_file: self.ca_file.clone(),
            patience: patience(&self.patience)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::location::ConfiguredStores;

    #[test]
    fn hosts_stand_as_urls_write_them() {
        let read =
            |text: &str| ConfiguredStores::from_toml(text).map(drop).map_err(|failure| failure.message);
        assert_eq!(read("[https]\nprivate_hosts = [\"10.0.0.5\", \"[::1]\", \"files.internal\"]"), Ok(()));
        for (host, field) in [
            ("Files", "http_hosts"),
            ("a.example:80", "http_hosts"),
            ("a/b", "private_hosts"),
            ("", "private_hosts"),
        ] {
            let refused = read(&format!("[https]\n{field} = [{host:?}]")).unwrap_err();
            assert!(refused.starts_with(&format!("https.{field}: expected hosts")), "{refused}");
        }
        assert!(read("[https]\nallow = true").unwrap_err().contains("https.allow"));
    }
}
