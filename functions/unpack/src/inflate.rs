//! Decompresses what comes, and tells where one can begin again: in front of each member of gzip, of each frame of Zstandard, and
//! anywhere in what is not compressed.

use std::io;

use bytes::{Buf, Bytes};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use transload_wire::ArchiveFormat;

/// Bytes that are given at once.
const PIECE: usize = 128 << 10;

/// A place to begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begin {
    /// Offset in the archive.
    pub at: u64,
    /// Unpacked bytes in front of it.
    pub before: u64,
}

/// Takes the archive from such a place on.
pub(crate) struct Inflater {
    stage: Stage,
    /// Bytes of the archive that were taken, and unpacked ones that were given.
    here: Begin,
    begin: Begin,
}

enum Stage {
    Plain,
    /// The header of a member, as far as it came.
    Header(Vec<u8>),
    Body(Box<Decompress>, Crc),
    Trailer(Vec<u8>, Crc),
    /// Between two frames, or within one.
    Frame {
        decoder: Box<Decoder<'static>>,
        within: bool,
    },
}

impl Inflater {
    /// Begins there.
    ///
    /// # Errors
    /// The decoder's.
    pub(crate) fn new(format: ArchiveFormat, begin: Begin) -> io::Result<Self> {
        let stage = match format {
            ArchiveFormat::Tar => Stage::Plain,
            ArchiveFormat::Gzip => Stage::Header(Vec::new()),
            ArchiveFormat::Zstd => Stage::Frame { decoder: Box::new(Decoder::new()?), within: false },
        };
        Ok(Self { stage, here: begin, begin })
    }

    /// The last place before this that one can begin at.
    pub(crate) fn begin(&self) -> Begin {
        if matches!(self.stage, Stage::Plain) { self.here } else { self.begin }
    }

    /// Takes some of the input, and gives what that unpacks to. Call it until the input is empty and nothing comes.
    ///
    /// # Errors
    /// What is wrong with the archive.
    pub(crate) fn take(&mut self, input: &mut Bytes) -> io::Result<Bytes> {
        let before = input.len();
        let given = self.step(input)?;
        self.here.at += (before - input.len()) as u64;
        self.here.before += given.len() as u64;
        if self.is_between() {
            self.begin = self.here;
        }
        Ok(given)
    }

    /// Whether the archive may end here.
    pub(crate) fn is_between(&self) -> bool {
        match &self.stage {
            Stage::Plain => true,
            Stage::Header(header) => header.is_empty(),
            Stage::Body(..) | Stage::Trailer(..) => false,
            Stage::Frame { within, .. } => !within,
        }
    }

    fn step(&mut self, input: &mut Bytes) -> io::Result<Bytes> {
        match &mut self.stage {
            Stage::Plain => Ok(input.split_to(input.len().min(PIECE))),
            Stage::Header(header) => {
                // Zeros fill an archive up to a whole block of a tape: gzip ignores them, too.
                if header.is_empty() {
                    let zeros = input.iter().take_while(|byte| **byte == 0).count();
                    input.advance(zeros);
                }
                while let Some(byte) = input.first().copied() {
                    input.advance(1);
                    header.push(byte);
                    if is_whole(header)? {
                        self.stage = Stage::Body(Box::new(Decompress::new(false)), Crc::new());
                        break;
                    }
                }
                Ok(Bytes::new())
            }
            Stage::Body(inflate, crc) => {
                let (taken, given) = (inflate.total_in(), inflate.total_out());
                let mut out = vec![0; PIECE];
                let status = inflate.decompress(input, &mut out, FlushDecompress::None)?;
                input.advance(usize::try_from(inflate.total_in() - taken).unwrap_or(0));
                out.truncate(usize::try_from(inflate.total_out() - given).unwrap_or(0));
                crc.update(&out);
                if status == Status::StreamEnd {
                    let crc = std::mem::take(crc);
                    self.stage = Stage::Trailer(Vec::new(), crc);
                }
                Ok(out.into())
            }
            Stage::Trailer(trailer, crc) => {
                let missing = 8 - trailer.len();
                trailer.extend_from_slice(&input.split_to(missing.min(input.len())));
                if let [a, b, c, d, e, f, g, h] = trailer[..] {
                    let (told, len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
                    if (told, len) != (crc.sum(), crc.amount()) {
                        return Err(broken(format!(
                            "a member of gzip: expected CRC {told:08x} over {len} bytes, found {:08x} over {}",
                            crc.sum(),
                            crc.amount()
                        )));
                    }
                    self.stage = Stage::Header(Vec::new());
                }
                Ok(Bytes::new())
            }
            Stage::Frame { decoder, within } => {
                if input.is_empty() && !*within {
                    return Ok(Bytes::new());
                }
                let mut out = vec![0; PIECE];
                let mut from = InBuffer::around(&input[..]);
                let mut to = OutBuffer::around(out.as_mut_slice());
                let hint = decoder.run(&mut from, &mut to)?;
                let (taken, given) = (from.pos(), to.pos());
                input.advance(taken);
                out.truncate(given);
                *within = hint != 0;
                Ok(out.into())
            }
        }
    }
}

/// Whether a member's header is complete (RFC 1952, 2.3).
fn is_whole(header: &[u8]) -> io::Result<bool> {
    let wrong = |at: usize, expected: u8| header.get(at).is_some_and(|byte| *byte != expected);
    if wrong(0, 0x1f) || wrong(1, 0x8b) || wrong(2, 8) {
        return Err(broken("expected a member of gzip, found something else".to_owned()));
    }
    let Some(flags) = header.get(3).copied() else { return Ok(false) };
    let mut end = 10;
    if flags & 4 != 0 {
        let Some([low, high]) = header.get(end..end + 2) else { return Ok(false) };
        end += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    // Name and comment, each up to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(len) = header.get(end..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) else {
                return Ok(false);
            };
            end += len + 1;
        }
    }
    if flags & 2 != 0 {
        end += 2;
    }
    Ok(header.len() >= end)
}

