//! Against servers of a few lines: what is sent, what is made of the answers, and that nothing secret is told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::endpoint::Service;
use super::own::Own;
use super::{Issued, Issuer, json as client};
use crate::StoreErrorKind as Kind;

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const ROLE_THERE: &str = "arn:aws-cn:iam::123456789012:role/team/writer";

/// A request as it came: its head in lower case, and its body.
#[derive(Clone, Debug)]
struct Seen {
    head: String,
    body: String,
}

/// Answers, one for each request, the last one for all after it. What came is kept.
struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Fake {
    async fn new(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<_> = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let turn = kept.lock().unwrap().len().min(answers.len() - 1);
                let request = serve(stream, &answers[turn]).await;
                kept.lock().unwrap().extend(request);
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, (status, body): &(u16, String)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let seen = loop {
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break Seen { head, body: body.to_owned() };
        }
    };
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.ok()?;
    Some(seen)
}

/// A function in Ireland, whose services are all this one.
fn own(url: &str) -> Own {
    let url = url.to_owned();
    let keys = Credentials::new("AKIDOWN", "OWNSECRET", Some("OWNTOKEN".to_owned()), None, "test");
    let variable = move |name: &str| (name == "AWS_ENDPOINT_URL").then(|| url.clone());
    // Pauses double with the tries.
    let mut own = Own::new("eu-west-1", SharedCredentialsProvider::new(keys), variable).unwrap();
    own.tries = 4;
    own
}

fn issued(issuer: Issuer) -> Issued {
    Issued { location: "china".to_owned(), region: Some("cn-north-1".to_owned()), issuer }
}

fn secret() -> Issued {
    issued(Issuer::Secret("transload/china".to_owned()))
}

fn federated() -> Issued {
    issued(Issuer::WebIdentity { role: ROLE_THERE.to_owned(), audience: "sts.cn".to_owned() })
}

/// The keys as a secret holds them.
fn keys() -> String {
    json!({"aws_access_key_id": "AKIDTHERE", "aws_secret_access_key": "TOPSECRET"}).to_string()
}

fn session(action: &str, expiration: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
         <AccessKeyId>ASIATHERE</AccessKeyId><SecretAccessKey>TOPSECRET</SecretAccessKey>\
         <SessionToken>SESSIONTOKEN</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    )
}

const TOKEN: &str = "<GetWebIdentityTokenResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetWebIdentityTokenResult><WebIdentityToken>eyJTOPSECRET.x.y</WebIdentityToken>\
    <Expiration>2030-01-01T00:15:00Z</Expiration></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>";

