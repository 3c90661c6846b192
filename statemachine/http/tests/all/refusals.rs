//! Requests that are not answered: unsigned, badly signed, malformed, too large. Each with the service's code.
use crate::support::{Answer, ID, Request, SECRET, engine, post, raw, server};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use stepfunctions_http::{Key, Server, StartError};
use tokio::io::AsyncWriteExt;

const LIST: &str = "ListStateMachines";

fn list() -> Request {
    Request::new(LIST, "{}")
}

fn ago(minutes: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(60 * minutes)
}

fn hence(minutes: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(60 * minutes)
}

#[tokio::test]
async fn a_signed_request_is_answered() {
    let server = server().await;
    for request in [list(), Request { time: ago(14), ..list() }, Request { time: hence(14), ..list() }] {
        let answer = request.send(&server).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.body["stateMachines"].is_array());
        assert!(answer.head.contains("x-amzn-requestid: "), "{answer:?}");
    }
    assert_eq!(Request::new(LIST, "").send(&server).await.status, 200, "no body is no input");
}

#[tokio::test]
async fn signatures_have_to_be_right() {
    let server = server().await;
    for (request, code, message) in [
        (Request { id: "AKIDOTHER", ..list() }, "UnrecognizedClientException", "security token included"),
        (Request { secret: "other", ..list() }, "InvalidSignatureException", "does not match the signature"),
        (
            Request { region: "eu-west-1", ..list() },
            "InvalidSignatureException",
            "valid region, not 'eu-west-1'",
        ),
        (Request { service: "s3", ..list() }, "InvalidSignatureException", "correct service: 'states'"),
        (Request { time: ago(16), ..list() }, "InvalidSignatureException", "Signature expired: "),
        (Request { time: hence(16), ..list() }, "InvalidSignatureException", "Signature not yet current: "),
        (Request { token: Some("t"), ..list() }, "UnrecognizedClientException", "security token included"),
    ] {
        let answer = request.send(&server).await;
        assert_eq!(answer.code(), code, "{answer:?}");
        assert!(answer.message().contains(message), "{answer:?}");
    }
}

