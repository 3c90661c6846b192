//! The function's own place: its Region, partition, credentials, and the way out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::default_provider::region::DefaultRegionChain;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::region::Region;

use super::endpoint::Service;
use super::{Unread, endpoint};
use crate::StoreErrorKind as Kind;
use crate::location::Partition;

/// For a connection: past one retransmission of a lost SYN, as with stores.
pub(super) const CONNECT: Duration = Duration::from_millis(3_100);
/// For an answer to one try. With [`TRIES`] of them and their pauses a reading stays within a store's 30 s.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// Tries of a request. SSM takes 40 a second by default, and 1,000 environments may start within ten.
const TRIES: u32 = 6;

/// Reads the environment.
type Variable = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where the function runs, and as whom.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) region: String,
    pub(super) partition: Partition,
    pub(super) credentials: SharedCredentialsProvider,
    /// Tries of a request.
    pub(super) tries: u32,
    /// Whose the credentials are, for messages.
    pub(super) whose: &'static str,
    variable: Variable,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Own {
    /// By the default chains of the AWS tools; Lambda sets `AWS_REGION` and the keys of the function's role.
    pub(super) async fn of_process() -> Result<Self, Unread> {
        let region = DefaultRegionChain::builder().build().region().await.ok_or_else(|| {
            Unread::new(
                Kind::InvalidRequest,
                "expected a Region of the function's own (AWS_REGION), found none",
            )
        })?;
        Self::in_region(region).await
    }

    /// The same in a Region that is given.
    pub(super) async fn in_region(region: Region) -> Result<Self, Unread> {
        let credentials = DefaultCredentialsChain::builder().region(region.clone()).build().await;
        Self::new(region.as_ref(), SharedCredentialsProvider::new(credentials), |name| {
            std::env::var(name).ok()
        })
    }

    /// In a Region of AWS.
    pub(super) fn new(
        region: &str,
        credentials: SharedCredentialsProvider,
        variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Result<Self, Unread> {
        let partition = Partition::of_region(region).ok_or_else(|| {
            let message = format!("expected a Region of AWS for the function's own, found {region:?}");
            Unread::new(Kind::InvalidRequest, message)
        })?;
        Ok(Self {
            region: region.to_owned(),
            partition,
            credentials,
            tries: TRIES,
            whose: "the function's own credentials",
            variable: Arc::new(variable),
        })
    }

    /// A service's endpoint here.
    pub(super) fn endpoint(&self, service: Service) -> Result<String, Unread> {
        self.endpoint_in(service, self.partition, &self.region)
    }

    /// A service's endpoint elsewhere.
    pub(super) fn endpoint_in(
        &self,
        service: endpoint::Service,
        partition: Partition,
        region: &str,
    ) -> Result<String, Unread> {
        service.endpoint(partition, region, |name| (self.variable)(name))
    }
}
