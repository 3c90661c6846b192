//! A store whose every request gets the same answer, without a network.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use transload_store::s3::{Capabilities, CredentialsSource, Patience, S3Settings, S3Store, Surroundings};
use transload_store::{ObjectRef, StoredRef, UploadRef};

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Canned {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Canned {
    pub(crate) fn xml(body: Vec<u8>) -> Self {
        Self { status: 200, headers: vec![("content-type", "application/xml".to_owned())], body }
    }

    /// A store that hears nothing else.
    pub(crate) fn store(self) -> S3Store {
        let connector = SharedHttpConnector::new(self);
        let http = http_client_fn(move |_, _| connector.clone());
        S3Store::within(settings(), Surroundings { http: Some(http), ..Surroundings::default() })
    }
}

impl HttpConnector for Canned {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let mut answer = HttpResponse::new(self.status.try_into().unwrap(), SdkBody::from(self.body.clone()));
        for (name, value) in &self.headers {
            // What is no header at all does not come out of a connection either.
            let _ = answer.headers_mut().try_insert(*name, value.clone());
        }
        HttpConnectorFuture::ready(Ok(answer))
    }
}

fn settings() -> S3Settings {
    let credentials = Credentials::new("AKIDTEST", "a secret of the test", None, None, "test");
    S3Settings {
        name: "test".to_owned(),
        partition: None,
        region: Some("eu-west-1".to_owned()),
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        path_style: true,
        expected_bucket_owner: None,
        credentials: CredentialsSource::Provider(SharedCredentialsProvider::new(credentials)),
        capabilities: Capabilities::default(),
        patience: Patience { tries: 1, ..Patience::default() },
        user_agent: None,
    }
}

pub(crate) fn object() -> ObjectRef {
    ObjectRef::from(StoredRef {
        bucket: "photos".parse().unwrap(),
        key: "a/b".parse().unwrap(),
        version: None,
        requester_pays: false,
    })
}

pub(crate) fn upload() -> UploadRef {
    UploadRef {
        bucket: "photos".parse().unwrap(),
        key: "a/b".parse().unwrap(),
        id: "upload-1".parse().unwrap(),
        checksum_algorithm: None,
    }
}

/// Runs to the end in virtual time: waits between tries cost nothing.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}
