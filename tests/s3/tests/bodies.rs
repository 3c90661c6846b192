//! How a body may be signed: by its hash, not at all, in chunks, in chunks with a trailer; and where its bytes are kept.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use base64::Engine as _;
use common::{BUCKET, Raw, builder, bytes, client, presigning, raw, start, target_of};
use sha2::{Digest as _, Sha256};
use strict_s3::{Algorithm, Server, Storage};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// HMAC-SHA-256 as RFC 2104 has it, for keys of at most a block.
fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(data).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// A Signature Version 4 of the test's own, so that every form of it can be made, and made wrong.
struct Signer {
    stamp: String,
    key: Vec<u8>,
}

impl Signer {
    async fn new(server: &Server) -> Self {
        // The server tells the time; a presigned URL shows it in the form that signatures use.
        let presigned =
            client(server).get_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
        let query = presigned.uri().split("X-Amz-Date=").nth(1).unwrap();
        let stamp = query[..16].to_owned();
        let key = [server.region(), "s3", "aws4_request"]
            .iter()
            .fold(hmac(b"AWS4secret", &stamp.as_bytes()[..8]), |key, part| hmac(&key, part.as_bytes()));
        Self { stamp, key }
    }

    fn scope(&self) -> String {
        format!("{}/us-east-1/s3/aws4_request", &self.stamp[..8])
    }

    fn sign(&self, kind: &str, rest: &str) -> String {
        hex(&hmac(&self.key, format!("{kind}\n{}\n{}\n{rest}", self.stamp, self.scope()).as_bytes()))
    }

    /// PUT /bucket/k with the given payload hash and further `x-amz-` headers, sorted by name.
    async fn put(
        &self,
        server: &Server,
        hash: &str,
        more: &[(&str, &str)],
        body: impl FnOnce(&str) -> Vec<u8>,
    ) -> Raw {
        let host = server.address().to_string();
        let mut signed =
            vec![("host", host.as_str()), ("x-amz-content-sha256", hash), ("x-amz-date", &self.stamp)];
        signed.extend(more);
        signed.sort_unstable();
        let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("PUT\n/{BUCKET}/k\n\n{lines}\n{names}\n{hash}");
        let signature = self.sign("AWS4-HMAC-SHA256", &hex(&Sha256::digest(canonical)));
        let scope = self.scope();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope},SignedHeaders={names},Signature={signature}"
        );
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(signed.iter().filter(|(name, _)| *name != "host"));
        raw(server, "PUT", &format!("/{BUCKET}/k"), &headers, &body(&signature)).await
    }
}

fn stored(server: &Server) -> Option<bytes::Bytes> {
    server.direct().get(BUCKET, "k").map(|object| object.bytes().unwrap())
}

#[tokio::test]
async fn a_body_may_be_signed_by_its_hash_or_not_at_all() {
    let (server, _) = start().await;
    let signer = Signer::new(&server).await;
    let hash = hex(&Sha256::digest(b"data"));
    let put = async |hash: &str, body: &'static [u8]| signer.put(&server, hash, &[], |_| body.to_vec()).await;
    let tampered = put(&hash, b"dato").await;
    assert_eq!((tampered.status(), tampered.text().contains("XAmzContentSHA256Mismatch")), (400, true));
    assert_eq!(stored(&server), None);
    assert_eq!(put(&hash, b"data").await.status(), 200);
    assert_eq!(put("UNSIGNED-PAYLOAD", b"unsigned").await.status(), 200);
    assert_eq!(stored(&server).unwrap(), "unsigned");
}

