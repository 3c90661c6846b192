//! Where a service of AWS is: by partition and Region, or as the environment says.

use std::net::IpAddr;

use http::Uri;

use super::Unread;
use crate::StoreErrorKind as Kind;
use crate::location::Partition;

/// A service of AWS that is asked with a request of our own. The functions know the first three, which keep or issue
/// credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Secrets Manager.
    SecretsManager,
    /// The Parameter Store of Systems Manager.
    Parameters,
    /// The Security Token Service.
    Tokens,
    /// CloudFormation.
    Stacks,
    /// Lambda.
    Functions,
    /// EventBridge.
    Events,
    /// Service Quotas.
    Quotas,
}

impl Service {
    /// Name in hosts and in signatures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::Parameters => "ssm",
            Self::Tokens => "sts",
            Self::Stacks => "cloudformation",
            Self::Functions => "lambda",
            Self::Events => "events",
            Self::Quotas => "servicequotas",
        }
    }

    /// The variables of the AWS tools that override its endpoint, the first one first.
    fn variables(self) -> [&'static str; 2] {
        let own = match self {
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            Self::Parameters => "AWS_ENDPOINT_URL_SSM",
            Self::Tokens => "AWS_ENDPOINT_URL_STS",
            Self::Stacks => "AWS_ENDPOINT_URL_CLOUDFORMATION",
            Self::Functions => "AWS_ENDPOINT_URL_LAMBDA",
            Self::Events => "AWS_ENDPOINT_URL_EVENTBRIDGE",
            Self::Quotas => "AWS_ENDPOINT_URL_SERVICE_QUOTAS",
        };
        [own, "AWS_ENDPOINT_URL"]
    }

    /// The regional endpoint. `variable` reads the environment.
    pub(super) fn endpoint(
        self,
        partition: Partition,
        region: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Unread> {
        let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|text| text == "true");
        for name in self.variables().into_iter().filter(|_| !ignored) {
            if let Some(url) = variable(name).filter(|url| !url.is_empty()) {
                return check(name, url);
            }
        }
        Ok(format!("https://{}.{region}.{}", self.name(), domain(partition)))
    }
}

fn domain(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws | Partition::AwsUsGov => "amazonaws.com",
        Partition::AwsCn => "amazonaws.com.cn",
        Partition::AwsEusc => "amazonaws.eu",
    }
}

/// Secrets travel here: in the clear only within this machine.
fn check(name: &str, url: String) -> Result<String, Unread> {
    let parsed = url.parse::<Uri>().ok().filter(|_| !url.contains('@'));
    let host = parsed.as_ref().and_then(Uri::host).unwrap_or_default();
    match parsed.as_ref().and_then(Uri::scheme_str) {
        Some("https") => Ok(url.trim_end_matches('/').to_owned()),
        Some("http") if is_loopback(host) => Ok(url.trim_end_matches('/').to_owned()),
        _ => Err(Unread::new(
            Kind::InvalidRequest,
            format!("{name}: expected https://HOST (or http:// on loopback), found another URL"),
        )),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Service;
    use crate::location::Partition;

    fn at(
        service: Service,
        partition: Partition,
        region: &str,
        set: &[(&str, &str)],
    ) -> Result<String, String> {
        let variable =
            |name: &str| set.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned());
        service.endpoint(partition, region, variable).map_err(|error| error.to_string())
    }

    #[test]
    fn every_partition_has_its_domain() {
        for (service, partition, region, expected) in [
            (
                Service::SecretsManager,
                Partition::Aws,
                "eu-west-1",
                "https://secretsmanager.eu-west-1.amazonaws.com",
            ),
            (Service::Parameters, Partition::AwsCn, "cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn"),
            (
                Service::Tokens,
                Partition::AwsUsGov,
                "us-gov-west-1",
                "https://sts.us-gov-west-1.amazonaws.com",
            ),
            (
                Service::Tokens,
                Partition::AwsEusc,
                "eusc-de-east-1",
                "https://sts.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            assert_eq!(at(service, partition, region, &[]).unwrap(), expected);
        }
    }

    #[test]
    fn variables_override_and_http_stays_on_this_machine() {
        let sts = |set: &[(&str, &str)]| at(Service::Tokens, Partition::Aws, "us-east-1", set);
        let (own, all) = ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL");
        assert_eq!(sts(&[(own, "http://127.0.0.1:1/"), (all, "https://b")]).unwrap(), "http://127.0.0.1:1");
        assert_eq!(sts(&[(all, "https://proxy.example.com")]).unwrap(), "https://proxy.example.com");
        assert_eq!(sts(&[(all, "http://[::1]:2")]).unwrap(), "http://[::1]:2");
        let ignored = sts(&[(own, "http://127.0.0.1:1"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
        assert_eq!(ignored.unwrap(), "https://sts.us-east-1.amazonaws.com");
        for url in
            ["http://sts.example.com", "ftp://127.0.0.1", "127.0.0.1:1", "http://127.0.0.1@evil.example"]
        {
            assert!(
                sts(&[(own, url)]).unwrap_err().starts_with("AWS_ENDPOINT_URL_STS: expected https"),
                "{url}"
            );
        }
    }
}
