//! A connection that a fault can reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

/// Resets its connection: the peer sees RST, not an orderly end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    /// From now on reads and writes fail; the reset goes out when the connection is dropped.
    pub(crate) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_reset(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What requests come in on and answers go out on: a socket, or a pipe within the process.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// From now on dropping the stream tells the peer that the connection was reset, not that it ended.
    fn reset(&mut self);
}

impl Stream for TcpStream {
    fn reset(&mut self) {
        // Without lingering, closing sends RST. If the option fails the peer sees FIN, which is as unexpected.
        let _ = self.set_zero_linger();
    }
}

impl Stream for DuplexStream {
    /// Has no reset: its peer finds the end.
    fn reset(&mut self) {}
}

pub(crate) struct Connection<S: Stream> {
    stream: S,
    switch: Switch,
}

impl<S: Stream> Connection<S> {
    pub(crate) fn new(stream: S) -> (Self, Switch) {
        let switch = Switch::default();
        (Self { stream, switch: switch.clone() }, switch)
    }

    fn check(&self) -> io::Result<()> {
        if self.switch.is_reset() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl<S: Stream> Drop for Connection<S> {
    fn drop(&mut self) {
        if self.switch.is_reset() {
            self.stream.reset();
        }
    }
}

impl<S: Stream> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: Stream> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
