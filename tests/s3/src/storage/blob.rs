//! Bytes at rest: blobs, contents made of pieces of blobs, and the reader that streams them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tempfile::TempPath;

/// Bytes handed to the socket at a time: large enough that a frame's cost vanishes, small enough for flat memory.
const FRAME: u64 = 256 << 10;

/// Bytes that were received together: a part, or an object put at once.
#[derive(Debug)]
pub(crate) enum Blob {
    Memory(RwLock<Bytes>),
    File(TempPath),
}

impl Blob {
    fn read(&self, offset: u64, length: u64) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => {
                let bytes = bytes.read().unwrap_or_else(PoisonError::into_inner);
                let range = offset as usize..(offset + length) as usize;
                bytes
                    .get(range)
                    .map(|part| bytes.slice_ref(part))
                    .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            Self::File(path) => {
                let mut buffer = vec![0; length as usize];
                File::open(path)?.read_exact_at(&mut buffer, offset)?;
                Ok(buffer.into())
            }
        }
    }

    /// Inverts one bit, as a failing disk would.
    fn flip(&self, offset: u64) -> io::Result<()> {
        match self {
            Self::Memory(bytes) => {
                let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
                let mut changed = bytes.to_vec();
                *changed.get_mut(offset as usize).ok_or(io::ErrorKind::UnexpectedEof)? ^= 1;
                *bytes = changed.into();
                Ok(())
            }
            Self::File(path) => {
                let file = File::options().read(true).write(true).open(path)?;
                let mut byte = [0];
                file.read_exact_at(&mut byte, offset)?;
                file.write_all_at(&[byte[0] ^ 1], offset)
            }
        }
    }
}

/// Receives a blob.
pub(crate) enum BlobWriter {
    Memory(Vec<u8>),
    File(File, TempPath),
}

impl BlobWriter {
    /// In `directory`, or in memory when there is none.
    pub(crate) fn new(directory: Option<&Path>) -> io::Result<Self> {
        let Some(directory) = directory else { return Ok(Self::Memory(Vec::new())) };
        let (file, path) = tempfile::Builder::new().prefix("blob-").tempfile_in(directory)?.into_parts();
        Ok(Self::File(file, path))
    }

    /// Writes into the page cache without leaving the runtime's thread: a hand-over costs more than the copy.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory(buffer) => {
                buffer.extend_from_slice(bytes);
                Ok(())
            }
            Self::File(file, _) => file.write_all(bytes),
        }
    }

    pub(crate) fn finish(self, length: u64) -> Content {
        let blob = match self {
            Self::Memory(buffer) => Blob::Memory(RwLock::new(buffer.into())),
            Self::File(_, path) => Blob::File(path),
        };
        Content::from_pieces([Piece { blob: Arc::new(blob), offset: 0, length }])
    }
}

/// A range of a blob.
#[derive(Debug, Clone)]
struct Piece {
    blob: Arc<Blob>,
    offset: u64,
    length: u64,
}

/// The bytes of an object or a part: pieces in order. Cloning shares them; nothing is copied to join or to cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    pieces: Arc<[Piece]>,
    length: u64,
}

impl Content {
    fn from_pieces(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: Arc<[Piece]> = pieces.into_iter().filter(|piece| piece.length > 0).collect();
        let length = pieces.iter().map(|piece| piece.length).sum();
        Self { pieces, length }
    }

    pub(crate) fn from_bytes(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self::from_pieces([Piece { blob: Arc::new(Blob::Memory(RwLock::new(bytes))), offset: 0, length }])
    }

    /// Bytes.
    pub(crate) const fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn concatenated<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        Self::from_pieces(parts.flat_map(|part| part.pieces.iter().cloned()))
    }

    /// The bytes from `start` up to, not including, `end`; both within the content.
    pub(crate) fn slice(&self, start: u64, end: u64) -> Self {
        let mut position = 0;
        Self::from_pieces(self.pieces.iter().filter_map(|piece| {
            let (from, to) = (position, position + piece.length);
            position = to;
            let (low, high) = (start.max(from), end.min(to));
            let offset = piece.offset + low.saturating_sub(from);
            (low < high).then(|| Piece { blob: Arc::clone(&piece.blob), offset, length: high - low })
        }))
    }

    pub(crate) fn reader(&self) -> ContentReader {
        ContentReader { pieces: self.pieces.iter().cloned().collect(), left: self.length }
    }

    /// All bytes, a frame at a time.
    pub(crate) fn frames(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        let mut reader = self.reader();
        std::iter::from_fn(move || reader.next_frame())
    }

    /// All bytes at once: for tests and small objects.
    pub(crate) fn to_bytes(&self) -> io::Result<Bytes> {
        let mut all = Vec::with_capacity(self.length as usize);
        for piece in self.pieces.iter() {
            all.extend_from_slice(&piece.blob.read(piece.offset, piece.length)?);
        }
        Ok(all.into())
    }

    /// Gives each frame of the content to `each`, in order.
    pub(crate) fn scan(&self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        let mut reader = self.reader();
        while let Some(frame) = reader.next_frame() {
            each(&frame?);
        }
        Ok(())
    }

    /// Inverts the lowest bit of the byte at `offset`; every object that shares the blob sees it.
    pub(crate) fn flip(&self, offset: u64) -> io::Result<()> {
        let mut position = 0;
        for piece in self.pieces.iter() {
            if offset < position + piece.length {
                return piece.blob.flip(piece.offset + offset - position);
            }
            position += piece.length;
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Streams a content in frames.
pub(crate) struct ContentReader {
    pieces: VecDeque<Piece>,
    left: u64,
}

impl ContentReader {
    fn next_frame(&mut self) -> Option<io::Result<Bytes>> {
        let piece = self.pieces.front_mut()?;
        let length = piece.length.min(FRAME);
        let frame = piece.blob.read(piece.offset, length);
        piece.offset += length;
        piece.length -= length;
        self.left -= length;
        if piece.length == 0 || frame.is_err() {
            self.pieces.pop_front();
        }
        Some(frame)
    }
}

impl Stream for ContentReader {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.next_frame().map(|frame| frame.map_err(Into::into)))
    }
}

impl ByteStream for ContentReader {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(self.left as usize)
    }
}
