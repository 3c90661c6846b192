//! What a deployment lets URLs lead to. The addresses of a name are judged in the resolver that the connection is made
//! with, so what was judged is what is connected to; a second look-up could tell another address.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use transload_wire::{Host, Url};

use super::address::{Reach, reach};

/// Hosts with leave to be what others may not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    /// May be at private addresses.
    pub(crate) private_hosts: Vec<String>,
    /// May be read over plain `http`.
    pub(crate) http_hosts: Vec<String>,
}

/// A refusal. It names hosts and addresses, never a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forbidden(pub(crate) String);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Forbidden {}

impl Guard {
    /// Refuses a URL by what it says itself. Names are judged when they are resolved.
    pub(crate) fn vet(&self, url: &Url) -> Result<(), Forbidden> {
        let host = url.host().to_string();
        if !url.is_https() && !self.http_hosts.contains(&host) {
            return Err(Forbidden(format!("expected https, found http (host {host})")));
        }
        match url.host() {
            Host::Address(address) => self.judge(&host, &[*address]),
            Host::Name(_) => Ok(()),
        }
    }

    /// One address that is not allowed refuses the whole name: which of them is connected to is left to chance.
    fn judge(&self, host: &str, addresses: &[IpAddr]) -> Result<(), Forbidden> {
        let leave = self.private_hosts.iter().any(|allowed| allowed == host);
        let allowed = |address: &&IpAddr| match reach(**address) {
            Reach::Public => true,
            Reach::Private => leave,
            Reach::Never => false,
        };
        match addresses.iter().find(|address| !allowed(address)) {
            None => Ok(()),
            Some(found) => Err(Forbidden(format!("expected a public address of host {host}, found {found}"))),
        }
    }
}

/// Resolves names as the system does, and gives out only addresses that may be connected to.
#[derive(Debug, Clone)]
pub(crate) struct Resolver(pub(crate) Arc<Guard>);

impl Resolver {
    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, ResolveDnsError> {
        let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
        let addresses: Vec<IpAddr> = found.map(|address: SocketAddr| address.ip()).collect();
        // The connector hands over the host of the URL, which is in lower case.
        self.0.judge(name, &addresses).map_err(ResolveDnsError::new)?;
        Ok(addresses)
    }
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(self.resolve(name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Guard, Resolver};

    fn guard() -> Guard {
        Guard {
            private_hosts: vec![
                "files.internal".into(),
                "10.0.0.5".into(),
                "169.254.169.254".into(),
                "localhost".into(),
            ],
            http_hosts: vec!["files.internal".into()],
        }
    }

    #[test]
    fn literal_addresses_are_vetted_before_anything_is_connected() {
        let vet = |text: &str| guard().vet(&text.parse().unwrap()).map_err(|refused| refused.0);
        for refused in [
            "https://169.254.169.254/latest/meta-data/",
            "https://[::ffff:169.254.169.254]/",
            "https://[fd00:ec2::254]/",
            "https://127.0.0.1/",
            "https://10.0.0.6/",
            "https://0.0.0.0/",
            "https://[::1]/",
        ] {
            assert!(vet(refused).unwrap_err().starts_with("expected a public address"), "{refused}");
        }
        assert!(
            vet("http://example.com/?TOPSECRET").unwrap_err()
                == "expected https, found http (host example.com)"
        );
        for allowed in
            ["https://10.0.0.5/", "http://files.internal/", "https://example.com/", "https://1.1.1.1/"]
        {
            assert_eq!(vet(allowed), Ok(()), "{allowed}");
        }
    }

    #[test]
    fn one_forbidden_address_refuses_the_whole_name() {
        let judge = |host: &str, all: &[&str]| {
            let all: Vec<_> = all.iter().map(|text| text.parse().unwrap()).collect();
            guard().judge(host, &all).is_ok()
        };
        assert!(judge("example.com", &["1.1.1.1", "2606:4700::1"]));
        assert!(!judge("example.com", &["1.1.1.1", "10.0.0.5"]));
        assert!(judge("files.internal", &["1.1.1.1", "10.0.0.5"]));
        assert!(!judge("files.internal", &["1.1.1.1", "169.254.169.254"]), "no leave is enough for that");
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused_without_leave() {
        let resolve = async |guard: Guard| Resolver(guard.into()).resolve("localhost").await;
        let refused = resolve(Guard::default()).await.unwrap_err();
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.starts_with("expected a public address of host localhost"), "{cause}");
        assert!(!resolve(guard()).await.unwrap().is_empty());
    }
}
