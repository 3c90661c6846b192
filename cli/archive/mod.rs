//! Executions of `pack.asl.json` and of `unpack.asl.json`: their story, and how they ended.

mod alone;
mod packing;
mod story;
mod unpacking;

pub(crate) use alone::{Alone, read};
pub(crate) use packing::Packing;
pub(crate) use unpacking::Unpacking;

/// What names of executions begin with, so that a name says which machine it belongs to.
pub(crate) const PACK: &str = "pack-";
pub(crate) const UNPACK: &str = "unpack-";

/// A name that says so.
pub(crate) fn named(prefix: &str, name: String) -> String {
    if name.starts_with(prefix) { name } else { format!("{prefix}{name}") }
}

/// Whether an ARN is that of a packing: by the machine's name, which a stack begins with its own.
pub(crate) fn is_packing(arn: &str) -> bool {
    is_of(arn, "-pack")
}

/// The same of an unpacking.
pub(crate) fn is_unpacking(arn: &str) -> bool {
    is_of(arn, "-unpack")
}

fn is_of(arn: &str, end: &str) -> bool {
    arn.rsplit(':').nth(1).is_some_and(|machine| machine.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::{PACK, is_packing, is_unpacking, named};

    #[test]
    fn a_machine_is_known_by_the_end_of_its_name() {
        let arn = |machine: &str| format!("arn:aws:states:us-east-1:000000000000:execution:{machine}:one");
        assert!(is_packing(&arn("transload-pack")) && !is_packing(&arn("transload-unpack")));
        assert!(is_unpacking(&arn("mine-unpack")) && !is_unpacking(&arn("transload-object")));
        assert_eq!(
            (named(PACK, "a".to_owned()), named(PACK, "pack-a".to_owned())),
            ("pack-a".into(), "pack-a".into())
        );
    }
}
