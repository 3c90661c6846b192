//! Reads a tar as it comes: POSIX ustar with pax headers, and what GNU tar writes for long names. What an archive claims is
//! checked before it is believed; memory does not grow with it.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use tar::{EntryType, Header};

/// Bytes of a block.
const BLOCK: usize = 512;
/// Longest pax header or long name that is read: a path has at most 4 KiB.
const LONGEST: u64 = 1 << 20;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A file, a folder, a link: its bytes follow.
    Entry(Entry),
    /// Bytes of the entry.
    Content(Bytes),
    /// The entry has no more bytes.
    Ended,
    /// The end mark.
    Over,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name, as it is told: it may lead anywhere.
    pub name: Vec<u8>,
    pub kind: Kind,
    pub size: u64,
    /// Where its first header begins, in unpacked bytes.
    pub at: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    SymbolicLink,
    HardLink,
    /// A file of which only some pieces stand in the archive.
    Sparse,
    /// A FIFO, a device.
    Special,
}

/// What is wrong with an archive, and where.
#[derive(Debug)]
pub(crate) struct Bad(pub String);

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads from a header on, or within an entry.
pub(crate) struct Untar {
    stage: Stage,
    /// Unpacked bytes that were taken.
    at: u64,
    waiting: BytesMut,
    told: Told,
}

