//! Listings of a tree in the order of keys, which is not that of directories: `a.b` comes before `a/b`.
//!
//! What is no object is told with the reason, so that nobody takes it for copied: see [`Unfit`].

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Dir, FileType, Mode, statat};
use rustix::io::Errno;
use transload_wire::ObjectKey;

use super::facts::Facts;
use super::path::{RESERVED, refusal, split};
use super::read::etag;
use super::root::Root;
use super::trouble::Step;
use super::{beneath, record};
use crate::{ListedObject, ObjectListing, Shelf, StoreError, StoreErrorKind as Kind, Unfit};

/// Longest key of S3.
const LONGEST_KEY: usize = 1_024;
/// Bytes that stay for a name and its mark: deeper directories are told, not entered.
const DEEPEST: usize = 990;

/// What a directory holds, as it is listed.
struct Entry {
    /// What the key continues with: the name, with `/` behind that of a directory. It gives the order.
    text: String,
    name: Vec<u8>,
    kind: EntryKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    File,
    Directory,
    Unfit(Unfit),
}

/// A directory on the way.
struct Level {
    fd: OwnedFd,
    /// What keys in it begin with: empty, or with `/` at its end.
    prefix: String,
    rest: std::vec::IntoIter<Entry>,
}

/// A walk through a tree, from a key on.
pub(super) struct Walk {
    prefix: String,
    after: String,
    levels: Vec<Level>,
    ahead: Option<ListedObject>,
}

impl Walk {
    /// Begins behind `after`.
    pub(super) fn new(root: &Root, shelf: &Shelf, after: &str) -> Result<Self, StoreError> {
        let mut walk =
            Self { prefix: shelf.prefix.clone(), after: after.to_owned(), levels: Vec::new(), ahead: None };
        let (directory, _) = split(&shelf.prefix);
        let directory = if shelf.prefix.contains('/') { directory } else { "" };
        if !directory.is_empty() {
            let why = refusal(directory);
            why.map_or(Ok(()), |why| Err(root.call.refuse(Kind::InvalidRequest, format!("prefix: {why}"))))?;
        }
        let opened = root.beneath(directory, beneath::DIRECTORY, Mode::empty());
        let errno = opened.as_ref().err().and_then(Errno::from_io_error);
        match (opened, errno) {
            (Ok(fd), _) => {
                let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
                walk.enter(root, fd, prefix)?;
            }
            // A prefix that no key has.
            (_, Some(Errno::NOENT | Errno::NOTDIR)) => {}
            (Err(error), _) => return Err(root.call.io("open the directory of the prefix", error)),
        }
        Ok(walk)
    }

    fn enter(&mut self, root: &Root, fd: OwnedFd, prefix: String) -> Result<bool, StoreError> {
        let read = root.world.step(Step::Read).and_then(|()| read(&fd, &prefix));
        let (entries, empty) =
            read.map_err(|error| root.call.io(&format!("list the directory {prefix:?}"), error))?;
        let wanted: Vec<_> = entries.into_iter().filter(|entry| self.wants(&prefix, entry)).collect();
        self.levels.push(Level { fd, prefix, rest: wanted.into_iter() });
        Ok(empty)
    }

    /// Whether a key in it may be behind the cursor and below the prefix.
    fn wants(&self, directory: &str, entry: &Entry) -> bool {
        let key = format!("{directory}{}", entry.text);
        match entry.kind {
            EntryKind::Directory => {
                (key.starts_with(&self.prefix) || self.prefix.starts_with(&key))
                    && (key > self.after || self.after.starts_with(&key))
            }
            _ => self.is_told(&key),
        }
    }

    fn is_told(&self, key: &str) -> bool {
        key.starts_with(&self.prefix) && key > self.after.as_str()
    }

