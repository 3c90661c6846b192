//! The container of a pack: a tar (POSIX ustar) of plain files, whose bytes follow from the names, the order and the contents of
//! its files and from nothing else. So the same evidence is the same bytes, any changed byte is seen, and any tar reads it.
//! Nothing in it is compressed: a pack can not grow when it is unpacked, and no library's compression has to be the same in
//! ten years.

mod header;
mod reader;
mod writer;

pub(crate) use reader::{Pack, Span};
pub(crate) use writer::Writer;

use std::io::Read;

use sha2::{Digest, Sha256};

/// Bytes of a block: headers have one, contents are filled up to whole ones.
const BLOCK: usize = 512;
/// Two blocks of zeros end an archive.
const END: usize = 2 * BLOCK;
/// A size is written with 11 octal digits.
pub(crate) const LARGEST: u64 = (1 << 33) - 1;
/// Bytes that are read at once.
const FRAME: usize = 256 << 10;

/// Zeros behind so many bytes, up to a whole block.
fn padding(size: u64) -> usize {
    let rest = size % BLOCK as u64;
    if rest == 0 { 0 } else { BLOCK - rest as usize }
}

/// SHA-256 as `sha256sum` writes it.
pub(crate) fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a text.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

/// SHA-256 and length of all that can be read.
///
/// # Errors
/// The reader's.
pub(crate) fn sha256_of(mut from: impl Read) -> std::io::Result<(String, u64)> {
    let (mut digest, mut size, mut frame) = (Sha256::new(), 0, vec![0; FRAME]);
    loop {
        let read = from.read(&mut frame)?;
        if read == 0 {
            return Ok((hex(digest), size));
        }
        digest.update(&frame[..read]);
        size += read as u64;
    }
}