enum Stage {
    Header,
    /// A header that tells of the next entry.
    Long {
        kind: Long,
        left: u64,
        size: u64,
    },
    Content {
        left: u64,
        size: u64,
    },
    Padding {
        left: u64,
        entry: bool,
    },
    /// The first of the two blocks that end it was read.
    End,
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Long {
    Pax,
    Name,
    /// Global, or a link's target: not needed.
    Other,
}

/// What headers in front of an entry tell of it.
#[derive(Default)]
struct Told {
    begun: Option<u64>,
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl Untar {
    /// At a header, which begins at that unpacked byte.
    pub(crate) fn at_header(at: u64) -> Self {
        Self { stage: Stage::Header, at, waiting: BytesMut::new(), told: Told::default() }
    }

    /// Within the content of an entry.
    pub(crate) fn within(at: u64, left: u64, size: u64) -> Self {
        Self { stage: Stage::Content { left, size }, at, waiting: BytesMut::new(), told: Told::default() }
    }

    /// Whether the end mark was read.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Unpacked bytes that were taken.
    pub(crate) fn position(&self) -> u64 {
        self.at
    }

    /// Takes some of the input; `None` if it is all taken and tells nothing yet.
    pub(crate) fn take(&mut self, input: &mut Bytes) -> Result<Option<Event>, Bad> {
        loop {
            match &mut self.stage {
                Stage::Over => {
                    // Tapes and gzip fill up behind the end: nothing there is of the archive.
                    self.at += input.len() as u64;
                    input.clear();
                    return Ok(None);
                }
                Stage::Header | Stage::End => {
                    let Some(block) = self.block(input) else { return Ok(None) };
                    if let Some(event) = self.header(&block)? {
                        return Ok(Some(event));
                    }
                }
                Stage::Long { kind, left, size } => {
                    if input.is_empty() && *left > 0 {
                        return Ok(None);
                    }
                    let (kind, size) = (*kind, *size);
                    let piece = cut(input, left);
                    let over = *left == 0;
                    self.at += piece.len() as u64;
                    self.waiting.extend_from_slice(&piece);
                    if over {
                        let text = self.waiting.split().freeze();
                        self.long(kind, &text)?;
                        self.stage = Stage::Padding { left: padding(size), entry: false };
                    }
                }
                Stage::Content { left, size } => {
                    if *left == 0 {
                        self.stage = Stage::Padding { left: padding(*size), entry: true };
                        continue;
                    }
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let piece = cut(input, left);
                    self.at += piece.len() as u64;
                    return Ok(Some(Event::Content(piece)));
                }
                Stage::Padding { left, entry } => {
                    if input.is_empty() && *left > 0 {
                        return Ok(None);
                    }
                    let piece = cut(input, left);
                    self.at += piece.len() as u64;
                    if *left == 0 {
                        let entry = *entry;
                        self.stage = Stage::Header;
                        if entry {
                            return Ok(Some(Event::Ended));
                        }
                    }
                }
            }
        }
    }

    fn block(&mut self, input: &mut Bytes) -> Option<[u8; BLOCK]> {
        let missing = BLOCK - self.waiting.len();
        let piece = input.split_to(missing.min(input.len()));
        self.at += piece.len() as u64;
        self.waiting.extend_from_slice(&piece);
        let block = self.waiting.as_ref().try_into().ok()?;
        self.waiting.clear();
        Some(block)
    }

    fn header(&mut self, block: &[u8; BLOCK]) -> Result<Option<Event>, Bad> {
        let start = self.at - BLOCK as u64;
        if block == &[0; BLOCK] {
            let ended = matches!(self.stage, Stage::End);
            self.stage = if ended { Stage::Over } else { Stage::End };
            return Ok(ended.then_some(Event::Over));
        }
        let bad = |why: String| Bad(format!("at unpacked byte {start}: {why}"));
        let header = Header::from_byte_slice(block);
        if header.cksum().ok() != Some(sum(block)) {
            return Err(bad("expected the header of a tar, found another sum of its bytes".to_owned()));
        }
        self.told.begun.get_or_insert(start);
        let size = header.entry_size().map_err(|error| bad(error.to_string()))?;
        let kind = header.entry_type();
        let long = match kind {
            EntryType::XHeader => Some(Long::Pax),
            EntryType::GNULongName => Some(Long::Name),
            EntryType::XGlobalHeader | EntryType::GNULongLink => Some(Long::Other),
            _ => None,
        };
        if let Some(kind) = long {
            if size > LONGEST {
                return Err(bad(format!("expected a header of at most {LONGEST} bytes, found {size}")));
            }
            self.stage = Stage::Long { kind, left: size, size };
            return Ok(None);
        }
        let told = std::mem::take(&mut self.told);
        let name = told.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = kind_of(kind, &name, told.sparse);
        // Only files have bytes behind their header; some writers tell a link's target's size.
        let size = match kind {
            Kind::File | Kind::Sparse => told.size.unwrap_or(size),
            _ => 0,
        };
        self.stage = Stage::Content { left: size, size };
        Ok(Some(Event::Entry(Entry { name, kind, size, at: told.begun.unwrap_or(start) })))
    }

    fn long(&mut self, kind: Long, text: &[u8]) -> Result<(), Bad> {
        match kind {
            Long::Other => {}
            Long::Name => {
                let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
                self.told.name = Some(text[..end].to_vec());
            }
            Long::Pax => {
                for record in tar::PaxExtensions::new(text) {
                    let record =
                        record.map_err(|error| Bad(format!("at unpacked byte {}: {error}", self.at)))?;
                    match record.key_bytes() {
                        b"path" => self.told.name = Some(record.value_bytes().to_vec()),
                        b"size" => {
                            let size = record.value().ok().and_then(|text| text.parse().ok());
                            self.told.size = Some(size.ok_or_else(|| {
                                Bad(format!("at unpacked byte {}: expected a size in decimal", self.at))
                            })?);
                        }
                        key if key.starts_with(b"GNU.sparse.") => self.told.sparse = true,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}

fn kind_of(kind: EntryType, name: &[u8], sparse: bool) -> Kind {
    match kind {
        _ if sparse => Kind::Sparse,
        EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => Kind::Directory,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::SymbolicLink,
        EntryType::Link => Kind::HardLink,
        EntryType::GNUSparse => Kind::Sparse,
        _ => Kind::Special,
    }
}

/// The sum of a header's bytes, with blanks where it stands itself.
fn sum(block: &[u8; BLOCK]) -> u32 {
    block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum()
}

fn cut(input: &mut Bytes, left: &mut u64) -> Bytes {
    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= most as u64;
    let piece = input.slice(..most);
    input.advance(most);
    piece
}

/// Zeros behind so many bytes.
pub(crate) const fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use tar::{Builder, EntryType, Header};

    use super::{Event, Kind, Untar};

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        header
    }

    type Found = (String, Kind, Vec<u8>);

    /// Names, kinds and bytes of an archive that arrives in pieces; whether it was read to its end.
    fn read(archive: &[u8], piece: usize) -> Result<(Vec<Found>, bool), String> {
        let mut untar = Untar::at_header(0);
        let mut found: Vec<Found> = Vec::new();
        for piece in archive.chunks(piece) {
            let mut input = Bytes::copy_from_slice(piece);
            while let Some(event) = untar.take(&mut input).map_err(|bad| bad.to_string())? {
                match event {
                    Event::Entry(entry) => {
                        found.push((
                            String::from_utf8_lossy(&entry.name).into_owned(),
                            entry.kind,
                            Vec::new(),
                        ));
                    }
                    Event::Content(bytes) => found.last_mut().unwrap().2.extend_from_slice(&bytes),
                    Event::Ended | Event::Over => {}
                }
            }
        }
        assert!(untar.position() <= archive.len() as u64);
        Ok((found, untar.is_over()))
    }

    #[test]
    fn all_kinds_and_names_of_any_length_are_read_in_any_pieces() {
        let long = format!("{}/{}", "d".repeat(200), "f".repeat(300));
        let mut builder = Builder::new(Vec::new());
        for (name, content) in [("a", &b"first"[..]), (&long, &[7; 1_300][..]), ("empty", &[][..])] {
            builder
                .append_data(&mut header(EntryType::Regular, content.len() as u64), name, content)
                .unwrap();
        }
        builder.append_data(&mut header(EntryType::Directory, 0), "folder/", &[][..]).unwrap();
        builder.append_link(&mut header(EntryType::Symlink, 0), "soft", "a").unwrap();
        builder.append_link(&mut header(EntryType::Link, 0), "hard", "a").unwrap();
        builder.append_data(&mut header(EntryType::Fifo, 0), "fifo", &[][..]).unwrap();
        let archive = builder.into_inner().unwrap();
        for piece in [1, 100, 512, 513, archive.len()] {
            let (found, over) = read(&archive, piece).unwrap();
            let told: Vec<_> =
                found.iter().map(|(name, kind, content)| (name.as_str(), *kind, content.len())).collect();
            assert_eq!(
                told,
                [
                    ("a", Kind::File, 5),
                    (long.as_str(), Kind::File, 1_300),
                    ("empty", Kind::File, 0),
                    ("folder/", Kind::Directory, 0),
                    ("soft", Kind::SymbolicLink, 0),
                    ("hard", Kind::HardLink, 0),
                    ("fifo", Kind::Special, 0),
                ]
            );
            assert!(over);
        }
        let cut = &archive[..archive.len() - 1_024];
        assert!(!read(cut, 1_000).unwrap().1, "without its end mark it was cut");
    }

    #[test]
    fn what_an_archive_claims_is_checked() {
        let mut builder = Builder::new(Vec::new());
        builder.append_data(&mut header(EntryType::Regular, 3), "a", &b"abc"[..]).unwrap();
        let archive = builder.into_inner().unwrap();
        for at in [0, 100, 124, 156, 300] {
            let mut spoiled = archive.clone();
            spoiled[at] ^= 1;
            assert!(read(&spoiled, 700).unwrap_err().contains("at unpacked byte 0"), "byte {at}");
        }
        let mut long = header(EntryType::XHeader, 2 << 20);
        long.set_path("x").unwrap();
        long.set_cksum();
        let mut archive = Vec::new();
        archive.write_all(long.as_bytes()).unwrap();
        assert!(read(&archive, 512).unwrap_err().contains("expected a header of at most"));
    }

    #[test]
    fn reading_goes_on_within_an_entry() {
        let mut builder = Builder::new(Vec::new());
        builder.append_data(&mut header(EntryType::Regular, 1_000), "a", &[9; 1_000][..]).unwrap();
        builder.append_data(&mut header(EntryType::Regular, 2), "b", &b"bb"[..]).unwrap();
        let archive = builder.into_inner().unwrap();
        let mut untar = Untar::within(512 + 600, 400, 1_000);
        let mut input = Bytes::from(archive[512 + 600..].to_vec());
        assert!(matches!(untar.take(&mut input), Ok(Some(Event::Content(bytes))) if bytes.len() == 400));
        assert!(matches!(untar.take(&mut input), Ok(Some(Event::Ended))));
        let Ok(Some(Event::Entry(entry))) = untar.take(&mut input) else { panic!("an entry") };
        assert_eq!((entry.name.as_slice(), entry.at), (&b"b"[..], 1_536));
    }
}
