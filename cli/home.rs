//! Where state lives between runs: executions, results, logs; and which process works there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::exit::{CliError, Exit, Outcome};

/// A folder with everything that one machine's executions leave.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

/// The right to run executions in a home: one process at a time has it, and it ends with the process.
#[derive(Debug)]
pub(crate) struct Owner {
    _lock: File,
}

impl Home {
    /// The folder that was asked for, or the user's data folder.
    ///
    /// # Errors
    /// If neither `--home` nor `XDG_DATA_HOME` nor `HOME` says where.
    pub(crate) fn resolve(asked: Option<&Path>) -> Outcome<Self> {
        let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let data = || variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
        let root = asked.map(Path::to_owned).or_else(|| Some(data()?.join("transload")));
        let root = root.ok_or_else(|| {
            CliError::usage("no place for executions: HOME and XDG_DATA_HOME are not set")
                .hint("give --home FOLDER")
        })?;
        std::path::absolute(&root).map(Self).map_err(|e| CliError::trouble(root.display(), e))
    }

    /// The home of a stack that runs here by its template: apart from this machine's own, for its ARNs are others.
    pub(crate) fn of_stack(&self, name: &str) -> Self {
        Self(self.0.join("stacks").join(name))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The engine's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("executions.db")
    }

    /// Reports of runs over many objects, one folder each.
    pub(crate) fn reports(&self) -> PathBuf {
        self.0.join("reports")
    }

    /// URLs whose queries are secrets, one file each.
    pub(crate) fn queries(&self) -> PathBuf {
        self.0.join("queries")
    }

    /// Buckets of results, one folder each.
    pub(crate) fn results(&self) -> PathBuf {
        self.0.join("results")
    }

    /// Notes on executions.
    pub(crate) fn notes(&self) -> PathBuf {
        self.0.join("notes")
    }

    /// The log of a function's workers.
    pub(crate) fn log(&self, function: &str) -> PathBuf {
        self.0.join("logs").join(format!("{function}.log"))
    }

    /// Where the owner listens for requests of other processes.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Whether anything ever ran here.
    pub(crate) fn has_executions(&self) -> bool {
        self.database().exists()
    }

    /// Takes the home for this process. Folders are made for the owner alone: inputs name buckets and keys.
    ///
    /// # Errors
    /// [`Exit::Busy`] if another process has it.
    pub(crate) fn own(&self) -> Outcome<Owner> {
        let trouble = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| CliError::trouble(path, error)
        };
        for folder in [self.0.clone(), self.results(), self.0.join("logs")] {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(trouble(&folder))?;
        }
        let path = self.lock();
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = open.open(&path).map_err(trouble(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.busy(&mut lock)),
            Err(TryLockError::Error(error)) => return Err(trouble(&path)(error)),
        }
        lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id())).map_err(trouble(&path))?;
        // Left by a process that was killed: nobody listens there any more.
        remove_if_there(&self.socket()).map_err(trouble(&self.socket()))?;
        Ok(Owner { _lock: lock })
    }

    /// Whether a process works here at the moment.
    #[cfg(test)]
    pub(crate) fn is_owned(&self) -> bool {
        let lock = File::open(self.lock());
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn busy(&self, lock: &mut File) -> CliError {
        let mut pid = String::new();
        // The number is a help to the reader; without it the message is still true.
        let _ = lock.read_to_string(&mut pid);
        let message = format!("{}: process {} runs executions here", self.0.display(), pid.trim());
        CliError::new(Exit::Busy, message)
            .hint("wait for it, interrupt it (its execution can be resumed), or use another home with --home")
    }
}

/// Removes a file that may not be there.
pub(crate) fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Home;
    use crate::exit::Exit;

    #[test]
    fn one_process_at_a_time_runs_executions() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::resolve(Some(&folder.path().join("home"))).unwrap();
        assert!(!home.is_owned());
        let owner = home.own().unwrap();
        assert!(home.is_owned());
        let refused = home.own().unwrap_err();
        assert_eq!(refused.exit, Exit::Busy);
        assert!(refused.to_string().contains(&format!("process {} runs", std::process::id())), "{refused}");
        drop(owner);
        assert!(home.own().is_ok());
    }
}
