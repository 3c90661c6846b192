//! What a store takes from the machine it runs on: connections and the time of day. A simulation brings its own.

use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// The machine's own by default.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Makes connections and speaks HTTP; the SDK's own over TLS when absent.
    pub http: Option<SharedHttpClient>,
    /// The time of day that requests are signed with, and credentials expire by. Waits follow the async runtime's time.
    pub time: SharedTimeSource,
}
