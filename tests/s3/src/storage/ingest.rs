//! Receives a body: to the blob, through MD5 and checksums, and against what the client declared of it.

use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode};
use md5::Digest as _;
use s3s::dto::StreamingBlob;
use s3s::{S3ErrorCode, S3Result, TrailingHeaders};

use super::Store;
use super::blob::{BlobWriter, Content};
use crate::checksum::{self, Algorithm, Hasher};
use crate::errors;
use crate::faults::Arrival;

/// What a client declared of a body, in headers and in the trailer to come.
pub(crate) struct Declared {
    pub length: Option<u64>,
    content_md5: Option<String>,
    algorithm: Option<Algorithm>,
    value: Option<String>,
    trailer: Option<TrailingHeaders>,
}

/// A body that arrived whole and matches its declarations.
pub(crate) struct Received {
    pub content: Content,
    pub fingerprint: [u8; 16],
    pub digests: Vec<(Algorithm, Vec<u8>)>,
    /// The algorithm for which the client sent a value.
    pub declared: Option<Algorithm>,
}

impl Received {
    pub(crate) fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        self.digests.iter().find(|(kind, _)| *kind == algorithm).map(|(_, raw)| raw.as_slice())
    }
}

impl Declared {
    pub(crate) fn read(headers: &HeaderMap, trailer: Option<TrailingHeaders>) -> S3Result<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let given: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter_map(|algorithm| Some((algorithm, text(algorithm.header().as_str())?.to_owned())))
            .collect();
        if given.len() > 1 {
            return Err(errors::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let announced = trailer_algorithm(text("x-amz-trailer").unwrap_or_default());
        let named = text("x-amz-sdk-checksum-algorithm").map(|name| {
            Algorithm::parse(name).ok_or_else(|| {
                errors::invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid.")
            })
        });
        let named = named.transpose()?;
        let (algorithm, value) = match given.into_iter().next() {
            Some((algorithm, value)) => (Some(algorithm), Some(value)),
            None => (announced, None),
        };
        check_names(named, algorithm)?;
        if let (Some(algorithm), Some(value)) = (algorithm, &value)
            && !algorithm.accepts(value)
        {
            let header = algorithm.header();
            return Err(errors::invalid_request(format!("Value for {header} header is invalid.")));
        }
        let content_md5 = text("content-md5").map(ToOwned::to_owned);
        if content_md5
            .as_deref()
            .is_some_and(|value| checksum::decode(value).is_none_or(|raw| raw.len() != 16))
        {
            return Err(errors::refuse(
                S3ErrorCode::InvalidDigest,
                "The Content-MD5 you specified was invalid.",
            ));
        }
        Ok(Self { length: length(headers), content_md5, algorithm, value, trailer })
    }
}

fn trailer_algorithm(names: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| {
        names.split(',').any(|name| name.trim().eq_ignore_ascii_case(algorithm.header().as_str()))
    })
}

fn check_names(named: Option<Algorithm>, used: Option<Algorithm>) -> S3Result<()> {
    match (named, used) {
        (Some(_), None) => Err(errors::invalid_request(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )),
        (Some(named), Some(used)) if named != used => {
            Err(errors::invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."))
        }
        _ => Ok(()),
    }
}

/// The body's own length, without the framing of `aws-chunked`.
fn length(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
    number("x-amz-decoded-content-length").or_else(|| number("content-length"))
}

impl Store {
    /// Receives `body`. `also` is computed beside what the client declared; `max` is in bytes.
    pub(crate) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        declared: Declared,
        also: Option<Algorithm>,
        max: u64,
        arrival: &Arrival,
    ) -> S3Result<Received> {
        if declared.length.is_some_and(|length| length > max) {
            return Err(too_large(max));
        }
        let mut sink = Sink::new(self, &declared, also)?;
        if let Some(mut body) = body {
            while let Some(frame) = body.next().await {
                sink.take(arrival.corrupt(frame.map_err(broken_body)?, sink.length), max)?;
            }
        }
        if declared.length.is_some_and(|length| length != sink.length) {
            let message =
                "You did not provide the number of bytes specified by the Content-Length HTTP header.";
            return Err(errors::refuse(S3ErrorCode::IncompleteBody, message));
        }
        sink.finish(self, &declared)
    }
}

