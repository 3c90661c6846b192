//! The folder of one run: objects, credentials, logs. In memory where there is room, so that no disk is measured.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A profile of the credentials file, which is one of an endpoint's names too.
pub(crate) const PROFILES: [&str; 2] = ["global", "china"];

/// A scratch folder; removed when it is dropped.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::Builder::new().prefix("peers-").tempdir_in(parent)?;
        let scratch = Self { directory };
        fs::create_dir(scratch.path("logs"))?;
        fs::create_dir(scratch.path("home"))?;
        scratch.write_credentials()?;
        Ok(scratch)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The log of one run of a tool.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path("logs").join(format!("{name}.log"))
    }

    /// Keys of this run's servers only: made up here, worth nothing elsewhere.
    fn write_credentials(&self) -> Result<()> {
        let path = self.path("credentials");
        let mut file = File::create(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        for profile in PROFILES {
            let (access_key, secret) = keys(profile);
            writeln!(file, "[{profile}]\naws_access_key_id={access_key}\naws_secret_access_key={secret}\n")?;
        }
        fs::write(
            self.path("config"),
            "[profile global]\nregion=us-east-1\n\n[profile china]\nregion=us-east-1\n",
        )?;
        Ok(())
    }

    /// A file of `size` pseudo-random bytes, different for every seed.
    pub(crate) fn object(&self, name: &str, size: u64, seed: u64) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        let mut file = File::create(&path)?;
        let (mut state, mut left) = (seed, size);
        while left > 0 {
            let block = block(&mut state, left);
            let take = usize::try_from(left)?.min(block.len());
            file.write_all(&block[..take])?;
            left -= take as u64;
        }
        Ok(path)
    }

    /// A file of `size` bytes that takes no room: one byte at its end, nothing before.
    pub(crate) fn sparse(&self, name: &str, size: u64) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        File::create(&path)?.write_all_at(b"x", size - 1)?;
        Ok(path)
    }
}

/// Up to 1 MiB of SplitMix64's output, at least `wanted` if that is less: cheap, and no tool can compress it.
fn block(state: &mut u64, wanted: u64) -> Vec<u8> {
    let len = usize::try_from(wanted).unwrap_or(usize::MAX).min(1 << 20);
    let mut block = Vec::with_capacity(len + 8);
    while block.len() < len {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = *state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        block.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    block
}

/// Access key and secret of a profile.
pub(crate) fn keys(profile: &str) -> (String, String) {
    (format!("PEERS{}KEY", profile.to_uppercase()), format!("peers-{profile}-not-a-secret"))
}
