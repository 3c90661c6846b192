//! `GET /filelist`: the tree below a prefix of a bucket, or of a mount, in the form that the file browser before this one answered.

use serde_json::{Value, json};
use transload_store::{Shelf, Side, Store, StoreErrorKind, failure_of};
use transload_wire::{BucketName, LocationName, NameError};

use crate::http::{Refusal, Request};
use crate::tree::{Leaf, Tree};
use crate::{World, mount};

/// Most entries of one answer.
const MOST_ENTRIES: u32 = 10_000;

/// Deepest tree.
const DEEPEST: u32 = 64;

/// Listings asked of the store for one answer: a page behind a gateway has 29 seconds.
const MOST_LISTINGS: u32 = 100;

/// Bytes of an answer, reckoned for the worst: an answer may not pass 6 MB on its way.
const LONGEST: usize = 5_500_000;

/// Bytes of an entry or a directory without its name.
const ENTRY: usize = 60;

/// Sorts behind everything that begins with the text before it: the greatest character.
const BEHIND: char = '\u{10ffff}';

fn named<T: std::str::FromStr<Err = NameError>>(request: &Request, field: &str) -> Result<T, Refusal> {
    let text = request.required(field)?;
    text.parse().map_err(|error: NameError| Refusal::field(field, error.expected, error.found))
}

/// What is asked for.
struct Asked {
    shelf: Shelf,
    depth: usize,
    limit: usize,
}

/// Lists a tree, or as much of it as an answer takes: `cursor` then goes on behind it.
pub(crate) async fn list(world: &World, request: &Request) -> Result<Value, Refusal> {
    let depth = request.number("depth", 1, DEEPEST, DEEPEST)?;
    let limit = request.number("limit", 1, MOST_ENTRIES, 1_000)?;
    if request.parameter("mount").is_some() {
        let room = mount::Room { depth, entries: limit as usize, bytes: LONGEST };
        return mount::list(&world.mounts, request, room).await;
    }
    let location: LocationName = named(request, "location")?;
    let bucket: BucketName = named(request, "bucket")?;
    let prefix = request.parameter("prefix").unwrap_or_default().to_owned();
    let cursor = request.parameter("cursor").unwrap_or_default().to_owned();
    if !cursor.is_empty() && !cursor.starts_with(&prefix) {
        return Err(Refusal::field("cursor", "that of an answer for this prefix", format!("{cursor:?}")));
    }
    if !world.locations.iter().any(|known| known == location.as_str()) {
        let expected = format!("one of {}", world.locations.join(", "));
        return Err(Refusal { status: 404, ..Refusal::field("location", expected, location.as_str()) });
    }
    let store = world.stores.open(&location)?;
    let asked = Asked {
        shelf: Shelf { bucket, prefix, requester_pays: false },
        depth: depth as usize,
        limit: limit as usize,
    };
    walk(store.as_ref(), &asked, cursor).await
}

async fn walk(store: &dyn Store, asked: &Asked, mut after: String) -> Result<Value, Refusal> {
    let Asked { shelf, limit, .. } = asked;
    let name = if shelf.prefix.is_empty() { shelf.bucket.as_str() } else { shelf.prefix.as_str() };
    let mut tree = Tree::new(name);
    let (mut entries, mut bytes) = (0, 0);
    for _ in 0..MOST_LISTINGS {
        let most = u32::try_from((limit - entries).min(1_000)).unwrap_or(1_000);
        let page = match store.list_objects(shelf, &after, most).await {
            Ok(page) => page,
            // Marked, not fatal: who shows a tree shows the rest of it.
            Err(error) if error.kind == StoreErrorKind::AccessDenied => {
                let mut marked = tree.json();
                marked["unreadable"] = json!(error.to_string());
                return Ok(marked);
            }
            Err(error) => return Err(failure_of(error, Side::Source).into()),
        };
        let mut next = page.next;
        for object in page.objects {
            let key = object.key.as_str();
            let rest = key.strip_prefix(&shelf.prefix).unwrap_or(key);
            entries += 1;
            let (shown, leaf) = shown(rest, object.size, asked.depth);
            // Quotes and backslashes double once more where the answer is a string in another document.
            bytes += 2 * json!(shown).to_string().len() + ENTRY * (1 + shown.matches('/').count());
            tree.add(shown, leaf);
            let cut = leaf == Leaf::Directory { cut: true };
            after = if cut { format!("{}{shown}/{BEHIND}", shelf.prefix) } else { key.to_owned() };
            if entries >= *limit || bytes >= LONGEST {
                return Ok(goes_on(tree, &after));
            }
            if cut {
                next = Some(after.clone());
                break;
            }
        }
        match next {
            None => return Ok(tree.json()),
            Some(next) => after = next,
        }
    }
    Ok(goes_on(tree, &after))
}

/// Where a key stands in a tree of this depth: itself, or the directory that is not opened.
fn shown(rest: &str, size: u64, depth: usize) -> (&str, Leaf) {
    match rest.match_indices('/').nth(depth - 1) {
        // A key that ends with a slash is how consoles make a directory.
        _ if rest.ends_with('/') && rest.matches('/').count() < depth => {
            (&rest[..rest.len() - 1], Leaf::Directory { cut: false })
        }
        Some((at, _)) => (&rest[..at], Leaf::Directory { cut: true }),
        None => (rest, Leaf::File(size)),
    }
}

fn goes_on(tree: Tree, after: &str) -> Value {
    let mut answer = tree.json();
    answer["cursor"] = json!(after);
    answer
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::tree::Leaf;

    #[test]
    fn depth_counts_directories() {
        let cut = Leaf::Directory { cut: true };
        assert_eq!(shown("a", 1, 1), ("a", Leaf::File(1)));
        assert_eq!(shown("a/b", 1, 1), ("a", cut));
        assert_eq!(shown("a/b", 1, 2), ("a/b", Leaf::File(1)));
        assert_eq!(shown("a/b/c", 1, 2), ("a/b", cut));
        assert_eq!(shown("a/", 0, 2), ("a", Leaf::Directory { cut: false }));
    }
}
