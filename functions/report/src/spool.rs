//! A file that is written while it is made, without being held in memory.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use transload_store::work::{WorkBody, WorkFiles};
use transload_wire::{ErrorName, Failure};

/// Bytes that are gathered before they are handed on.
const CHUNK: usize = 256 << 10;

/// What is handed on: some bytes, or the end. Without an end the file is given up.
type Piece = Option<Bytes>;

/// An open file.
pub(crate) struct Spool {
    buffer: BytesMut,
    pieces: mpsc::Sender<Piece>,
    writer: JoinHandle<Result<u64, Failure>>,
}

impl Spool {
    /// Begins a file.
    pub(crate) fn begin(files: &Arc<dyn WorkFiles>, name: String) -> Self {
        let (pieces, received) = mpsc::channel(2);
        let files = Arc::clone(files);
        let writer = tokio::spawn(async move { files.put_stream(&name, body(received)).await });
        Self { buffer: BytesMut::new(), pieces, writer }
    }

    /// Adds text.
    ///
    /// # Errors
    /// What ended the writing.
    pub(crate) async fn write(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.buffer.extend_from_slice(text);
        if self.buffer.len() < CHUNK { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let piece = self.buffer.split().freeze();
        if piece.is_empty() || self.pieces.send(Some(piece)).await.is_ok() {
            return Ok(());
        }
        // Nobody listens any more: the writer says why.
        match (&mut self.writer).await {
            Ok(Err(failure)) => Err(failure),
            _ => Err(given_up()),
        }
    }

    /// Ends the file: it stands when this returns.
    ///
    /// # Errors
    /// What ended the writing.
    pub(crate) async fn end(mut self) -> Result<(), Failure> {
        self.flush().await?;
        // If nobody listens the writer's own answer tells why.
        let _ = self.pieces.send(None).await;
        drop(self.pieces);
        match self.writer.await {
            Ok(written) => written.map(drop),
            Err(error) => Err(ErrorName::Internal.because(format!("the writer of a file ended: {error}"))),
        }
    }
}

fn given_up() -> Failure {
    ErrorName::Internal.because("expected a file to be written to its end, found it given up")
}

fn body(received: mpsc::Receiver<Piece>) -> WorkBody {
    let pieces = stream::unfold(Some(received), |received| async move {
        let mut received = received?;
        match received.recv().await {
            Some(Some(bytes)) => Some((Ok(bytes), Some(received))),
            Some(None) => None,
            None => Some((Err(given_up()), None)),
        }
    });
    pieces.boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use transload_store::work::{MemoryFiles, WorkFiles};

    use super::Spool;

    #[tokio::test]
    async fn a_file_stands_whole_or_not_at_all() {
        let memory = MemoryFiles::new("b");
        let files: Arc<dyn WorkFiles> = Arc::new(memory.clone());
        let mut spool = Spool::begin(&files, "whole".to_owned());
        for _ in 0..100_000 {
            spool.write(b"0123456789").await.unwrap();
        }
        spool.end().await.unwrap();
        let mut given_up = Spool::begin(&files, "given-up".to_owned());
        given_up.write(b"half").await.unwrap();
        drop(given_up);
        tokio::task::yield_now().await;
        let found: Vec<_> = memory.all().into_iter().map(|(name, bytes)| (name, bytes.len())).collect();
        assert_eq!(found, [("whole".to_owned(), 1_000_000)]);
    }
}
