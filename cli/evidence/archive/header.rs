//! The header of a file: POSIX ustar with everything fixed but name and size.

use super::BLOCK;

/// Longest last and first piece of a name.
const NAME: usize = 100;
const PREFIX: usize = 155;

/// Whether this is a name that a file in a pack may have: pieces of letters, digits, `.`, `_`, `-`, `=` and `%`, none of them
/// `.` or `..`.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-=%".contains(&byte);
    let piece = |piece: &str| !piece.is_empty() && !matches!(piece, "." | "..") && piece.bytes().all(letter);
    name.split('/').all(piece)
}

/// Where a name is cut in two: at the first slash that leaves few enough behind it.
fn cut(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME {
        return Some(("", name));
    }
    let at = name.match_indices('/').map(|(at, _)| at).find(|at| name.len() - at - 1 <= NAME)?;
    (at <= PREFIX).then(|| (&name[..at], &name[at + 1..]))
}

/// The header of a file; `None` for a name or a size that has none.
pub(super) fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    if !is_name(name) || size > super::LARGEST {
        return None;
    }
    let (prefix, name) = cut(name)?;
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    // The sum is taken with blanks in its own place.
    put(148, b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Name and size that a header tells. Whether it is the header of those is for the caller to compare.
pub(super) fn told(block: &[u8; BLOCK]) -> Option<(String, u64)> {
    let text = |from: usize, to: usize| {
        let bytes = &block[from..to];
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        std::str::from_utf8(&bytes[..end]).ok()
    };
    let (name, prefix) = (text(0, 100)?, text(345, 500)?);
    let size = u64::from_str_radix(text(124, 136)?, 8).ok()?;
    let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
    Some((name, size))
}
