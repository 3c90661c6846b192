//! What stands in front of a file in a tar: a header of POSIX ustar, and in front of that one of pax (POSIX.1-2001) where the
//! name or the size does not fit.

use tar::{EntryType, Header};
use transload_wire::{ErrorName, Failure};

/// Bytes of a block: headers have whole ones, and contents are filled up to them.
pub(crate) const BLOCK: u64 = 512;
/// Two blocks of zeros end a tar.
pub(crate) const END: u64 = 2 * BLOCK;
/// The largest size that eleven octal digits tell.
const LARGEST: u64 = (1 << 33) - 1;
/// The longest name that every reader finds whole in the header itself.
const NAME: usize = 100;

/// Why a name can not stand in a tar that every reader unpacks beneath one directory.
pub(crate) fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('/').unwrap_or(name);
    !name.contains('\0') && name.split('/').all(|piece| !matches!(piece, "" | "." | ".."))
}

/// Header and pax header of a file; of a directory if the name ends with a slash.
///
/// # Errors
/// `Internal` for a name that [`is_name`] refuses.
pub(crate) fn header(name: &str, size: u64, modified: u64) -> Result<Vec<u8>, Failure> {
    let mut blocks = Vec::new();
    let plain = name.len() <= NAME && name.is_ascii();
    let mut records = Vec::new();
    if !plain {
        records.extend_from_slice(&record("path", name));
    }
    if size > LARGEST {
        records.extend_from_slice(&record("size", &size.to_string()));
    }
    if !records.is_empty() {
        let pax = one("@PaxHeader", EntryType::XHeader, records.len() as u64, modified)?;
        blocks.extend_from_slice(pax.as_bytes());
        records.resize(records.len() + padding(records.len() as u64), 0);
        blocks.append(&mut records);
    }
    let kind = if name.ends_with('/') { EntryType::Directory } else { EntryType::Regular };
    // A reader that knows no pax finds a name all the same, with whatever of it is plain.
    let short: String = name.chars().filter(char::is_ascii).take(NAME).collect();
    let short = if plain {
        name
    } else if is_name(&short) {
        &short
    } else {
        "@file"
    };
    blocks.extend_from_slice(one(short, kind, size, modified)?.as_bytes());
    Ok(blocks)
}

/// Zeros behind so many bytes, up to a whole block.
pub(crate) const fn padding(size: u64) -> usize {
    ((BLOCK - size % BLOCK) % BLOCK) as usize
}

fn one(name: &str, kind: EntryType, size: u64, modified: u64) -> Result<Header, Failure> {
    let mut header = Header::new_ustar();
    header
        .set_path(name)
        .map_err(|error| ErrorName::Internal.because(format!("{name:?} in a tar: {error}")))?;
    header.set_entry_type(kind);
    header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mtime(modified.min(LARGEST));
    header.set_cksum();
    Ok(header)
}

/// A record of pax: its own length in decimal, a blank, the name, `=`, the value, and a newline.
fn record(name: &str, value: &str) -> Vec<u8> {
    let rest = name.len() + value.len() + 3;
    let mut len = rest + rest.to_string().len();
    if len.to_string().len() > rest.to_string().len() {
        len += 1;
    }
    format!("{len} {name}={value}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{header, is_name, padding, record};

    #[test]
    fn any_name_comes_back_as_it_was() {
        let long = format!("{}/{}", "d".repeat(150), "f".repeat(400));
        let deep = "a/".repeat(300) + "b";
        let names = [
            "a",
            "a/b c",
            "\u{e9}t\u{e9}/\u{1f680}",
            &"n".repeat(100),
            &"n".repeat(101),
            &long,
            &deep,
            "dir/",
            "-x",
            "a=b",
        ];
        let mut tar = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let size = if name.ends_with('/') { 0 } else { at as u64 * 100 };
            tar.extend(header(name, size, 1_700_000_000 + at as u64).unwrap());
            tar.resize(tar.len() + size as usize, b'x');
            tar.resize(tar.len() + padding(size), 0);
        }
        tar.resize(tar.len() + 1_024, 0);
        let mut archive = tar::Archive::new(tar.as_slice());
        for ((at, name), entry) in names.iter().enumerate().zip(archive.entries().unwrap()) {
            let mut entry = entry.unwrap();
            assert_eq!(entry.path_bytes().as_ref(), name.as_bytes());
            assert_eq!(entry.header().mtime().unwrap(), 1_700_000_000 + at as u64);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(content.len(), if name.ends_with('/') { 0 } else { at * 100 });
        }
    }

    #[test]
    fn a_size_beyond_eight_gibibytes_stands_in_a_record() {
        let blocks = header("big", 1 << 40, 0).unwrap();
        assert_eq!(blocks.len(), 3 * 512);
        assert!(String::from_utf8_lossy(&blocks[512..1_024]).starts_with("22 size=1099511627776\n"));
    }

    #[test]
    fn a_record_tells_its_own_length() {
        for len in 0..2_000 {
            let record = record("path", &"v".repeat(len));
            let told: usize = String::from_utf8_lossy(&record).split(' ').next().unwrap().parse().unwrap();
            assert_eq!(told, record.len());
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for name in ["", "/a", "a//b", "a/./b", "../a", "a/..", "a\0b", "/", "a//"] {
            assert!(!is_name(name), "{name:?}");
        }
        for name in ["a", "a/b", "a/", "...", "a/..b"] {
            assert!(is_name(name), "{name:?}");
        }
    }
}
