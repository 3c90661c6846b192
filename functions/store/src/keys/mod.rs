//! Credentials that AWS keeps or issues: a secret, a parameter, a role, a role in another partition.
//!
//! They are asked for with the function's own credentials, in its own Region and partition. Whoever holds them keeps
//! them; here they are read each time. What can not be read is told by the names of location and place, never a value.

pub mod account;
mod endpoint;
mod held;
mod http;
mod issuer;
mod json;
mod own;
mod roles;
mod unread;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::region::Region;

use held::Held;
pub use issuer::Issuer;
pub(crate) use issuer::WebIdentityTable;
use own::Own;
pub(crate) use unread::Unread;

/// A location's credentials, as AWS keeps or issues them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The location's name, for messages.
    pub location: String,
    /// The location's Region: a token is exchanged there, and a secret must not name another.
    pub region: Option<String>,
    /// Who has them.
    pub issuer: Issuer,
}

/// The text that AWS keeps under a name. A secret.
pub(crate) async fn held_text(issuer: &Issuer) -> Result<String, Unread> {
    let own = Own::of_process().await?;
    let held = match issuer {
        Issuer::Secret(name) => json::secret(&own, name).await,
        Issuer::Parameter(name) => json::parameter(&own, name).await,
        Issuer::Role { .. } | Issuer::WebIdentity { .. } => {
            Err(Unread::refused("expected a secret or a parameter, found a role"))
        }
    };
    held.map(Held::into_text).map_err(|error| error.at(&issuer.to_string()))
}

impl Issued {
    async fn read(&self, own: &Own) -> Result<Credentials, Unread> {
        match &self.issuer {
            Issuer::Secret(name) => held::parse(&json::secret(own, name).await?, self.region.as_deref()),
            Issuer::Parameter(name) => {
                held::parse(&json::parameter(own, name).await?, self.region.as_deref())
            }
            Issuer::Role { role, external_id } => roles::assume(own, role, external_id.as_deref()).await,
            Issuer::WebIdentity { role, audience } => {
                roles::federate(own, role, audience, self.region.as_deref()).await
            }
        }
    }

    async fn provide(&self, own: Result<Own, Unread>) -> Result<Credentials, CredentialsError> {
        let read = match own {
            Ok(own) => self.read(&own).await,
            Err(error) => Err(error),
        };
        read.map_err(|error| {
            CredentialsError::provider_error(
                error.at(&format!("location {}: {}", self.location, self.issuer)),
            )
        })
    }
}

impl Issued {
    /// Asked for in a Region that is not the process's own: where a deployment's functions will ask.
    #[must_use]
    pub fn asked_in(self, region: &str) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Elsewhere(self, Region::new(region.to_owned())))
    }
}

#[derive(Debug)]
struct Elsewhere(Issued, Region);

impl ProvideCredentials for Elsewhere {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let mut own = Own::in_region(self.1.clone()).await;
            if let Ok(own) = &mut own {
                own.whose = "your own credentials";
            }
            self.0.provide(own).await
        })
    }
}

impl ProvideCredentials for Issued {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async { self.provide(Own::of_process().await).await })
    }
}

#[cfg(test)]
mod tests;
