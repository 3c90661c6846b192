//! Trees of mounted file systems: by names and stat alone, no file is opened. Nothing outside of a mount is reached: no `..`,
//! no symbolic link.

use std::collections::{BTreeMap, BinaryHeap};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use serde_json::{Value, json};

use crate::http::{Refusal, Request};

/// Configured mounts, by name.
#[derive(Debug, Clone, Default)]
pub struct Mounts(BTreeMap<String, PathBuf>);

impl Mounts {
    /// From `name=/path,name=/path`.
    ///
    /// # Errors
    /// If something in it is not of this form.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let one = |pair: &str| match pair.split_once('=') {
            Some((name, path)) if !name.is_empty() && path.starts_with('/') => {
                Ok((name.to_owned(), path.into()))
            }
            _ => Err(Refusal::field(
                "TRANSLOAD_MOUNTS",
                "name=/path pairs between commas",
                format!("{pair:?}"),
            )),
        };
        text.split(',').filter(|pair| !pair.is_empty()).map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// How much of a tree an answer takes.
pub(crate) struct Room {
    pub(crate) depth: u32,
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Lists the tree below `path` of a mount; the cursor is the path of the last entry that was told.
pub(crate) async fn list(mounts: &Mounts, request: &Request, room: Room) -> Result<Value, Refusal> {
    let name = request.required("mount")?.to_owned();
    let Some(root) = mounts.0.get(&name).cloned() else {
        let known: Vec<&str> = mounts.names().collect();
        return Err(Refusal {
            status: 404,
            ..Refusal::field("mount", format!("one of {}", known.join(", ")), name)
        });
    };
    let path = request.parameter("path").unwrap_or_default().trim_end_matches('/').to_owned();
    if path.starts_with('/') || path.contains('\0') || path.split('/').any(|part| part == "..") {
        return Err(Refusal::field("path", "a path below the mount, without `..`", format!("{path:?}")));
    }
    let from = request.parameter("cursor").map(parts_of).unwrap_or_default();
    let work = move || {
        let top = open(&root, &path).map_err(|error| refused(&path, &error))?;
        let mut walk = Walk { room, last: Vec::new(), at: Vec::new(), cut: false };
        let depth = walk.room.depth;
        let member = walk.members(&top, depth, &from).map_err(|error| refused(&path, &error))?;
        let mut tree = json!({"name": if path.is_empty() { name } else { path }, "member": member});
        if walk.cut {
            let parts: Vec<String> =
                walk.last.iter().map(|part| urlencoding::encode_binary(part).into_owned()).collect();
            tree["cursor"] = json!(parts.join("/"));
        }
        Ok(tree)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Refusal::new(500, "Internal", error.to_string()))?
}

fn parts_of(cursor: &str) -> Vec<Vec<u8>> {
    cursor.split('/').map(|part| urlencoding::decode_binary(part.as_bytes()).into_owned()).collect()
}

fn refused(path: &str, error: &io::Error) -> Refusal {
    let status = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => 404,
        io::ErrorKind::PermissionDenied => 403,
        // A symbolic link on the way, or a way out of the mount.
        _ if matches!(error.raw_os_error(), Some(18 | 40)) => 404,
        _ => 502,
    };
    Refusal {
        status,
        ..Refusal::field("path", "a readable directory below the mount", format!("{path:?}: {error}"))
    }
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

fn open(root: &PathBuf, path: &str) -> io::Result<OwnedFd> {
    let root =
        openat(CWD, root, OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC), Mode::empty())?;
    if path.is_empty() { Ok(root) } else { below(&root, path.as_bytes()) }
}

fn below(directory: &OwnedFd, path: &[u8]) -> io::Result<OwnedFd> {
    let beneath = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
    Ok(openat2(directory, path, DIRECTORY, Mode::empty(), beneath)?)
}

/// A walk that stops when its answer is full.
struct Walk {
    room: Room,
    last: Vec<Vec<u8>>,
    at: Vec<Vec<u8>>,
    cut: bool,
}

impl Walk {
    /// What a directory holds, in the order of its names' bytes, behind `from`.
    fn members(&mut self, directory: &OwnedFd, depth: u32, from: &[Vec<u8>]) -> io::Result<Vec<Value>> {
        // The least of the names alone: those that fit, the cursor's own, and one that tells that there are more.
        let most = self.room.entries + 2;
        let mut names = BinaryHeap::new();
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && from.first().is_none_or(|first| name >= first.as_slice()) {
                names.push(name.to_vec());
                if names.len() > most {
                    names.pop();
                }
            }
        }
        let mut members = Vec::new();
        for name in names.into_sorted_vec() {
            let again = from.first() == Some(&name);
            let rest = if again { &from[1..] } else { &[] };
            if self.room.entries == 0 || self.room.bytes == 0 {
                self.cut = true;
                break;
            }
            if let Some(member) = self.member(directory, name, depth, again.then_some(rest)) {
                members.push(member);
            }
        }
        Ok(members)
    }

    /// One entry; `rest` of the cursor, if the entry was told before.
    fn member(
        &mut self,
        directory: &OwnedFd,
        name: Vec<u8>,
        depth: u32,
        rest: Option<&[Vec<u8>]>,
    ) -> Option<Value> {
        let shown = String::from_utf8_lossy(&name).into_owned();
        let found = statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW);
        let is_directory =
            found.as_ref().is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        if rest.is_some() && (!is_directory || depth <= 1) {
            return None;
        }
        if rest.is_none() {
            // Quotes and backslashes double once more where the answer is a string in another document.
            self.room.bytes = self.room.bytes.saturating_sub(2 * json!(shown).to_string().len() + 120);
            self.room.entries -= 1;
        }
        self.at.push(name.clone());
        self.last.clone_from(&self.at);
        let member = match found {
            Err(error) => json!({"name": shown, "unreadable": error.to_string()}),
            Ok(_) if std::str::from_utf8(&name).is_err() => {
                json!({"name": shown, "unreadable": "its name is not UTF-8"})
            }
            Ok(_) if is_directory => {
                self.directory(directory, &name, &shown, depth, rest.unwrap_or_default())
            }
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => json!({"name": shown, "size": format!("{} bytes", stat.st_size)}),
                FileType::Symlink => json!({"name": shown, "unreadable": "a symbolic link, not followed"}),
                _ => json!({"name": shown, "unreadable": "neither file nor directory"}),
            },
        };
        self.at.pop();
        Some(member)
    }

    fn directory(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        shown: &str,
        depth: u32,
        from: &[Vec<u8>],
    ) -> Value {
        if depth <= 1 {
            return json!({"name": shown, "member": [], "cut": true});
        }
        match below(parent, name).and_then(|directory| self.members(&directory, depth - 1, from)) {
            Ok(member) => json!({"name": shown, "member": member}),
            Err(error) => json!({"name": shown, "member": [], "unreadable": error.to_string()}),
        }
    }
}