fn refusal(code: &str, words: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{words}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

/// The error's kind and the whole chain of its words, which must hold no secret.
async fn refused(issued: &Issued, url: &str) -> (Kind, String) {
    let error = issued.provide(Ok(own(url))).await.unwrap_err();
    let unread = std::error::Error::source(&error).unwrap().downcast_ref::<super::Unread>().unwrap();
    let told = format!("{error} {error:?} {unread} {unread:?} {issued:?}");
    for secret in ["TOPSECRET", "OWNSECRET", "OWNTOKEN", "SESSIONTOKEN", "eyJ"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    (unread.kind, unread.to_string())
}

fn assert_signed(seen: &Seen, service: &str) {
    let scope = format!("/eu-west-1/{service}/aws4_request");
    assert!(seen.head.contains("authorization: aws4-hmac-sha256 credential=akidown/"), "{}", seen.head);
    assert!(
        seen.head.contains(&scope) && seen.head.contains("x-amz-security-token: owntoken"),
        "{}",
        seen.head
    );
}

#[tokio::test]
async fn a_secret_is_asked_for_by_name_and_read() {
    let answer = json!({"ARN": "arn", "Name": "transload/china", "SecretString": keys()}).to_string();
    let fake = Fake::new(&[(200, &answer)]).await;
    let read = secret().provide(Ok(own(&fake.url))).await.unwrap();
    assert_eq!((read.access_key_id(), read.secret_access_key()), ("AKIDTHERE", "TOPSECRET"));
    assert_eq!((read.session_token(), read.expiry()), (None, None));
    let [seen] = &fake.seen()[..] else { panic!("one request") };
    assert!(seen.head.starts_with("post / http/1.1"), "{}", seen.head);
    assert!(seen.head.contains("x-amz-target: secretsmanager.getsecretvalue"), "{}", seen.head);
    assert!(seen.head.contains("content-type: application/x-amz-json-1.1"), "{}", seen.head);
    assert_signed(seen, "secretsmanager");
    assert_eq!(seen.body.parse::<Value>().unwrap(), json!({"SecretId": "transload/china"}));
}

#[tokio::test]
async fn a_parameter_is_asked_for_decrypted() {
    let answer =
        json!({"Parameter": {"Name": "/t/china", "Type": "SecureString", "Value": keys()}}).to_string();
    let fake = Fake::new(&[(200, &answer)]).await;
    let parameter = issued(Issuer::Parameter("/t/china".to_owned()));
    let read = parameter.provide(Ok(own(&fake.url))).await.unwrap();
    assert_eq!(read.access_key_id(), "AKIDTHERE");
    let [seen] = &fake.seen()[..] else { panic!("one request") };
    assert!(seen.head.contains("x-amz-target: amazonssm.getparameter"), "{}", seen.head);
    assert_signed(seen, "ssm");
    assert_eq!(seen.body.parse::<Value>().unwrap(), json!({"Name": "/t/china", "WithDecryption": true}));
}

#[tokio::test]
async fn throttling_and_faults_are_tried_again_and_told_if_they_stay() {
    let throttled = json!({"__type": "ThrottlingException", "message": "Rate exceeded"}).to_string();
    let answer = json!({"SecretString": keys()}).to_string();
    let fake = Fake::new(&[(400, &throttled), (503, "no JSON"), (200, "no JSON"), (200, &answer)]).await;
    assert!(secret().provide(Ok(own(&fake.url))).await.is_ok());
    assert_eq!(fake.seen().len(), 4);

    let fake = Fake::new(&[(400, &throttled)]).await;
    let (kind, told) = refused(&secret(), &fake.url).await;
    assert_eq!((kind, fake.seen().len()), (Kind::Throttled, 4));
    let expected = "location china: secret \"transload/china\": secretsmanager.GetSecretValue: ThrottlingException (400)";
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_is_refused_is_told_once_with_location_and_name() {
    let json = |kind: &str| json!({"__type": kind, "Message": "User: a is not authorized"}).to_string();
    for (body, code) in [
        (json("com.amazonaws.secretsmanager#ResourceNotFoundException"), "ResourceNotFoundException"),
        (json("AccessDeniedException:http://internal.example.com/"), "AccessDeniedException"),
        (json("DecryptionFailure"), "DecryptionFailure"),
    ] {
        let fake = Fake::new(&[(400, &body)]).await;
        let (kind, told) = refused(&secret(), &fake.url).await;
        assert_eq!((kind, fake.seen().len()), (Kind::AccessDenied, 1), "{code}");
        let expected = format!(
            "location china: secret \"transload/china\": secretsmanager.GetSecretValue: {code} (400): \
             User: a is not authorized"
        );
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_secret_of_another_shape_is_refused_without_a_word_of_it() {
    for held in ["TOPSECRET", r#"{"username": "TOPSECRET"}"#, r#"{"aws_access_key_id": "TOPSECRET"}"#] {
        let answer = json!({"SecretString": held}).to_string();
        let fake = Fake::new(&[(200, &answer)]).await;
        let (kind, told) = refused(&secret(), &fake.url).await;
        assert_eq!(kind, Kind::AccessDenied);
        assert!(told.starts_with("location china: secret \"transload/china\": expected JSON {"), "{told}");
    }
    let fake = Fake::new(&[(200, r#"{"SecretBinary": "VE9QU0VDUkVU"}"#)]).await;
    let (_, told) = refused(&secret(), &fake.url).await;
    assert!(told.ends_with("expected a text (SecretString), found none (binary?)"), "{told}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_lost_connection() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (kind, told) = refused(&secret(), &format!("http://{nobody}")).await;
    assert_eq!(kind, Kind::Connection);
    assert!(
        told.starts_with("location china: secret \"transload/china\": secretsmanager.GetSecretValue: "),
        "{told}"
    );
    let (kind, told) = refused(&federated(), &format!("http://{nobody}")).await;
    assert_eq!(kind, Kind::Connection);
    assert!(told.ends_with("sts:GetWebIdentityToken: no connection"), "{told}");
}

#[tokio::test]
async fn a_role_is_assumed_for_an_hour() {
    let fake = Fake::new(&[(200, &session("AssumeRole", "2030-01-01T01:00:00Z"))]).await;
    let role = Issuer::Role { role: ROLE.to_owned(), external_id: Some("for-us".to_owned()) };
    let read = issued(role).provide(Ok(own(&fake.url))).await.unwrap();
    assert_eq!((read.access_key_id(), read.session_token()), ("ASIATHERE", Some("SESSIONTOKEN")));
    assert_eq!(read.expiry(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_459_600)));
    let [seen] = &fake.seen()[..] else { panic!("one request") };
    assert_signed(seen, "sts");
    let expected = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader\
                    &RoleSessionName=transload&DurationSeconds=3600&ExternalId=for-us";
    assert_eq!(seen.body, expected);
}

#[tokio::test]
async fn a_token_of_the_own_identity_is_exchanged_without_a_signature() {
    let exchanged = session("AssumeRoleWithWebIdentity", "2030-01-01T01:00:00Z");
    let fake = Fake::new(&[(200, TOKEN), (200, &exchanged)]).await;
    let read = federated().provide(Ok(own(&fake.url))).await.unwrap();
    assert_eq!(read.access_key_id(), "ASIATHERE");
    let [token, exchange] = &fake.seen()[..] else { panic!("two requests") };
    assert_signed(token, "sts");
    let expected = "Action=GetWebIdentityToken&Version=2011-06-15&Audience.member.1=sts.cn&DurationSeconds=900\
                    &SigningAlgorithm=ES384";
    assert_eq!(token.body, expected);
    assert!(!exchange.head.contains("authorization:") && !exchange.head.contains("x-amz-security-token"));
    for part in [
        "Action=AssumeRoleWithWebIdentity&",
        "RoleArn=arn%3Aaws-cn%3Aiam%3A%3A123456789012%3Arole%2Fteam%2Fwriter",
        "RoleSessionName=transload",
        "WebIdentityToken=eyJTOPSECRET.x.y",
        "DurationSeconds=3600",
    ] {
        assert!(exchange.body.contains(part), "{part} in {}", exchange.body);
    }
}

#[tokio::test]
async fn a_refused_exchange_does_not_tell_the_token() {
    let disabled = refusal("OutboundWebIdentityFederationDisabledException", "not enabled");
    let fake = Fake::new(&[(403, &disabled)]).await;
    let (kind, told) = refused(&federated(), &fake.url).await;
    assert_eq!(kind, Kind::AccessDenied);
    let place = format!("location china: role {ROLE_THERE:?}: ");
    let expected =
        "sts:GetWebIdentityToken: OutboundWebIdentityFederationDisabledException (403): not enabled";
    assert_eq!(told, format!("{place}{expected}"));

    let quoted = refusal("InvalidIdentityToken", "the token eyJTOPSECRET.x.y is not trusted");
    let fake = Fake::new(&[(200, TOKEN), (400, &quoted)]).await;
    let (kind, told) = refused(&federated(), &fake.url).await;
    assert_eq!(kind, Kind::AccessDenied);
    assert_eq!(told, format!("{place}sts:AssumeRoleWithWebIdentity: InvalidIdentityToken (400)"));
}

#[tokio::test]
async fn a_function_without_credentials_says_so() {
    let none = Credentials::new("", "", None, None, "test");
    let fake = Fake::new(&[(200, "{}")]).await;
    let url = fake.url.clone();
    let own = Own::new("mars-north-1", SharedCredentialsProvider::new(none), move |_| Some(url.clone()));
    let error = secret().provide(own).await.unwrap_err();
    let told = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        told.contains("expected a Region of AWS for the function's own, found \"mars-north-1\""),
        "{told}"
    );
}

/// Against an emulator that others wrote, at the address in `TRANSLOAD_EMULATOR`, such as MiniStack on `http://127.0.0.1:4566`.
#[tokio::test]
#[ignore = "needs an emulator of AWS"]
async fn an_emulator_understands_all_of_it() {
    let url = std::env::var("TRANSLOAD_EMULATOR").unwrap();
    let own = own(&url);
    let created = json!({"Name": "transload/china", "SecretString": keys()});
    let put = json!({"Name": "/transload/china", "Value": keys(), "Type": "SecureString", "Overwrite": true});
    // A second run finds the secret there.
    let _ = client::call(&own, Service::SecretsManager, "secretsmanager.CreateSecret", &created).await;
    client::call(&own, Service::Parameters, "AmazonSSM.PutParameter", &put).await.unwrap();

    let role = Issuer::Role { role: ROLE.to_owned(), external_id: None };
    for issuer in [secret().issuer, Issuer::Parameter("/transload/china".to_owned()), role] {
        let read = issued(issuer.clone()).provide(Ok(own.clone())).await.unwrap();
        assert!(!read.access_key_id().is_empty(), "{issuer}");
    }
    for issuer in [Issuer::Secret("not/there".to_owned()), Issuer::Parameter("/not/there".to_owned())] {
        let (kind, told) = refused(&issued(issuer), &url).await;
        assert!(
            kind == Kind::AccessDenied && told.contains("not/there") && told.contains("NotFound"),
            "{told}"
        );
    }
    // Told, not judged: emulators need not know outbound federation.
    let federated = federated().provide(Ok(own)).await;
    println!(
        "federation: {:?}",
        federated.err().map(|error| std::error::Error::source(&error).map(ToString::to_string))
    );
}
