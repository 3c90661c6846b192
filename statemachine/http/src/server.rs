//! The server: built, bound to loopback, shut down.
use crate::answer::Answer;
use crate::handle::Handler;
use crate::keys::Key;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use stepfunctions_local::Engine;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long requests may take to be answered once the server is told to end.
const GRACE: Duration = Duration::from_secs(2);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Whoever has a key may run anything here: that is nothing for a network.
    #[error("{0}: expected an address of this machine alone (loopback)")]
    NotLoopback(SocketAddr),
    /// The port.
    #[error("{0}: {1}")]
    Bind(SocketAddr, #[source] io::Error),
}

/// Answers a request, whatever it is.
pub type Answers = dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

/// Collects what a server needs to start.
#[derive(Clone)]
pub struct Builder {
    engine: Engine,
    keys: Vec<Key>,
    region: String,
    address: SocketAddr,
}

impl Builder {
    /// A key that may do everything. Without any, every request is refused.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// The Region that signatures must name; `us-east-1` by default.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Where to listen; by default on a port of 127.0.0.1 that the system chooses.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Binds, and serves on the current tokio runtime.
    ///
    /// # Errors
    /// An address that is not loopback, or a port that can not be had.
    pub async fn start(self) -> Result<Server, StartError> {
        let handler = Arc::new(Handler { engine: self.engine, keys: self.keys, region: self.region });
        let answers = move |request| {
            let handler = handler.clone();
            Box::pin(async move { handler.handle(request).await }) as Pin<Box<_>>
        };
        Server::listen(self.address, Arc::new(answers)).await
    }
}

/// A running server. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Begins a server of this engine.
    #[must_use]
    pub fn builder(engine: Engine) -> Builder {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Builder { engine, keys: Vec::new(), region: "us-east-1".to_owned(), address }
    }

    /// Serves anything else in the same way: on loopback alone, and ended in order.
    ///
    /// # Errors
    /// As those of [`Builder::start`].
    pub async fn listen(asked: SocketAddr, answers: Arc<Answers>) -> Result<Self, StartError> {
        if !asked.ip().is_loopback() {
            return Err(StartError::NotLoopback(asked));
        }
        let bind = |error| StartError::Bind(asked, error);
        let listener = TcpListener::bind(asked).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listener, answers, stopped));
        Ok(Self { address, stop, task })
    }

    /// Such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, and ends once those under way are answered, or a moment later.
    pub async fn shutdown(self) {
        // Closed already if the task is gone.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

async fn accept(listener: TcpListener, answers: Arc<Answers>, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Told to stop, or the server was dropped.
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, answers.clone(), stopped.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: a pause, so that this loop does not take a core meanwhile.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all).await;
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, answers: Arc<Answers>, mut stopped: watch::Receiver<()>) {
    // Small answers must not wait for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answer = answers(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            return;
        }
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
