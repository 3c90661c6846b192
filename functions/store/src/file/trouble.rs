//! Where a disk can fail, and what of it the workflow is told.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use crate::{StoreError, StoreErrorKind as Kind, Verb};

/// A step at which a disk may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A file or a directory is opened or looked at.
    Open,
    /// Bytes are read.
    Read,
    /// Bytes are written.
    Write,
    /// What was written is made to last.
    Sync,
    /// A file gets its name.
    Rename,
}

/// Tells the error number with which a step is to fail. For tests: what a real disk answers is rare and late.
pub type Trouble = Arc<dyn Fn(Step) -> Option<i32> + Send + Sync>;

/// A call, for messages: what was asked of which file.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) verb: Verb,
    /// `models/a/b (below /mnt/models)`
    pub(super) what: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.what)
    }
}

impl Call {
    pub(super) fn refuse(&self, kind: Kind, why: impl fmt::Display) -> StoreError {
        StoreError::new(kind, format!("{self}: {why}"))
    }

    /// What an error of the system means here. `doing` completes the sentence "could not ...".
    pub(super) fn io(&self, doing: &str, error: impl Into<io::Error>) -> StoreError {
        let error = error.into();
        let (kind, why) = self.meaning(&error);
        let hint = why.map(|why| format!(" ({why})")).unwrap_or_default();
        StoreError::new(kind, format!("{self}: could not {doing}: {error}{hint}")).caused_by(error)
    }

    fn meaning(&self, error: &io::Error) -> (Kind, Option<&'static str>) {
        let Some(errno) = Errno::from_io_error(error) else { return (Kind::Unavailable, None) };
        match errno {
            // What a file that is read is made of decides, and where a file is to be written nothing may stand in the way.
            Errno::NOTDIR if self.verb.writes() => {
                (Kind::InvalidRequest, Some("a file stands where a directory is needed"))
            }
            Errno::NOENT | Errno::NOTDIR => (Kind::NotFound, None),
            Errno::ISDIR => (Kind::InvalidRequest, Some("a directory is there")),
            Errno::LOOP => (Kind::InvalidRequest, Some("symbolic links are not followed")),
            Errno::XDEV => {
                (Kind::InvalidRequest, Some("it is on another file system than its root, or outside of it"))
            }
            Errno::NXIO | Errno::NODEV => (Kind::InvalidRequest, Some("it is no regular file")),
            Errno::NAMETOOLONG => (Kind::InvalidRequest, None),
            Errno::NOSPC | Errno::DQUOT => (
                Kind::InvalidRequest,
                Some("the file system or its quota is full; free space, then send it anew"),
            ),
            Errno::FBIG => (Kind::InvalidRequest, Some("larger than a file may be there")),
            Errno::ROFS => (Kind::AccessDenied, Some("the file system is mounted read-only")),
            Errno::ACCESS | Errno::PERM => (Kind::AccessDenied, None),
            Errno::NOSYS | Errno::OPNOTSUPP => (Kind::Unsupported, None),
            // Too many locks at a time pass by themselves.
            Errno::NOLCK => (Kind::Throttled, None),
            // Stale handles, and errors of the disk or of the network behind it: the next try opens the file anew.
            _ => (Kind::Unavailable, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;
    use transload_wire::ErrorName;

    use super::Call;
    use crate::{Side, Verb, failure_of};

    #[test]
    fn every_error_of_a_disk_has_a_name_on_its_side() {
        use ErrorName as N;
        let rows = [
            (Errno::NOENT, N::SourceNotFound, N::DestinationNotFound),
            (Errno::NOTDIR, N::SourceNotFound, N::DestinationInvalid),
            (Errno::LOOP, N::InputInvalid, N::DestinationInvalid),
            (Errno::NXIO, N::InputInvalid, N::DestinationInvalid),
            (Errno::NOSPC, N::InputInvalid, N::DestinationInvalid),
            (Errno::DQUOT, N::InputInvalid, N::DestinationInvalid),
            (Errno::ROFS, N::SourceAccessDenied, N::DestinationAccessDenied),
            (Errno::ACCESS, N::SourceAccessDenied, N::DestinationAccessDenied),
            (Errno::NOLCK, N::Throttled, N::Throttled),
            (Errno::STALE, N::Unavailable, N::Unavailable),
            (Errno::IO, N::Unavailable, N::Unavailable),
        ];
        for (errno, source, destination) in rows {
            let name = |verb, side| {
                let call = Call { verb, what: "models/a (below /mnt/models)".to_owned() };
                let failure = failure_of(call.io("do it", io::Error::from(errno)), side);
                assert!(failure.message.contains("models/a (below /mnt/models)"), "{failure}");
                failure.name
            };
            let found = (name(Verb::GetObject, Side::Source), name(Verb::UploadPart, Side::Destination));
            assert_eq!(found, (source, destination), "{errno}");
        }
    }
}
