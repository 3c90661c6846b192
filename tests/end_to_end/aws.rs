//! Services of AWS in a few lines: each request is answered by what it contains. The answers have the forms that AWS documents.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// Whoever asks, in the words of STS.
pub(crate) fn identity(arn: &str) -> String {
    let account = arn.split(':').nth(4).unwrap();
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <GetCallerIdentityResult>\n    \
         <Arn>{arn}</Arn>\n    <UserId>AIDAEXAMPLE</UserId>\n    <Account>{account}</Account>\n  \
         </GetCallerIdentityResult>\n  <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\n\
         </GetCallerIdentityResponse>"
    )
}

/// A refusal of the query protocol.
pub(crate) fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\n  <Error>\n    <Type>Sender</Type>\n    \
         <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  <RequestId>r</RequestId>\n</ErrorResponse>"
    )
}

/// DescribeStacks of a stack with these outputs.
pub(crate) fn stack(name: &str, outputs: &[(&str, &str)]) -> String {
    let outputs: String = outputs
        .iter()
        .map(|(key, value)| {
            format!(
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue>\
                 <Description>A &amp; B &lt;c&gt;</Description></member>\n"
            )
        })
        .collect();
    format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\n  <DescribeStacksResult>\n    \
         <Stacks>\n      <member>\n        <StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/id</StackId>\n        \
         <StackName>{name}</StackName>\n        <Description/>\n        <CreationTime>2026-11-21T10:00:00Z</CreationTime>\n        \
         <Capabilities><member>CAPABILITY_IAM</member></Capabilities>\n        <Parameters><member><ParameterKey>BootstrapVersion\
         </ParameterKey><ParameterValue>/cdk-bootstrap/hnb659fds/version</ParameterValue></member></Parameters>\n        \
         <DisableRollback>false</DisableRollback>\n        <StackStatus>UPDATE_COMPLETE</StackStatus>\n        \
         <Outputs>{outputs}</Outputs>\n        <Tags/>\n      </member>\n    </Stacks>\n  </DescribeStacksResult>\n  \
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\n</DescribeStacksResponse>"
    )
}

/// A server of all of them.
pub(crate) struct Aws {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Variables that name a service's endpoint.
const ENDPOINTS: [&str; 6] =
    ["STS", "SECRETS_MANAGER", "CLOUDFORMATION", "LAMBDA", "EVENTBRIDGE", "SERVICE_QUOTAS"];

impl Aws {
    /// Answers a request by the first of these whose word it contains, and refuses all others.
    pub(crate) async fn start(answers: &[(&str, u16, String)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<(String, u16, String)> =
            answers.iter().map(|(word, status, body)| ((*word).to_owned(), *status, body.clone())).collect();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, kept) = (answers.clone(), Arc::clone(&kept));
                tokio::spawn(async move { serve(stream, &answers, &kept).await });
            }
        });
        Self { url, seen }
    }

    /// Heads and bodies so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Leads a program here, in a Region of the global partition and with keys.
    pub(crate) fn lead<'a>(&self, command: &'a mut Command, secret: &str) -> &'a mut Command {
        for service in ENDPOINTS {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &self.url);
        }
        command
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAGLOBAL")
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_EC2_METADATA_DISABLED", "true")
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: &[(String, u16, String)],
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    loop {
        let request = request(&mut stream).await?;
        assert!(
            request.to_ascii_lowercase().contains("authorization: aws4-hmac-sha256 credential=akia"),
            "{request}"
        );
        seen.lock().unwrap().push(request.clone());
        let found = answers.iter().find(|(word, ..)| request.contains(word.as_str()));
        let denied = r#"{"__type": "AccessDeniedException", "message": "not for you"}"#;
        let (status, body) = found.map_or((400, denied), |(_, status, body)| (*status, body.as_str()));
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(text);
        }
    }
}
