//! What the tests share: an engine without functions, a server, a signer of raw requests.
use aws_credential_types::Credentials;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::config::retry::RetryConfig;
use aws_sdk_sfn::config::{BehaviorVersion, Region};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};
use std::time::SystemTime;
use stepfunctions_http::{Key, Server};
use stepfunctions_local::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "a secret/+";

pub(crate) async fn engine() -> Engine {
    Engine::builder().open().await.unwrap()
}

pub(crate) async fn server() -> Server {
    Server::builder(engine().await).key(Key::new(ID, SECRET)).start().await.unwrap()
}

/// A client that tries once: what the server answers is what the test sees.
pub(crate) fn client(server: &Server, secret: &str) -> Client {
    let config = aws_sdk_sfn::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new(ID, secret, None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

/// `{"StartAt": "S", "States": {"S": state}}`.
pub(crate) fn definition(state: Value) -> String {
    json!({"StartAt": "S", "States": {"S": state}}).to_string()
}

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/test";

/// A request before it is signed.
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) body: Vec<u8>,
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) token: Option<&'static str>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) time: SystemTime,
}

impl Request {
    pub(crate) fn new(action: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            target: format!("AWSStepFunctions.{action}"),
            body: body.into(),
            id: ID,
            secret: SECRET,
            token: None,
            region: "us-east-1",
            service: "states",
            time: SystemTime::now(),
        }
    }

    /// The headers, signed.
    pub(crate) fn headers(&self, server: &Server) -> Vec<(String, String)> {
        let mut headers = vec![
            ("host".to_owned(), server.address().to_string()),
            ("content-type".to_owned(), "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target".to_owned(), self.target.clone()),
        ];
        let identity =
            Credentials::new(self.id, self.secret, self.token.map(str::to_owned), None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let uri = format!("{}/", server.endpoint());
        let names = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new("POST", &uri, names, SignableBody::Bytes(&self.body)).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let signed: Vec<_> =
            instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.extend(signed);
        headers
    }

    pub(crate) async fn send(&self, server: &Server) -> Answer {
        post(server, &self.headers(server), &self.body).await
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The code of a refusal, which has all that clients look for.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        assert_eq!(self.status, 400, "{self:?}");
        for name in ["x-amzn-requestid: ", "content-type: application/x-amz-json-1.0"] {
            assert!(self.head.contains(name), "{name}: {self:?}");
        }
        assert!(self.message().len() > 3, "{self:?}");
        self.body["__type"].as_str().unwrap()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

pub(crate) async fn post(server: &Server, headers: &[(String, String)], body: &[u8]) -> Answer {
    let mut request = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += "\r\n";
    let answer = raw(server, &[request.as_bytes(), body].concat()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap(),
    }
}

/// Sends bytes, and reads until the server closes the connection.
pub(crate) async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset ends an answer, too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