fn too_large(max: u64) -> s3s::S3Error {
    let message = format!("Your proposed upload exceeds the maximum allowed size of {max} bytes.");
    errors::refuse(S3ErrorCode::EntityTooLarge, message)
}

struct Sink {
    writer: BlobWriter,
    md5: md5::Md5,
    wants_md5: bool,
    hashers: Vec<Hasher>,
    length: u64,
}

impl Sink {
    fn new(store: &Store, declared: &Declared, also: Option<Algorithm>) -> S3Result<Self> {
        let also = also.filter(|algorithm| Some(*algorithm) != declared.algorithm);
        let hashers = declared.algorithm.into_iter().chain(also).map(Hasher::new).collect();
        let writer = BlobWriter::new(store.directory.as_deref()).map_err(errors::io)?;
        let wants_md5 = store.capabilities.md5_etags || declared.content_md5.is_some();
        Ok(Self { writer, md5: md5::Md5::new(), wants_md5, hashers, length: 0 })
    }

    fn take(&mut self, frame: Bytes, max: u64) -> S3Result<()> {
        self.length += frame.len() as u64;
        if self.length > max {
            return Err(too_large(max));
        }
        self.md5.update(if self.wants_md5 { &frame[..] } else { &[] });
        self.hashers.iter_mut().for_each(|hasher| hasher.update(&frame));
        self.writer.write(&frame).map_err(errors::io)
    }

    fn finish(self, store: &Store, declared: &Declared) -> S3Result<Received> {
        let md5: [u8; 16] = self.md5.finalize().into();
        if declared.content_md5.as_ref().is_some_and(|value| *value != checksum::encode(&md5)) {
            return Err(errors::refuse(
                S3ErrorCode::BadDigest,
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        let digests: Vec<_> =
            self.hashers.into_iter().map(|hasher| (hasher.algorithm(), hasher.finish())).collect();
        let received = Received {
            content: self.writer.finish(self.length),
            fingerprint: if store.capabilities.md5_etags { md5 } else { store.unique() },
            digests,
            declared: declared.algorithm,
        };
        declared.check_value(&received)?;
        Ok(received)
    }
}

impl Declared {
    fn check_value(&self, received: &Received) -> S3Result<()> {
        let Some(algorithm) = self.algorithm else { return Ok(()) };
        let header = algorithm.header();
        let trailing = || {
            let value = self.trailer.as_ref()?.read(|all| all.get(&header).cloned())??;
            value.to_str().ok().map(|text| text.trim().to_owned())
        };
        let Some(value) = self.value.clone().or_else(trailing) else {
            let message = format!("The trailer announced {header} but did not bring it.");
            return Err(errors::refuse_with(StatusCode::BAD_REQUEST, "MalformedTrailerError", message));
        };
        let computed = received.digest(algorithm).map(checksum::encode);
        if computed.as_deref() == Some(value.as_str()) {
            return Ok(());
        }
        let message =
            format!("The {} you specified did not match the calculated checksum.", algorithm.as_str());
        Err(errors::refuse(S3ErrorCode::BadDigest, message))
    }
}

/// Names the reason why a body could not be read to its end.
fn broken_body(error: s3s::StdError) -> s3s::S3Error {
    let text = format!("{error} {error:?}");
    let bad = |code, message: &'static str| errors::refuse_with(StatusCode::BAD_REQUEST, code, message);
    if text.contains("Sha256Mismatch") {
        bad(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if text.contains("SignatureMismatch") {
        let message = "The signature of a chunk does not match.";
        errors::refuse(S3ErrorCode::SignatureDoesNotMatch, message)
    } else if text.contains("FormatError") || text.contains("TooLarge") {
        bad("InvalidRequest", "The aws-chunked body is malformed.")
    } else {
        bad("IncompleteBody", "The request body terminated unexpectedly.")
    }
}