    /// The next one, in the order of keys.
    fn next(&mut self, root: &Root) -> Result<Option<ListedObject>, StoreError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.rest.next() else {
                self.levels.pop();
                continue;
            };
            let key = format!("{}{}", level.prefix, entry.text);
            let found = match entry.kind {
                EntryKind::File => file(root, level, &entry, &key)?,
                EntryKind::Unfit(why) => Some(unfit(root, &key, why)?),
                EntryKind::Directory => self.directory(root, &entry, key)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Goes into a directory; tells it if nothing is in it.
    fn directory(
        &mut self,
        root: &Root,
        entry: &Entry,
        key: String,
    ) -> Result<Option<ListedObject>, StoreError> {
        let Some(level) = self.levels.last() else { return Ok(None) };
        let name = std::str::from_utf8(&entry.name).unwrap_or_default();
        let opened = beneath::open(&level.fd, name, beneath::DIRECTORY, Mode::empty(), root.world.way);
        let errno = opened.as_ref().err().and_then(Errno::from_io_error);
        let fd = match (opened, errno) {
            (Ok(fd), _) => fd,
            // It went, or became something else, since its directory was read.
            (_, Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => return Ok(None),
            (Err(error), _) => return Err(root.call.io(&format!("open the directory {key:?}"), error)),
        };
        let empty = self.enter(root, fd, key.clone())?;
        if empty && self.is_told(&key) {
            return unfit(root, &key, Unfit::EmptyDirectory).map(Some);
        }
        Ok(None)
    }

    /// A page, and whether there is more.
    pub(super) fn page(&mut self, root: &Root, max: usize) -> Result<ObjectListing, StoreError> {
        let mut listing = ObjectListing::default();
        while listing.objects.len() < max {
            match self.next(root)? {
                Some(object) => listing.objects.push(object),
                None => return Ok(listing),
            }
        }
        self.ahead = self.next(root)?;
        listing.next = match (&self.ahead, listing.objects.last()) {
            (Some(_), Some(last)) => Some(last.key.to_string()),
            _ => None,
        };
        Ok(listing)
    }
}

/// Entries in the order of keys, and whether there are none at all.
fn read(directory: &OwnedFd, prefix: &str) -> std::io::Result<(Vec<Entry>, bool)> {
    let mut entries = Vec::new();
    for found in Dir::read_from(directory)? {
        let found = found?;
        let name = found.file_name().to_bytes();
        if matches!(name, b"." | b"..") || (prefix.is_empty() && name == RESERVED.as_bytes()) {
            continue;
        }
        let kind = match found.file_type() {
            // Some file systems tell no kinds in a listing.
            FileType::Unknown => match statat(directory, found.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            },
            kind => kind,
        };
        entries.push(entry(prefix, name, kind));
    }
    let empty = entries.is_empty();
    entries.sort_unstable_by(|a, b| (&a.text, &a.name).cmp(&(&b.text, &b.name)));
    tell_apart(&mut entries);
    Ok((entries, empty))
}

/// What can not be a key gets a text that can: two marks of the name, in its place.
fn entry(prefix: &str, name: &[u8], kind: FileType) -> Entry {
    let (text, kind) = match (std::str::from_utf8(name), kind) {
        (Err(_), _) => (marked(name), EntryKind::Unfit(Unfit::NameNotUtf8)),
        (Ok(text), FileType::Directory) if prefix.len() + text.len() + 1 > DEEPEST => {
            (format!("{text}/"), EntryKind::Unfit(Unfit::KeyTooLong))
        }
        (Ok(text), FileType::Directory) => (format!("{text}/"), EntryKind::Directory),
        (Ok(text), FileType::RegularFile) => (text.to_owned(), EntryKind::File),
        (Ok(text), FileType::Symlink) => (text.to_owned(), EntryKind::Unfit(Unfit::SymbolicLink)),
        (Ok(text), _) => (text.to_owned(), EntryKind::Unfit(Unfit::SpecialFile)),
    };
    if prefix.len() + text.len() <= LONGEST_KEY {
        return Entry { text, name: name.to_vec(), kind };
    }
    let kind = if kind == EntryKind::File { EntryKind::Unfit(Unfit::KeyTooLong) } else { kind };
    let mark = format!("~{:.8}", record::hash(&text));
    let mut most = (LONGEST_KEY - mark.len()).saturating_sub(prefix.len());
    while !text.is_char_boundary(most) {
        most -= 1;
    }
    Entry { text: format!("{}{mark}", &text[..most]), name: name.to_vec(), kind }
}

/// A name that is no text: what of it is, with bytes in hexadecimal behind the sign for what is not.
fn marked(name: &[u8]) -> String {
    name.utf8_chunks().fold(String::new(), |text, chunk| {
        let odd = chunk.invalid().iter().map(|byte| format!("\u{fffd}{byte:02x}")).collect::<String>();
        text + chunk.valid() + &odd
    })
}

/// No two have one key, whatever names somebody may choose.
fn tell_apart(entries: &mut [Entry]) {
    let mut moved = false;
    for at in 1..entries.len() {
        while entries[..at].iter().rev().take(8).any(|before| before.text == entries[at].text) {
            entries[at].text.push('~');
            entries[at].kind = match entries[at].kind {
                EntryKind::Unfit(why) => EntryKind::Unfit(why),
                _ => EntryKind::Unfit(Unfit::NameNotUtf8),
            };
            moved = true;
        }
    }
    if moved {
        entries.sort_unstable_by(|a, b| a.text.cmp(&b.text));
    }
}

fn file(root: &Root, level: &Level, entry: &Entry, key: &str) -> Result<Option<ListedObject>, StoreError> {
    let looked = root.world.step(Step::Open).and_then(|()| Facts::at(&level.fd, beneath::name(&entry.name)));
    let facts = match looked {
        Ok(facts) if facts.kind == FileType::RegularFile => facts,
        // Gone since its directory was read, or another thing.
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(root.call.io(&format!("look at {key:?}"), error)),
    };
    Ok(Some(ListedObject {
        key: key_of(root, key)?,
        size: facts.size,
        etag: etag(root, &facts)?,
        last_modified: facts.last_modified(),
        storage_class: None,
        archived: false,
        version: None,
        unfit: None,
    }))
}

fn unfit(root: &Root, key: &str, why: Unfit) -> Result<ListedObject, StoreError> {
    Ok(ListedObject {
        key: key_of(root, key)?,
        size: 0,
        etag: "none".parse().map_err(|error| root.call.refuse(Kind::Malformed, error))?,
        last_modified: String::new(),
        storage_class: None,
        archived: false,
        version: None,
        unfit: Some(why),
    })
}

fn key_of(root: &Root, key: &str) -> Result<ObjectKey, StoreError> {
    key.parse().map_err(|error| root.call.refuse(Kind::Malformed, error))
}
