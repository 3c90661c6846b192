//! What is shown of a URL, whatever it is.

use proptest::prelude::*;
use transload_wire::{Source, Url, UrlSource};

proptest! {
    #[test]
    fn no_form_of_a_url_shows_its_query(
        host in "[a-z]{1,10}\\.example",
        path in "(/[a-z%2F]{0,8}){0,3}",
        query in "[A-Za-z0-9&=%._~+/:@!$'()*,;?-]{12,60}",
        port in proptest::option::of(1..60_000_u16),
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("https://{host}{port}{path}?{query}");
        let Ok(url) = text.parse::<Url>() else { return Ok(()) };
        let source = Source::Url(UrlSource { url: url.clone(), query: None, checksum: None });
        for shown in [
            url.to_string(),
            format!("{url:?}"),
            serde_json::to_string(&url).unwrap(),
            source.to_string(),
            format!("{source:?}"),
            serde_json::to_string(&source).unwrap(),
        ] {
            prop_assert!(!shown.contains(&query), "{shown}");
        }
        prop_assert!(url.reveal().ends_with(&query));
        // What was shown is read again as a URL that lacks its query, never as another one.
        prop_assert!(url.to_string().parse::<Url>().unwrap().is_cut());
        prop_assert!(url.reveal().parse::<Url>().unwrap() == url);
    }

    #[test]
    fn what_is_refused_is_not_quoted(text in "\\PC{0,80}") {
        if let Err(refused) = format!("https://{text}TOPSECRET").parse::<Url>() {
            prop_assert!(!refused.to_string().contains("TOPSECRET"));
        }
    }
}
