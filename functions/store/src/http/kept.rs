//! The URL as it is asked for, its query from where it is kept. Refusals do not quote what is kept.

use std::fs;
use std::io::Read;

use transload_wire::{QueryPlace, Url, UrlSource};

use crate::keys::{Issuer, held_text};
use crate::{StoreError, StoreErrorKind as Kind};

/// More than the longest URL.
const LONGEST: u64 = 16 << 10;

/// The URL with its query.
///
/// # Errors
/// `InvalidRequest` if the query was left out where it was given inline; `AccessDenied` if what is kept can not be read, or
/// is not of this URL: an operator has to mend it.
pub(super) async fn whole(source: &UrlSource) -> Result<Url, StoreError> {
    let Some(place) = &source.query else {
        if source.url.is_cut() {
            let message = format!("url: {source}: expected its query, found that it was left out");
            return Err(StoreError::new(Kind::InvalidRequest, message));
        }
        return Ok(source.url.clone());
    };
    let refuse =
        |why: String| StoreError::new(Kind::AccessDenied, format!("{source}: query: {place}: {why}"));
    let issued = async |issuer: Issuer| {
        issuer.check().map_err(&refuse)?;
        let text = held_text(&issuer).await;
        text.map_err(|error| StoreError::new(error.kind, format!("{source}: query: {error}")))
    };
    let text = match place {
        QueryPlace::Secret(name) => issued(Issuer::Secret(name.clone())).await?,
        QueryPlace::Parameter(name) => issued(Issuer::Parameter(name.clone())).await?,
        QueryPlace::Environment(name) => variable(name).map_err(refuse)?,
        QueryPlace::File(path) => file(path).map_err(refuse)?,
    };
    let found = text.trim().parse::<Url>().ok().filter(|found| found.query().is_some());
    let Some(found) = found else {
        return Err(refuse("expected the whole URL with its query there, found something else".to_owned()));
    };
    if found.without_query() != source.url {
        return Err(refuse(
            "expected the URL of the request and its query there, found another URL".to_owned(),
        ));
    }
    Ok(found)
}

fn variable(name: &str) -> Result<String, String> {
    // A name with = or NUL would panic in the system's library for some platforms, and names nothing.
    if name.contains(['=', '\0']) {
        return Err("expected a variable's name".to_owned());
    }
    std::env::var(name).map_err(|_| "expected a variable that is set, found none".to_owned())
}

/// A plain file: one that never ends, or waits for a writer, is not read.
fn file(path: &str) -> Result<String, String> {
    let told = |error: std::io::Error| error.kind().to_string();
    if !fs::metadata(path).map_err(told)?.is_file() {
        return Err("expected a file, found something else".to_owned());
    }
    let mut text = String::new();
    fs::File::open(path).map_err(told)?.take(LONGEST).read_to_string(&mut text).map_err(told)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use transload_wire::{QueryPlace, UrlSource};

    use super::whole;
    use crate::StoreErrorKind as Kind;

    async fn read(url: &str, place: Option<QueryPlace>) -> Result<String, (Kind, String)> {
        let source = UrlSource { url: url.parse().unwrap(), query: place, checksum: None };
        whole(&source).await.map(|url| url.reveal()).map_err(|error| (error.kind, error.to_string()))
    }

    async fn held(text: &str) -> Result<String, (Kind, String)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read("https://a.example/f", Some(QueryPlace::File(file.path().display().to_string()))).await
    }

    #[tokio::test]
    async fn a_kept_query_goes_to_the_url_it_was_made_for_and_nowhere_else() {
        assert_eq!(
            held("https://A.example/f?sig=TOPSECRET\n").await.unwrap(),
            "https://a.example/f?sig=TOPSECRET"
        );
        for (text, told) in [
            ("https://b.example/f?sig=TOPSECRET", "found another URL"),
            ("https://a.example/g?sig=TOPSECRET", "found another URL"),
            ("http://a.example/f?sig=TOPSECRET", "found another URL"),
            ("https://a.example:8443/f?sig=TOPSECRET", "found another URL"),
            ("https://a.example/f", "found something else"),
            ("sig=TOPSECRET", "found something else"),
            ("root:x:0:0:TOPSECRET", "found something else"),
            ("", "found something else"),
        ] {
            let (kind, refused) = held(text).await.unwrap_err();
            assert!(kind == Kind::AccessDenied && refused.contains(told), "{refused}");
            assert!(!refused.contains("TOPSECRET"), "{refused}");
        }
    }

    #[tokio::test]
    async fn what_can_not_be_read_is_named() {
        for (place, told) in [
            (QueryPlace::File("/nowhere/q".to_owned()), "file \"/nowhere/q\""),
            (QueryPlace::File("/dev/zero".to_owned()), "expected a file"),
            (QueryPlace::Environment("NOT_SET_ANYWHERE".to_owned()), "variable \"NOT_SET_ANYWHERE\""),
            (QueryPlace::Environment("PATH".to_owned()), "found something else"),
            (QueryPlace::Secret("a b".to_owned()), "expected a name or an ARN"),
        ] {
            let (kind, refused) = read("https://a.example/f", Some(place)).await.unwrap_err();
            assert!(kind == Kind::AccessDenied && refused.contains(told), "{refused}");
        }
        let (kind, refused) = read("https://a.example/f?…", None).await.unwrap_err();
        assert!(kind == Kind::InvalidRequest && refused.contains("left out"), "{refused}");
    }
}
