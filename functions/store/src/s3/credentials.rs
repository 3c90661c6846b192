//! Credentials: where they are read, kept until they expire or are refused, never printed.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_async::time::SharedTimeSource;
use aws_types::region::Region;
use tokio::sync::Mutex;

use crate::keys::Issued;

/// Where a location's credentials are read. It names a place, or holds a provider made by the caller.
#[derive(Clone)]
pub enum CredentialsSource {
    /// The default chain of the AWS tools: environment, profile, container, instance.
    Default,
    /// A profile of the AWS configuration files.
    Profile(String),
    /// `<prefix>_ACCESS_KEY_ID`, `<prefix>_SECRET_ACCESS_KEY` and, if there is one, `<prefix>_SESSION_TOKEN`.
    Environment(String),
    /// An AWS credentials file, and the profile in it (`default` without one).
    File(PathBuf, Option<String>),
    /// What AWS keeps or issues: a secret, a parameter, a role.
    Issued(Issued),
    /// A provider of the caller's own.
    Provider(SharedCredentialsProvider),
}

impl fmt::Debug for CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Profile(name) => write!(f, "Profile({name:?})"),
            Self::Environment(prefix) => write!(f, "Environment({prefix:?})"),
            Self::File(path, profile) => write!(f, "File({path:?}, {profile:?})"),
            Self::Issued(issued) => write!(f, "Issued({})", issued.issuer),
            Self::Provider(_) => f.write_str("Provider(** redacted **)"),
        }
    }
}

impl CredentialsSource {
    async fn provider(&self, region: Option<&str>) -> SharedCredentialsProvider {
        match self {
            Self::Default => {
                let region = region.map(|region| Region::new(region.to_owned()));
                SharedCredentialsProvider::new(
                    DefaultCredentialsChain::builder().region(region).build().await,
                )
            }
            Self::Profile(name) => SharedCredentialsProvider::new(
                ProfileFileCredentialsProvider::builder().profile_name(name).build(),
            ),
            Self::Environment(prefix) => SharedCredentialsProvider::new(FromEnvironment(prefix.clone())),
            Self::File(path, profile) => {
                SharedCredentialsProvider::new(from_file(path.clone(), profile.as_deref()))
            }
            Self::Issued(issued) => SharedCredentialsProvider::new(issued.clone()),
            Self::Provider(provider) => provider.clone(),
        }
    }
}

fn from_file(path: PathBuf, profile: Option<&str>) -> ProfileFileCredentialsProvider {
    let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, path).build();
    ProfileFileCredentialsProvider::builder()
        .profile_files(files)
        .profile_name(profile.unwrap_or("default"))
        .build()
}

/// Reads three variables each time it is asked.
#[derive(Debug)]
struct FromEnvironment(String);

impl FromEnvironment {
    fn read(&self) -> provider::Result {
        let variable = |name: &str| {
            let name = format!("{}_{name}", self.0);
            std::env::var(&name).map_err(|_| {
                CredentialsError::not_loaded(format!("expected the variable {name}, found none"))
            })
        };
        let (id, secret) = (variable("ACCESS_KEY_ID")?, variable("SECRET_ACCESS_KEY")?);
        Ok(Credentials::new(id, secret, variable("SESSION_TOKEN").ok(), None, "environment"))
    }
}

impl ProvideCredentials for FromEnvironment {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.read())
    }
}

/// Keeps credentials until shortly before they expire, or until they are [forgotten](Self::forget) because a store
/// refused them. The SDK's own cache has no way to forget.
#[derive(Clone)]
pub(super) struct Kept(Arc<Inner>);

struct Inner {
    source: CredentialsSource,
    region: Option<String>,
    time: SharedTimeSource,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    provider: Option<SharedCredentialsProvider>,
    credentials: Option<(Credentials, SystemTime)>,
}

/// Read again this long before they expire: longer than a small request and its tries take.
const BUFFER: Duration = Duration::from_secs(120);
/// Credentials without an expiry are read again after this long: a rotated secret is seen within 15 min, and the stores of
/// secrets are not asked oftener than their rates allow (Parameter Store: 40/s).
const LONGEST: Duration = Duration::from_secs(900);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").field(&self.0.source).finish()
    }
}

impl Kept {
    pub(super) fn new(source: CredentialsSource, region: Option<String>, time: SharedTimeSource) -> Self {
        Self(Arc::new(Inner { source, region, time, state: Mutex::default() }))
    }

    /// The next request reads them again.
    pub(super) async fn forget(&self) {
        *self.0.state.lock().await = State::default();
    }

    async fn get(&self) -> provider::Result {
        let mut state = self.0.state.lock().await;
        let now = self.0.time.now();
        if let Some((credentials, until)) = &state.credentials
            && now < *until
        {
            return Ok(credentials.clone());
        }
        let provider = match &state.provider {
            Some(provider) => provider.clone(),
            None => self.0.source.provider(self.0.region.as_deref()).await,
        };
        let credentials = provider.provide_credentials().await?;
        let until = credentials.expiry().and_then(|end| end.checked_sub(BUFFER)).unwrap_or(now + LONGEST);
        *state = State { provider: Some(provider), credentials: Some((credentials.clone(), until)) };
        Ok(credentials)
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}
