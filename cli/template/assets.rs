//! The files that a template names: CDK's manifest of them, and the program in a function's zip.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::node::{Node, Site};
use super::resolve::filled;
use crate::exit::{CliError, Outcome};
use crate::home::remove_if_there;

/// Bytes of a function's files, unzipped (Lambda quotas: 250 MB).
const LARGEST: u64 = 262_144_000;

/// Machines of ELF that functions are built for: `e_machine`, Lambda's name, Rust's name.
const MACHINES: [Architecture; 2] = [(0x3e, "x86_64", "x86_64"), (0xb7, "arm64", "aarch64")];

/// See [`MACHINES`].
type Architecture = (u16, &'static str, &'static str);

/// The account of a template that was made for none in particular.
const NOWHERE: &str = "000000000000";

/// A folder that `cdk synth` wrote.
pub(crate) struct Assembly {
    folder: PathBuf,
    stem: String,
    manifest: Value,
}

impl Assembly {
    /// The folder that a template lies in.
    ///
    /// # Errors
    /// If the name is none that CDK gives, or the list of assets can not be read.
    pub(crate) fn of(template: &Path) -> Outcome<Self> {
        let name = template.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".template.json") else {
            return Err(CliError::usage(format!(
                "--from-template: expected a file NAME.template.json, found {}",
                template.display()
            ))
            .hint("cdk synth writes it to cdk.out"));
        };
        let folder = template.parent().unwrap_or(Path::new(".")).to_owned();
        let manifest = read_json(&folder.join(format!("{stem}.assets.json")))?;
        Ok(Self { folder, stem: stem.to_owned(), manifest })
    }

    /// Where the stack is to be deployed, as the assembly says. A Region or account that it does not know is the usual one.
    ///
    /// # Errors
    /// If the assembly's manifest can not be read, or does not know the template.
    pub(crate) fn site(&self) -> Outcome<Site> {
        let path = self.folder.join("manifest.json");
        let manifest = read_json(&path)?;
        let file = format!("{}.template.json", self.stem);
        let artifacts = manifest["artifacts"].as_object().into_iter().flatten();
        let found = artifacts.into_iter().find(|(_, one)| one["properties"]["templateFile"] == file.as_str());
        let Some((id, artifact)) = found else {
            return Err(CliError::usage(format!(
                "{}: expected a stack with {file}, found none",
                path.display()
            )));
        };
        let environment = artifact["environment"].as_str().unwrap_or_default();
        let (account, region) = environment.trim_start_matches("aws://").split_once('/').unwrap_or_default();
        let or = |text: &str, usual: &str| {
            if text.is_empty() || text.starts_with("unknown-") { usual.to_owned() } else { text.to_owned() }
        };
        let stack = artifact["properties"]["stackName"].as_str().unwrap_or(id).to_owned();
        Ok(Site { stack, region: or(region, "us-east-1"), account: or(account, NOWHERE) })
    }

    /// The file or folder that an asset is made of, by the key that it is uploaded to.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn asset(&self, key: &Node<'_>) -> Outcome<PathBuf> {
        let wanted = key.text()?;
        let mut files = self.manifest["files"].as_object().into_iter().flat_map(|files| files.values());
        let found = files.find(|file| goes_to(file, &wanted, &key.template.site));
        let Some(path) = found.and_then(|file| file["source"]["path"].as_str()) else {
            return Err(key.refuse_found(&format!("an asset of {}.assets.json", self.stem), &wanted));
        };
        let path = self.folder.join(path);
        if path.exists() {
            return Ok(path);
        }
        Err(key.refuse_found("the asset's file beside the template", &format!("no {}", path.display())))
    }
}

/// Whether an asset of the manifest is uploaded to this key.
fn goes_to(file: &Value, wanted: &str, site: &Site) -> bool {
    let known = |name: &str| site.pseudo(name).ok_or_else(|| CliError::usage(name));
    let mut destinations = file["destinations"].as_object().into_iter().flat_map(|all| all.values());
    destinations.any(|one| {
        let key = one["objectKey"].as_str().and_then(|text| filled(text, known).ok());
        key.as_deref() == Some(wanted)
    })
}

