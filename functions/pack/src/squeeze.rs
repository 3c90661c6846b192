//! Compresses into parts that stand by themselves: each is whole members (gzip) or frames (Zstandard), so that a part can be
//! sent again, or the packing be taken up behind it, without what came before; and each but the last has exactly the bytes that
//! parts have, as layouts and some stores want it. What is missing to that is filled with members that hold nothing, which
//! every reader of the formats skips.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

use transload_wire::ArchiveFormat;

/// Bytes that are taken at once.
const PIECE: usize = 64 << 10;
/// What a member may need to end, and the least filling.
const TAIL: usize = 128;
/// An empty member of gzip with one subfield, which takes up to this many bytes more.
const EMPTY: usize = 26;
const FIELD: usize = 65_535 - 4;

/// Makes one part after the other.
pub(crate) struct Squeezer {
    format: ArchiveFormat,
    level: u32,
    part: usize,
    member: Member,
    /// Bytes that were taken since the encoder was last asked what it made of them.
    unknown: usize,
    taken: bool,
}

enum Member {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
}

impl Member {
    fn new(format: ArchiveFormat, level: u32, part: usize) -> io::Result<Self> {
        let out = Vec::with_capacity(part);
        Ok(match format {
            ArchiveFormat::Tar => Self::Plain(out),
            ArchiveFormat::Gzip => Self::Gzip(GzEncoder::new(out, Compression::new(level))),
            ArchiveFormat::Zstd => {
                let mut encoder = ZstdEncoder::new(out, i32::try_from(level).unwrap_or(3))?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Plain(out) => out.len(),
            Self::Gzip(encoder) => encoder.get_ref().len(),
            Self::Zstd(encoder) => encoder.get_ref().len(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

/// The most that so many bytes become: what can not be compressed is stored, with a few bytes for each block.
const fn most(bytes: usize) -> usize {
    bytes + bytes / 128 + 64
}

impl Squeezer {
    /// For parts of `part` bytes.
    ///
    /// # Errors
    /// The encoder's.
    pub(crate) fn new(format: ArchiveFormat, level: u32, part: usize) -> io::Result<Self> {
        let member = Member::new(format, level, part)?;
        Ok(Self { format, level, part, member, unknown: 0, taken: false })
    }

    /// Takes some of these bytes; 0 if the part is full.
    ///
    /// # Errors
    /// The encoder's.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let take = self.room(bytes.len().min(PIECE))?;
        if take > 0 {
            self.member.write(&bytes[..take])?;
            self.unknown += take;
            self.taken = true;
        }
        Ok(take)
    }

    /// How many of so many bytes surely find room. What the encoder keeps back is counted as if it did not shrink; only when
    /// that would not fit is the encoder asked to let go of it.
    fn room(&mut self, wanted: usize) -> io::Result<usize> {
        if matches!(self.format, ArchiveFormat::Tar) {
            return Ok(wanted.min(self.part - self.member.len()));
        }
        let fits = |this: &Self| this.member.len() + most(this.unknown + wanted) + TAIL <= this.part;
        if !fits(self) {
            self.member.flush()?;
            self.unknown = 0;
        }
        Ok(if fits(self) { wanted } else { 0 })
    }

    /// Whether nothing was taken since the last part.
    pub(crate) fn is_empty(&self) -> bool {
        !self.taken
    }

    /// Ends the part, and begins the next one. Unless it is the last it has all bytes of a part.
    ///
    /// # Errors
    /// The encoder's.
    pub(crate) fn seal(&mut self, last: bool) -> io::Result<Vec<u8>> {
        let next = Member::new(self.format, self.level, if last { 0 } else { self.part })?;
        let mut part = std::mem::replace(&mut self.member, next).finish()?;
        (self.unknown, self.taken) = (0, false);
        if !last {
            fill(self.format, &mut part, self.part);
        }
        Ok(part)
    }
}

/// Fills a part up with members that hold nothing.
fn fill(format: ArchiveFormat, part: &mut Vec<u8>, size: usize) {
    while part.len() < size {
        let missing = size - part.len();
        match format {
            // A plain part takes bytes until it is full.
            ArchiveFormat::Tar => return,
            ArchiveFormat::Gzip => part.extend_from_slice(&empty_member(missing)),
            ArchiveFormat::Zstd => part.extend_from_slice(&skippable_frame(missing)),
        }
    }
}

/// A member of `missing` bytes, or of so many that another one still fits behind it.
fn empty_member(missing: usize) -> Vec<u8> {
    let field = missing.saturating_sub(EMPTY);
    let field = if field <= FIELD { field } else { field.min(FIELD + EMPTY) - EMPTY };
    let (field, extra) = (field as u16, field as u16 + 4);
    // Deflated, a field of its own, no time, of unknown system.
    let mut member = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff];
    member.extend_from_slice(&extra.to_le_bytes());
    member.extend_from_slice(b"tl");
    member.extend_from_slice(&field.to_le_bytes());
    member.resize(member.len() + usize::from(field), 0);
    // A last block without any byte; CRC and length of nothing.
    member.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    member
}

/// A frame that every decoder skips (RFC 8878, 3.1.2).
fn skippable_frame(missing: usize) -> Vec<u8> {
    let content = missing.saturating_sub(8);
    let mut frame = 0x184d_2a50_u32.to_le_bytes().to_vec();
    frame.extend_from_slice(&(content as u32).to_le_bytes());
    frame.resize(8 + content, 0);
    frame
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{EMPTY, Squeezer, TAIL, empty_member, fill, most};
    use transload_wire::ArchiveFormat;

    fn unpack(format: ArchiveFormat, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match format {
            ArchiveFormat::Tar => out.extend_from_slice(bytes),
            ArchiveFormat::Gzip => {
                flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).unwrap();
            }
            ArchiveFormat::Zstd => {
                zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut out).unwrap();
            }
        }
        out
    }

    /// Bytes that shrink, and bytes that do not, from a generator.
    fn bytes(len: usize, noisy: bool) -> Vec<u8> {
        let mut state = 1_u64;
        (0..len)
            .map(|at| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if noisy { state as u8 } else { (at / 1_000) as u8 }
            })
            .collect()
    }

    #[test]
    fn parts_have_one_size_and_each_stands_by_itself() {
        const PART: usize = 300_000;
        for format in [ArchiveFormat::Tar, ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
            for noisy in [true, false] {
                let content = bytes(1_000_003, noisy);
                let mut squeezer = Squeezer::new(format, format.level(None).unwrap(), PART).unwrap();
                let (mut parts, mut at) = (Vec::new(), 0);
                while at < content.len() {
                    // Of all lengths, as they come.
                    let piece = &content[at..content.len().min(at + 1 + at % 100_000)];
                    match squeezer.take(piece).unwrap() {
                        0 => parts.push(squeezer.seal(false).unwrap()),
                        taken => at += taken,
                    }
                }
                assert!(!squeezer.is_empty());
                let last = squeezer.seal(true).unwrap();
                assert!(squeezer.is_empty() && last.len() <= PART);
                assert!(parts.iter().all(|part| part.len() == PART), "{format}");
                assert_eq!(parts.len() >= 3, noisy || format == ArchiveFormat::Tar, "{format}");
                parts.push(last);
                let apart: Vec<u8> = parts.iter().flat_map(|part| unpack(format, part)).collect();
                assert!(apart == content && unpack(format, &parts.concat()) == content, "{format}");
            }
        }
    }

    #[test]
    fn any_rest_can_be_filled() {
        for format in [ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
            for missing in
                (TAIL..2_000).chain(65_400..65_700).chain(131_000..131_200).chain([1 << 20, 16 << 20])
            {
                let mut part = Squeezer::new(format, 1, 100_000).unwrap().seal(true).unwrap();
                let size = part.len() + missing;
                fill(format, &mut part, size);
                assert_eq!(part.len(), size, "{format} {missing}");
                assert_eq!(unpack(format, &part), b"", "{format} {missing}");
            }
        }
        assert_eq!(empty_member(EMPTY).len(), EMPTY);
    }

    #[test]
    fn what_can_not_shrink_stays_within_its_bound() {
        for format in [ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
            for len in [1, 100, 65_536, 1_000_000] {
                let mut squeezer = Squeezer::new(format, 1, 4_000_000).unwrap();
                let (content, mut at) = (bytes(len, true), 0);
                while at < len {
                    at += squeezer.take(&content[at..]).unwrap();
                }
                assert!(squeezer.seal(true).unwrap().len() <= most(len) + TAIL, "{format} {len}");
            }
        }
    }
}
