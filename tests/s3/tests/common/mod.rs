//! What the tests share: a server, the SDK's client for it, bytes, errors by their code.
#![allow(dead_code, reason = "each test file uses a part of this")]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use strict_s3::{BucketOptions, Builder, Limits, Server};

/// The bucket that every server here has.
pub(crate) const BUCKET: &str = "bucket";

/// A part that is just large enough for `small_limits`.
pub(crate) const PART: usize = 1024;

/// Limits of kilobytes instead of megabytes.
pub(crate) fn small_limits() -> Limits {
    Limits { min_part: PART as u64, ..Limits::default() }
}

pub(crate) fn builder() -> Builder {
    Server::builder()
        .credentials("AKIDEXAMPLE", "secret")
        .bucket(BUCKET, BucketOptions::default())
        .limits(small_limits())
}

pub(crate) async fn start() -> (Server, Client) {
    let server = builder().start().await.unwrap();
    let client = client(&server);
    (server, client)
}

pub(crate) fn client(server: &Server) -> Client {
    client_with(server, "AKIDEXAMPLE", "secret")
}

/// A client that tries once: what the server answers is what the test sees.
pub(crate) fn client_with(server: &Server, access_key: &str, secret: &str) -> Client {
    Client::from_conf(config(server, access_key, secret).build())
}

pub(crate) fn config(server: &Server, access_key: &str, secret: &str) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(access_key, secret, None, None, "test"))
        .region(Region::new(server.region().to_owned()))
        .endpoint_url(server.endpoint())
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
}

/// Bytes without a short period, so that a wrong offset shows.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

pub(crate) fn body(bytes: impl Into<Vec<u8>>) -> ByteStream {
    ByteStream::from(bytes.into())
}

/// The status and the code of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug, E>(result: Result<T, SdkError<E>>) -> (u16, String)
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    let error = result.expect_err("the request should have been refused");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (status, error.code().unwrap_or_default().to_owned())
}

/// What came over the wire for a request: everything until the server closed or reset the connection.
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    /// How the connection ended, when not in order.
    pub(crate) error: Option<std::io::ErrorKind>,
}

impl Raw {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn status(&self) -> u16 {
        self.text().split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\r\n\r\n").next()?.to_owned();
        head.lines().skip(1).find_map(|line| {
            let (have, value) = line.split_once(':')?;
            have.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let end = self.bytes.windows(4).position(|window| window == b"\r\n\r\n");
        end.map_or_else(Vec::new, |end| self.bytes[end + 4..].to_vec())
    }
}

/// Sends a request whose connection ends with its answer, byte for byte.
pub(crate) async fn raw(
    server: &Server,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Raw {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let mut head =
        format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", server.address());
    if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    let mut error = stream.write_all(head.as_bytes()).await.err();
    if error.is_none() {
        error = stream.write_all(body).await.err();
    }
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 65_536]);
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(broken) => {
                error = Some(broken);
                break;
            }
        }
    }
    Raw { bytes, error: error.map(|error| error.kind()) }
}

/// Path and query of a presigned request, for `raw`.
pub(crate) fn target_of(presigned: &aws_sdk_s3::presigning::PresignedRequest) -> String {
    let uri: http::Uri = presigned.uri().parse().unwrap();
    uri.path_and_query().unwrap().to_string()
}

/// Good for five minutes.
pub(crate) fn presigning() -> aws_sdk_s3::presigning::PresigningConfig {
    aws_sdk_s3::presigning::PresigningConfig::expires_in(std::time::Duration::from_secs(300)).unwrap()
}
