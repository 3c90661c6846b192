//! What the tests share: a server, the SDK's client for it, bytes, errors by their code.
#![allow(dead_code, reason = "each test file uses a part of this")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use strict_s3::{BucketOptions, Builder, Limits, Server};

/// The bucket that every server here has.
pub const BUCKET: &str = "bucket";

/// A part that is just large enough for `small_limits`.
pub const PART: usize = 1024;

/// Limits of kilobytes instead of megabytes.
pub fn small_limits() -> Limits {
    Limits { min_part: PART as u64, ..Limits::default() }
}

pub fn builder() -> Builder {
    Server::builder().credentials("AKIDEXAMPLE", "secret").bucket(BUCKET, BucketOptions::default()).limits(small_limits())
}

pub async fn start() -> (Server, Client) {
    let server = builder().start().await.unwrap();
    let client = client(&server);
    (server, client)
}

pub fn client(server: &Server) -> Client {
    client_with(server, "AKIDEXAMPLE", "secret")
}

/// A client that tries once: what the server answers is what the test sees.
pub fn client_with(server: &Server, access_key: &str, secret: &str) -> Client {
    Client::from_conf(config(server, access_key, secret).build())
}

pub fn config(server: &Server, access_key: &str, secret: &str) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(access_key, secret, None, None, "test"))
        .region(Region::new(server.region().to_owned()))
        .endpoint_url(server.endpoint())
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
}

/// Bytes without a short period, so that a wrong offset shows.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub fn body(bytes: impl Into<Vec<u8>>) -> ByteStream {
    ByteStream::from(bytes.into())
}

/// The status and the code of a refusal.
pub fn refusal<T: std::fmt::Debug, E>(result: Result<T, SdkError<E>>) -> (u16, String)
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    let error = result.expect_err("the request should have been refused");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (status, error.code().unwrap_or_default().to_owned())
}