fn broken(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;

    use super::{Begin, Inflater};
    use transload_wire::ArchiveFormat;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * at / 1_000) as u8).collect()
    }

    /// All that comes of an archive that arrives in pieces of some length, and where one could begin again.
    fn inflated(
        format: ArchiveFormat,
        from: Begin,
        archive: &[u8],
        piece: usize,
    ) -> (Vec<u8>, Vec<Begin>, bool) {
        let mut inflater = Inflater::new(format, from).unwrap();
        let (mut out, mut begins) = (Vec::new(), vec![inflater.begin()]);
        for piece in archive.chunks(piece) {
            let mut input = Bytes::copy_from_slice(piece);
            loop {
                let given = inflater.take(&mut input).unwrap();
                out.extend_from_slice(&given);
                if begins.last() != Some(&inflater.begin()) {
                    begins.push(inflater.begin());
                }
                if input.is_empty() && given.is_empty() {
                    break;
                }
            }
        }
        (out, begins, inflater.is_between())
    }

    #[test]
    fn members_and_frames_come_back_whole_from_each_place_to_begin() {
        let all = content(700_000);
        let (first, second) = all.split_at(450_000);
        let zstd = |content: &[u8]| zstd::bulk::compress(content, 3).unwrap();
        for (format, members) in [
            (ArchiveFormat::Gzip, [gzip(first), gzip(&[]), gzip(second)]),
            (ArchiveFormat::Zstd, [zstd(first), zstd(&[]), zstd(second)]),
        ] {
            let archive = members.concat();
            for piece in [1_009, 65_536, archive.len()] {
                let (out, begins, ended) = inflated(format, Begin { at: 0, before: 0 }, &archive, piece);
                assert!(out == all && ended, "{format:?} {piece}");
                assert!(begins.len() >= 3, "{format:?}: {begins:?}");
                for begin in begins {
                    let rest = &archive[usize::try_from(begin.at).unwrap()..];
                    let (out, ..) = inflated(format, begin, rest, piece);
                    assert!(out == all[usize::try_from(begin.before).unwrap()..], "{format:?} {begin:?}");
                }
            }
            let (_, _, ended) =
                inflated(format, Begin { at: 0, before: 0 }, &archive[..archive.len() - 1], 9_999);
            assert!(!ended, "{format:?}: it was cut");
        }
    }

    #[test]
    fn a_header_with_all_fields_is_passed_over() {
        let mut encoder = flate2::GzBuilder::new()
            .extra(vec![7; 300])
            .filename("n")
            .comment("c")
            .write(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"content").unwrap();
        let mut archive = encoder.finish().unwrap();
        archive.extend_from_slice(&[0; 512]);
        for piece in [1, 7, 1_000] {
            let (out, _, ended) = inflated(ArchiveFormat::Gzip, Begin { at: 0, before: 0 }, &archive, piece);
            assert_eq!((out.as_slice(), ended), (&b"content"[..], true));
        }
    }

    #[test]
    fn altered_bytes_are_seen() {
        let archive = gzip(&content(100_000));
        for at in [0, 2, archive.len() / 2, archive.len() - 6, archive.len() - 1] {
            let mut spoiled = archive.clone();
            spoiled[at] ^= 1;
            let mut inflater = Inflater::new(ArchiveFormat::Gzip, Begin { at: 0, before: 0 }).unwrap();
            let mut input = Bytes::from(spoiled);
            let outcome = loop {
                match inflater.take(&mut input) {
                    Err(error) => break Err(error),
                    Ok(given) if given.is_empty() && input.is_empty() => break Ok(()),
                    Ok(_) => {}
                }
            };
            assert!(outcome.is_err() || !inflater.is_between(), "byte {at}");
        }
    }
}