/// A body in signed chunks; `spoil` changes the signature of the last chunk with bytes.
fn chunks(signer: &Signer, seed: &str, pieces: &[&[u8]], spoil: bool) -> Vec<u8> {
    let (mut previous, mut out) = (seed.to_owned(), Vec::new());
    let empty = hex(&Sha256::digest(b""));
    for (index, piece) in pieces.iter().chain([&b"".as_slice()]).enumerate() {
        let rest = format!("{previous}\n{empty}\n{}", hex(&Sha256::digest(piece)));
        previous = signer.sign("AWS4-HMAC-SHA256-PAYLOAD", &rest);
        let sent = if spoil && index + 1 == pieces.len() { "0".repeat(64) } else { previous.clone() };
        out.extend(format!("{:x};chunk-signature={sent}\r\n", piece.len()).into_bytes());
        out.extend(*piece);
        out.extend(b"\r\n");
    }
    out
}

#[tokio::test]
async fn chunks_are_signed_one_after_another() {
    let (server, _) = start().await;
    let signer = Signer::new(&server).await;
    let data = bytes(10_000);
    let put = async |spoil: bool| {
        let length = [("x-amz-decoded-content-length", "10000")];
        let body = |seed: &str| chunks(&signer, seed, &[&data[..8192], &data[8192..]], spoil);
        signer.put(&server, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", &length, body).await
    };
    let spoiled = put(true).await;
    assert_eq!(
        (spoiled.status(), spoiled.text().contains("SignatureDoesNotMatch")),
        (403, true),
        "{}",
        spoiled.text()
    );
    assert_eq!(stored(&server), None);
    let sent = put(false).await;
    assert_eq!(sent.status(), 200, "{}", sent.text());
    assert_eq!(stored(&server).unwrap(), data);
}

#[tokio::test]
async fn a_trailer_brings_the_checksum() {
    let (server, _) = start().await;
    let signer = Signer::new(&server).await;
    let right = base64::engine::general_purpose::STANDARD.encode(Algorithm::Crc64Nvme.digest(b"hello"));
    let put = async |trailer: String| {
        let more = [("x-amz-decoded-content-length", "5"), ("x-amz-trailer", "x-amz-checksum-crc64nvme")];
        let body = |_: &str| format!("5\r\nhello\r\n0\r\n{trailer}\r\n").into_bytes();
        signer.put(&server, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", &more, body).await
    };
    let wrong =
        put(format!("x-amz-checksum-crc64nvme:{}\r\n", right.replace('=', "").to_lowercase() + "=")).await;
    assert_eq!((wrong.status(), wrong.text().contains("BadDigest")), (400, true), "{}", wrong.text());
    let absent = put(String::new()).await;
    assert_eq!(absent.status(), 400, "{}", absent.text());
    assert_eq!(stored(&server), None);
    let sent = put(format!("x-amz-checksum-crc64nvme:{right}\r\n")).await;
    assert_eq!(sent.status(), 200, "{}", sent.text());
    assert_eq!(stored(&server).unwrap(), "hello");
    assert_eq!(server.direct().get(BUCKET, "k").unwrap().checksum.unwrap().value, right);
}

#[tokio::test]
async fn a_body_ends_where_it_says() {
    let (server, client) = start().await;
    let presigned = client.put_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: {}\r\ncontent-length: 10\r\n\r\nhalf",
        target_of(&presigned),
        server.address()
    );
    {
        use tokio::io::AsyncWriteExt as _;
        let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
    }
    assert_eq!(stored(&server), None, "a body cut short is not an object");
}

#[tokio::test]
async fn a_directory_holds_the_bytes_and_lets_go_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/demand");
    let server = builder().storage(Storage::Directory(path.clone())).start().await.unwrap();
    let files = || std::fs::read_dir(&path).unwrap().count();
    let data = bytes(1 << 20);
    let put =
        |data: Vec<u8>| client(&server).put_object().bucket(BUCKET).key("k").body(common::body(data)).send();
    put(data.clone()).await.unwrap();
    assert_eq!((files(), stored(&server).unwrap()), (1, data.clone().into()));
    server.direct().flip(BUCKET, "k", 1000).unwrap();
    assert_eq!(stored(&server).unwrap()[1000], data[1000] ^ 1);
    put(data).await.unwrap();
    assert_eq!(files(), 1, "the bytes of a replaced object are deleted");
    server.direct().delete(BUCKET, "k");
    assert_eq!(files(), 0);
}
