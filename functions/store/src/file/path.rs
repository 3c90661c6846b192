//! Which keys are paths beneath a root. S3 takes more than a file system does; what would mean another file there, or
//! none, is refused by its name.

/// transload's own directory in every root. It is not listed, and is no key.
pub(super) const RESERVED: &str = ".transload";

/// Longest name of a file: `NAME_MAX` of Linux, in bytes.
const LONGEST_NAME: usize = 255;

/// Why a key is no path, in the words of a message: "expected ..., found ...".
pub(super) fn refusal(key: &str) -> Option<String> {
    let mut names = key.split('/');
    if names.clone().next() == Some(RESERVED) {
        return Some(format!("expected a path outside of {RESERVED} (transload's own), found {key:?}"));
    }
    names.find_map(|name| name_refusal(key, name))
}

fn name_refusal(key: &str, name: &str) -> Option<String> {
    let expected = match name {
        "" if key.starts_with('/') => "a path that does not begin with /",
        "" if key.ends_with('/') => "a path that does not end with / (a file system keeps no bytes there)",
        "" => "a path without empty names (//)",
        "." | ".." => "a path without the names . and ..",
        _ if name.contains('\0') => "a path without NUL",
        _ if name.len() > LONGEST_NAME => {
            return Some(format!(
                "expected names of at most {LONGEST_NAME} bytes, found one of {}",
                name.len()
            ));
        }
        _ => return None,
    };
    Some(format!("expected {expected}, found {key:?}"))
}

/// The path of the directory (empty: the root), and the name in it.
pub(super) fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::{LONGEST_NAME, refusal, split};

    #[test]
    fn what_means_another_file_or_none_is_refused_by_its_name() {
        let long = "n".repeat(LONGEST_NAME + 1);
        for (key, expected) in [
            ("/etc/passwd", "does not begin with /"),
            ("/", "does not begin with /"),
            ("a/", "does not end with /"),
            ("a//b", "empty names"),
            ("..", "names . and .."),
            ("a/../../b", "names . and .."),
            ("./a", "names . and .."),
            ("a\0b", "without NUL"),
            (&long, "at most 255 bytes"),
            (".transload/uploads/x", "outside of .transload"),
            (".transload", "outside of .transload"),
        ] {
            let found = refusal(key).unwrap_or_default();
            assert!(found.contains(expected), "{key:?}: {found}");
        }
        for key in
            ["a", "a/b c/\u{e9}", "...", "a/.transload/b", ".transloads", "soap", &long[1..], "\\", "-"]
        {
            assert_eq!(refusal(key), None, "{key:?}");
        }
    }

    proptest! {
        /// The standard library's reading of a path is the model: nothing but plain names, and each of them as it was.
        #[test]
        fn accepted_keys_are_plain_names_beneath_the_root(key in "([a-c./\u{0}~\u{e9}-]|\\.\\.|//){1,12}") {
            let names: Vec<_> = Path::new(&key).components().collect();
            let plain = names.iter().all(|name| matches!(name, Component::Normal(_)));
            let same = names.iter().map(|name| name.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/") == key;
            let accepted = refusal(&key).is_none();
            prop_assert_eq!(accepted, plain && same && !key.contains('\0'), "{:?}", key);
            if accepted {
                let (directory, name) = split(&key);
                prop_assert!(!name.contains('/') && !name.is_empty());
                prop_assert_eq!(Path::new(directory).join(name), Path::new(&key));
            }
        }
    }
}
