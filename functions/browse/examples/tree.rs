//! Fills a directory with a tree to look at: ten directories of ten files each, of random bytes, up to 100 kB.
//!
//! `cargo run -p transload-browse --example tree -- DIRECTORY`; the directory must not be there yet.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(root), None) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return Err("expected one argument, a directory that is not there yet".into());
    };
    fs::create_dir(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    for directory in 0..10 {
        let directory = root.join(format!("directory-{directory}"));
        fs::create_dir(&directory)?;
        for file in 0..10 {
            let bytes: Vec<u8> = (0..fastrand::usize(..100_000)).map(|_| fastrand::u8(..)).collect();
            fs::write(directory.join(format!("file-{file}")), bytes)?;
        }
    }
    Ok(())
}
