//! A URL in place of a source on the command line. Its query may be a signature: it is kept in a file of the owner's, and the
//! execution's input only says where.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use transload_wire::{QueryPlace, Source, TransferRequest, Url, UrlSource, VersionId};

use crate::exit::{CliError, Outcome};
use crate::home::{Home, remove_if_there};
use crate::place::Place;

/// What is read, as it is typed. A URL is looked at later: what the parser of arguments refuses, it prints.
#[derive(Clone)]
pub(crate) enum From {
    Place(Place),
    Url(String),
}

impl fmt::Debug for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::Url(_) => f.write_str("Url(** redacted **)"),
        }
    }
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("https" | "http") => Ok(Self::Url(text.to_owned())),
            _ => text.parse().map(Self::Place),
        }
    }
}

impl From {
    /// As a source, at a version or the newest one.
    ///
    /// # Errors
    /// If there is no key, or the URL is none.
    pub(crate) fn source(self, version_id: Option<VersionId>) -> Result<Source, String> {
        match self {
            Self::Place(place) => place.source(version_id),
            Self::Url(_) if version_id.is_some() => {
                Err("--version-id: expected a source in a bucket beside it, found a URL".to_owned())
            }
            Self::Url(text) => {
                let url = text.parse::<Url>().map_err(|error| format!("source: {error}"))?;
                Ok(Source::Url(UrlSource { url, query: None, checksum: None }))
            }
        }
    }
}

/// A file that holds a URL with its query.
#[derive(Debug)]
pub(crate) struct Kept(PathBuf);

impl Kept {
    /// Nobody needs it any more.
    pub(crate) fn remove(&self) {
        if let Err(error) = remove_if_there(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

/// Puts a URL with a query into a file, and says so in its place. The same URL is kept in the same file, so that the same
/// command has the same input.
///
/// # Errors
/// If the home can not be written.
pub(crate) fn keep(source: &mut Source, home: &Home) -> Outcome<Option<Kept>> {
    let Source::Url(from) = source else { return Ok(None) };
    if from.url.query().is_none() {
        return Ok(None);
    }
    let folder = home.queries();
    let trouble = |error: std::io::Error| CliError::trouble(folder.display(), error);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(trouble)?;
    let text = format!("{}\n", from.url.reveal());
    let path = match kept(&folder, &text) {
        Some(path) => path,
        None => {
            let path = folder.join(format!("{}.url", uuid::Uuid::new_v4().simple()));
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(trouble)?;
            file.write_all(text.as_bytes()).map_err(trouble)?;
            path
        }
    };
    let Some(name) = path.to_str() else {
        return Err(CliError::usage(format!("--home: expected a path in UTF-8, found {}", path.display())));
    };
    from.query = Some(QueryPlace::File(name.to_owned()));
    from.url = from.url.without_query();
    Ok(Some(Kept(path)))
}

fn kept(folder: &Path, text: &str) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.into_iter().find(|path| fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()))
}

/// The input of an execution elsewhere: no file of this machine is there, so a query stands in it.
///
/// # Errors
/// If it has no JSON form.
pub(crate) fn with_query(request: &TransferRequest) -> Outcome<String> {
    let trouble = |error: serde_json::Error| CliError::trouble("input", error);
    let mut input = serde_json::to_value(request).map_err(trouble)?;
    if let Source::Url(from) = &request.source
        && from.url.query().is_some()
    {
        eprintln!(
            "note: the URL's query will stand in the execution's history; to keep it out, put the whole URL into a secret \
             and name that in the input: {{\"url\": {:?}, \"query\": {{\"secret\": NAME}}}}",
            from.url.place()
        );
        input["source"]["url"] = from.url.reveal().into();
    }
    serde_json::to_string(&input).map_err(trouble)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use transload_wire::Source;

    use super::{From, keep};
    use crate::home::Home;

    fn source(text: &str) -> Result<Source, String> {
        text.parse::<From>()?.source(None)
    }

    #[test]
    fn a_query_is_kept_in_one_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::resolve(Some(&folder.path().join("home"))).unwrap();
        let mut first = source("https://a.example/f?sig=TOPSECRET").unwrap();
        let kept = keep(&mut first, &home).unwrap().unwrap();
        let json = serde_json::to_string(&first).unwrap();
        assert!(!json.contains("TOPSECRET") && json.contains("\"query\":{\"file\":"), "{json}");
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(kept.0.clone()), mode(home.queries())), (0o600, 0o700));
        let mut again = source("https://a.example/f?sig=TOPSECRET").unwrap();
        keep(&mut again, &home).unwrap();
        assert_eq!(again, first, "the same command has the same input");
        let mut other = source("https://a.example/f?sig=OTHER").unwrap();
        keep(&mut other, &home).unwrap();
        assert_ne!(other, first);
        kept.remove();
        assert!(!kept.0.exists());
        let mut plain = source("https://a.example/f").unwrap();
        assert!(keep(&mut plain, &home).unwrap().is_none());
    }

    #[test]
    fn what_is_no_url_is_not_quoted() {
        let refused = source("https://user:TOPSECRET@a.example/").unwrap_err();
        assert!(refused.contains("user or password") && !refused.contains("TOPSECRET"), "{refused}");
        let shown = format!("{:?}", "HTTPS://a.example/?TOPSECRET".parse::<From>().unwrap());
        assert!(!shown.contains("TOPSECRET"), "{shown}");
        assert!(source("ftp://a.example/x").unwrap_err().contains("bucket"));
    }
}