#[tokio::test]
async fn what_was_signed_has_to_be_what_is_sent() {
    let server = server().await;
    let headers = list().headers(&server);
    let changed = post(&server, &headers, br#"{"maxResults": 1}"#).await;
    assert_eq!(changed.code(), "InvalidSignatureException");
    let other: Vec<_> = headers
        .iter()
        .cloned()
        .map(|(name, value)| {
            let value =
                if name == "x-amz-target" { "AWSStepFunctions.ListActivities".to_owned() } else { value };
            (name, value)
        })
        .collect();
    assert_eq!(post(&server, &other, b"{}").await.code(), "InvalidSignatureException");
    let mut added = headers.clone();
    added.push(("x-amz-something".to_owned(), "1".to_owned()));
    let answer = post(&server, &added, b"{}").await;
    assert_eq!(answer.code(), "InvalidSignatureException");
    assert!(answer.message().contains("'x-amz-something' must be a 'SignedHeader'"), "{answer:?}");
    let missing: Vec<_> = headers.into_iter().filter(|(name, _)| name != "content-type").collect();
    assert_eq!(post(&server, &missing, b"{}").await.code(), "InvalidSignatureException");
}

async fn with_authorization(server: &Server, authorization: Option<&str>, date: bool) -> Answer {
    let mut headers = list().headers(server);
    headers.retain(|(name, _)| name != "authorization" && (date || name != "x-amz-date"));
    headers.extend(authorization.map(|value| ("authorization".to_owned(), value.to_owned())));
    post(server, &headers, b"{}").await
}

#[tokio::test]
async fn headers_have_to_be_complete() {
    let server = server().await;
    let answer = with_authorization(&server, None, true).await;
    assert_eq!(
        (answer.code(), answer.message()),
        ("MissingAuthenticationTokenException", "Missing Authentication Token")
    );
    let good = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260131/us-east-1/states/aws4_request, SignedHeaders=host, Signature=00";
    for (authorization, message) in [
        ("Basic QUtJRDpzZWNyZXQ=", "requires 'AWS4-HMAC-SHA256'"),
        ("AWS4-HMAC-SHA256", "requires 'AWS4-HMAC-SHA256'"),
        ("AWS4-HMAC-SHA256 Credential", "'Credential' not a valid key=value pair (missing equal-sign)"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e",
            "requires 'Signature' parameter. Authorization header requires 'SignedHeaders'",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
            "exactly 5 slash-delimited elements",
        ),
    ] {
        let answer = with_authorization(&server, Some(authorization), true).await;
        assert_eq!(answer.code(), "IncompleteSignatureException", "{authorization}");
        assert!(answer.message().contains(message), "{answer:?}");
    }
    let undated = with_authorization(&server, Some(good), false).await;
    assert_eq!(undated.code(), "IncompleteSignatureException");
    assert!(
        undated.message().contains("existence of either a 'X-Amz-Date' or a 'Date' header"),
        "{undated:?}"
    );
    let another_day = with_authorization(&server, Some(good), true).await;
    assert_eq!(another_day.code(), "InvalidSignatureException");
    assert!(another_day.message().contains("'20260131' != "), "{another_day:?}");
}

#[tokio::test]
async fn sessions_end() {
    let key = |expires| Key::new(ID, SECRET).with_session("token", expires);
    let start = async |key| Server::builder(engine().await).key(key).start().await.unwrap();
    let (open, over) = (start(key(hence(1))).await, start(key(ago(1))).await);
    let request = |token| Request { token, ..list() };
    assert_eq!(request(Some("token")).send(&open).await.status, 200);
    assert_eq!(request(Some("other")).send(&open).await.code(), "UnrecognizedClientException");
    assert_eq!(request(None).send(&open).await.code(), "UnrecognizedClientException");
    assert_eq!(request(Some("token")).send(&over).await.code(), "ExpiredTokenException");
}

#[tokio::test]
async fn actions_and_bodies_have_to_be_known() {
    let server = server().await;
    for (action, body, code) in [
        ("Teleport", "{}", "UnknownOperationException"),
        ("", "{}", "UnknownOperationException"),
        (LIST, "{", "SerializationException"),
        (LIST, "[]", "SerializationException"),
        (LIST, "\u{0}", "SerializationException"),
        ("StartExecution", r#"{"stateMachineArn": "nonsense"}"#, "InvalidArn"),
    ] {
        assert_eq!(Request::new(action, body).send(&server).await.code(), code, "{action} {body}");
    }
    let not_utf8 = Request::new(LIST, vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}']);
    assert_eq!(not_utf8.send(&server).await.code(), "SerializationException");
    let mut elsewhere = list();
    elsewhere.target = "DynamoDB_20120810.ListTables".to_owned();
    assert_eq!(elsewhere.send(&server).await.code(), "UnknownOperationException");
    let got = raw(&server, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 400 ") && got.contains("UnknownOperationException"), "{got}");
}

#[tokio::test]
async fn a_body_has_an_end() {
    let server = server().await;
    let large = Request::new("CreateStateMachine", vec![b' '; 5 << 20]).send(&server).await;
    assert_eq!(large.code(), "RequestEntityTooLargeException");
    let deep = Request::new(LIST, format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    assert_eq!(deep.send(&server).await.code(), "SerializationException");
    assert_eq!(list().send(&server).await.status, 200, "it is still there");
}

#[tokio::test]
async fn what_is_not_http_harms_nobody() {
    let server = server().await;
    raw(&server, &[0xff; 2048]).await;
    let mut gone = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    gone.write_all(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\n{").await.unwrap();
    drop(gone);
    assert_eq!(list().send(&server).await.status, 200);
    let endpoint = server.address();
    server.shutdown().await;
    assert!(tokio::net::TcpStream::connect(endpoint).await.is_err(), "it is gone");
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let started = Server::builder(engine().await).address(address).start().await;
        assert!(matches!(started, Err(StartError::NotLoopback(_))), "{address}");
    }
}