fn read_json(path: &Path) -> Outcome<Value> {
    let refuse = |why: String| CliError::usage(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))
}

/// The program of a function: that of a zip is unpacked into the folder, that of a folder stays where it is.
///
/// # Errors
/// If there is none, or it is none for this machine or for the architecture that the template says.
pub(crate) fn bootstrap(asset: &Path, folder: &Path, function: &Node<'_>) -> Outcome<PathBuf> {
    let code = function.need("Code")?;
    let path = if asset.is_dir() { asset.join("bootstrap") } else { unpack(asset, folder, &code)? };
    let meta = fs::metadata(&path).map_err(|error| {
        code.refuse_found("a file bootstrap in the zip", &format!("{}: {error}", path.display()))
    })?;
    if meta.permissions().mode() & 0o111 == 0 {
        return Err(
            code.refuse_found("a bootstrap that may be executed", &format!("{} without", path.display()))
        );
    }
    fits(architecture(&path, &code)?, &code, function)?;
    Ok(path)
}

/// Refuses a program that would not start here, or not where the template says.
fn fits(built: Option<Architecture>, code: &Node<'_>, function: &Node<'_>) -> Outcome {
    let Some((_, lambda, rust)) = built else { return Ok(()) };
    if rust != std::env::consts::ARCH {
        let here = MACHINES.iter().find(|(_, _, rust)| *rust == std::env::consts::ARCH);
        let here = here.map_or(std::env::consts::ARCH, |(_, lambda, _)| lambda);
        let expected = format!("a bootstrap for this machine, {here} (build-lambdas --arch {here})");
        return Err(code.refuse_found(&expected, &format!("one for {lambda}")));
    }
    let node = function.member("Architectures");
    let list = node.as_ref().map(Node::items).transpose()?.unwrap_or_default();
    // Lambda's own choice without it.
    let stated = list.first().map_or_else(|| Ok("x86_64".to_owned()), Node::text)?;
    if stated == lambda {
        return Ok(());
    }
    Err(node.unwrap_or_else(|| code.clone()).refuse_found(&format!("{lambda}, as bootstrap is"), &stated))
}

/// What a program is built for; `None` for a script.
fn architecture(path: &Path, code: &Node<'_>) -> Outcome<Option<Architecture>> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(20).read_to_end(&mut head));
    read.map_err(|error| CliError::trouble(path.display(), error))?;
    if head.starts_with(b"#!") {
        return Ok(None);
    }
    let machine = head.starts_with(b"\x7fELF").then(|| head.get(18..20)).flatten();
    let machine = machine.map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let known = machine.and_then(|machine| MACHINES.into_iter().find(|(number, ..)| *number == machine));
    known
        .map(Some)
        .ok_or_else(|| code.refuse_found("a bootstrap that Linux runs (ELF)", "another kind of file"))
}

fn unpack(asset: &Path, folder: &Path, code: &Node<'_>) -> Outcome<PathBuf> {
    let bad = |why: String| {
        code.refuse_found("a zip with a file bootstrap", &format!("{}: {why}", asset.display()))
    };
    let file = File::open(asset).map_err(|error| bad(error.to_string()))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| bad(error.to_string()))?;
    let mut entry = archive.by_name("bootstrap").map_err(|error| bad(error.to_string()))?;
    if entry.size() > LARGEST {
        return Err(bad(format!("{} bytes of the {LARGEST} that Lambda takes", entry.size())));
    }
    let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
    let path = folder.join("bootstrap");
    let trouble = |error: std::io::Error| CliError::trouble(path.display(), error);
    fs::create_dir_all(folder).and_then(|()| remove_if_there(&path)).map_err(trouble)?;
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).map_err(trouble)?;
    // The checksum of the entry is compared on the way.
    std::io::copy(&mut entry, &mut out).map_err(|error| bad(error.to_string()))?;
    Ok(path)
}
