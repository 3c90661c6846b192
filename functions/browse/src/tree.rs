//! Paths in order, as the tree that they stand for: `{"name", "member": [...]}` is a directory, `{"name", "size": "N bytes"}`
//! a file.

use serde_json::{Value, json};

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// A file of so many bytes.
    File(u64),
    /// A directory; whether it was left unread.
    Directory {
        /// Below the depth that was asked for.
        cut: bool,
    },
}

#[derive(Debug, Default)]
struct Directory {
    name: String,
    member: Vec<Value>,
}

impl Directory {
    fn json(self) -> Value {
        json!({"name": self.name, "member": self.member})
    }
}

/// Puts a tree together. What is below one directory has to come in one piece.
#[derive(Debug)]
pub(crate) struct Tree {
    /// From the root to where the last path stood.
    open: Vec<Directory>,
    root: Directory,
}

impl Tree {
    pub(crate) fn new(name: &str) -> Self {
        Self { open: Vec::new(), root: Directory { name: name.to_owned(), member: Vec::new() } }
    }

    /// Adds what stands at `path`, relative to the root, its parts between slashes.
    pub(crate) fn add(&mut self, path: &str, leaf: Leaf) {
        let mut parts: Vec<&str> = path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        let common = self.open.iter().zip(&parts).take_while(|(open, part)| open.name == **part).count();
        self.close(common);
        for part in &parts[common..] {
            self.open.push(Directory { name: (*part).to_owned(), member: Vec::new() });
        }
        let entry = match leaf {
            Leaf::File(size) => json!({"name": name, "size": format!("{size} bytes")}),
            Leaf::Directory { cut: true } => json!({"name": name, "member": [], "cut": true}),
            Leaf::Directory { cut: false } => {
                self.open.push(Directory { name: name.to_owned(), member: Vec::new() });
                return;
            }
        };
        self.open.last_mut().unwrap_or(&mut self.root).member.push(entry);
    }

    fn close(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(closed) = self.open.pop() else { return };
            self.open.last_mut().unwrap_or(&mut self.root).member.push(closed.json());
        }
    }

    pub(crate) fn json(mut self) -> Value {
        self.close(0);
        self.root.json()
    }
}

#[cfg(test)]
mod tests {
    use super::{Leaf, Tree};
    use serde_json::json;

    #[test]
    fn paths_in_order_are_a_tree() {
        let mut tree = Tree::new("photos");
        tree.add("a-1", Leaf::File(3));
        tree.add("a/b", Leaf::File(1));
        tree.add("a/b/c", Leaf::File(2));
        tree.add("a/d", Leaf::Directory { cut: true });
        tree.add("e", Leaf::Directory { cut: false });
        tree.add("f//g", Leaf::File(0));
        let expected = json!({"name": "photos", "member": [
            {"name": "a-1", "size": "3 bytes"},
            {"name": "a", "member": [
                {"name": "b", "size": "1 bytes"},
                {"name": "b", "member": [{"name": "c", "size": "2 bytes"}]},
                {"name": "d", "member": [], "cut": true},
            ]},
            {"name": "e", "member": []},
            {"name": "f", "member": [{"name": "", "member": [{"name": "g", "size": "0 bytes"}]}]},
        ]});
        assert_eq!(tree.json(), expected);
    }
}
