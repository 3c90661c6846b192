//! Sockets, TLS and the bytes of HTTP/1.1.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Answer, End, Reply, Request, Server};

/// What may go wrong.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Longer than any test waits.
const FOREVER: Duration = Duration::from_secs(3_600);

struct Shared {
    answer: Arc<Answer>,
    seen: Arc<Mutex<Vec<Request>>>,
    tls: Option<TlsAcceptor>,
}

pub(crate) async fn start(answer: Arc<Answer>, tls: bool) -> Result<Server, Error> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    let (acceptor, pem) = acceptor()?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::new(Shared { answer, seen: Arc::clone(&seen), tls: tls.then_some(acceptor) });
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            // A connection that the client gives up is nobody's loss.
            tokio::spawn(async move { drop(connection(stream, &shared).await) });
        }
    });
    Ok(Server { address, tls, pem, seen, task })
}

fn acceptor() -> Result<(TlsAcceptor, String), Error> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), made.cert.pem()))
}

async fn connection(stream: TcpStream, shared: &Shared) -> Result<(), Error> {
    match &shared.tls {
        Some(tls) => exchange(tls.accept(stream).await?, shared).await,
        None => exchange(stream, shared).await,
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> Result<(), Error> {
    let Some(request) = read(&mut stream).await? else { return Ok(()) };
    let turn = {
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(request.clone());
        seen.len() - 1
    };
    let reply = (shared.answer)(&request, turn);
    write(&mut stream, &request, reply).await
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<Request>, Error> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return Ok(None);
        }
        bytes.push(byte[0]);
    }
    let text = String::from_utf8(bytes)?;
    let mut lines = text.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, target) = (word(), word());
    let header =
        |line: &str| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()));
    Ok(Some(Request { method, target, headers: lines.filter_map(header).collect() }))
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), request: &Request, reply: Reply) -> Result<(), Error> {
    let mut head = format!("HTTP/1.1 {} Odd\r\nconnection: close\r\n", reply.status);
    if reply.chunked {
        head.push_str("transfer-encoding: chunked\r\n");
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    if request.method != "HEAD" {
        let sent = match reply.end {
            End::Whole => reply.body.len(),
            End::Cut(at) | End::Stall(at) => at.min(reply.body.len()),
        };
        body(stream, &reply.body[..sent], reply.chunked).await?;
        match reply.end {
            End::Whole if reply.chunked => stream.write_all(b"0\r\n\r\n").await?,
            End::Whole => {}
            End::Cut(_) => {
                stream.flush().await?;
                return Ok(());
            }
            End::Stall(_) => {
                stream.flush().await?;
                tokio::time::sleep(FOREVER).await;
            }
        }
    }
    stream.flush().await?;
    stream.shutdown().await?;
    Ok(())
}

async fn body(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], chunked: bool) -> Result<(), Error> {
    if !chunked {
        stream.write_all(bytes).await?;
        return Ok(());
    }
    for chunk in bytes.chunks(1_000) {
        stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
        stream.write_all(chunk).await?;
        stream.write_all(b"\r\n").await?;
    }
    Ok(())
}
