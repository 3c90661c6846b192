//! What holds reads of a URL to one state of its object, as a text in place of an ETag. A strong ETag stands as it is; what
//! a server offers instead begins with a tilde, so that nobody takes it for one.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use transload_wire::Etag;

/// By what a server's object is known again, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// A strong ETag: the same bytes.
    Strong(Etag),
    /// `Last-Modified`, ISO 8601: changes within its second are not seen.
    Modified(String),
    /// A weak ETag: much the same.
    Weak(Etag),
    /// Nothing but the size.
    Size,
}

/// How an object is read, and by what it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    /// Known by this.
    pub(super) mark: Mark,
    /// Only as one stream from its first byte.
    pub(super) once: bool,
    /// The URL up to its query is not enough to name the object, or its bytes: another execution can not know whether it
    /// is the same.
    pub(super) own: bool,
}

impl Pin {
    /// As an ETag.
    pub(super) fn to_etag(&self) -> Option<Etag> {
        if let Self { mark: Mark::Strong(etag), once: false, own: false } = self
            && !etag.as_str().starts_with('~')
        {
            return Some(etag.clone());
        }
        let once = if self.once { "once/" } else { "" };
        let own = if self.own { "own/" } else { "" };
        let mark = match &self.mark {
            Mark::Strong(etag) => format!("etag/{etag}"),
            Mark::Modified(date) => format!("modified/{date}"),
            Mark::Weak(etag) => format!("weak/{etag}"),
            Mark::Size => "size".to_owned(),
        };
        format!("~{once}{own}{mark}").parse().ok()
    }

    /// What an ETag stands for.
    pub(super) fn of(etag: &Etag) -> Self {
        let strong = || Self { mark: Mark::Strong(etag.clone()), once: false, own: false };
        let Some(text) = etag.as_str().strip_prefix('~') else { return strong() };
        let (once, text) = text.strip_prefix("once/").map_or((false, text), |rest| (true, rest));
        let (own, text) = text.strip_prefix("own/").map_or((false, text), |rest| (true, rest));
        let mark = match text.split_once('/') {
            None if text == "size" => Some(Mark::Size),
            Some(("etag", value)) => value.parse().ok().map(Mark::Strong),
            Some(("weak", value)) => value.parse().ok().map(Mark::Weak),
            Some(("modified", value)) => Some(Mark::Modified(value.to_owned())),
            _ => None,
        };
        mark.map_or_else(strong, |mark| Self { mark, once, own })
    }

    /// Whether the ETag alone says that the bytes are the same, whoever looks and whenever.
    pub(super) fn lasts(&self) -> bool {
        !self.own && matches!(self.mark, Mark::Strong(_))
    }

    /// The header that makes a server refuse another object.
    pub(super) fn condition(&self) -> Option<(&'static str, String)> {
        match &self.mark {
            Mark::Strong(etag) => Some(("if-match", etag.to_header())),
            Mark::Modified(date) => Some(("if-unmodified-since", to_header(date)?)),
            Mark::Weak(_) | Mark::Size => None,
        }
    }
}

impl Mark {
    /// Whether two answers with this mark are of the same bytes, as far as a server can say so.
    pub(super) fn binds(&self) -> bool {
        matches!(self, Self::Strong(_) | Self::Modified(_))
    }
}

/// A date of a header in ISO 8601.
pub(super) fn from_header(date: &str) -> Option<String> {
    let date = DateTime::from_str(date, Format::HttpDate).ok()?;
    DateTime::from_secs(date.secs()).fmt(Format::DateTime).ok()
}

fn to_header(date: &str) -> Option<String> {
    DateTime::from_str(date, Format::DateTime).ok()?.fmt(Format::HttpDate).ok()
}

/// An ETag of a header, and whether it is weak. One that is no text of ours names nothing.
pub(super) fn etag_of(header: &str) -> Option<(Etag, bool)> {
    let (text, weak) = header.strip_prefix("W/").map_or((header, false), |rest| (rest, true));
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    // Room for what is put in front.
    (inner.len() <= 200).then(|| inner.parse().ok()).flatten().map(|etag| (etag, weak))
}

/// Parameters of signatures: they say who may read, and until when, not what. From the documentation of AWS, CloudFront,
/// Google Cloud, Aliyun, Tencent and Azure.
const OF_SIGNATURES: [&str; 26] = [
    "awsaccesskeyid",
    "expires",
    "signature",
    "x-id",
    "ossaccesskeyid",
    "security-token",
    "googleaccessid",
    "key-pair-id",
    "policy",
    "se",
    "sp",
    "sv",
    "sr",
    "sig",
    "st",
    "spr",
    "sip",
    "skoid",
    "sktid",
    "skt",
    "ske",
    "sks",
    "skv",
    "sks",
    "x-cos-security-token",
    "hash-algorithm",
];

/// Whether a query is a signature and nothing else.
pub(super) fn only_signs(query: &str) -> bool {
    query.split('&').all(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        let family = ["x-amz-", "x-goog-", "x-oss-", "q-"].iter().any(|family| name.starts_with(family));
        family || OF_SIGNATURES.contains(&name.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::{Mark, Pin, etag_of, from_header, only_signs};

    #[test]
    fn every_pin_survives_as_an_etag() {
        let (strong, tilde) = ("5d41-3".parse().unwrap(), "~once/size".parse().unwrap());
        for mark in [
            Mark::Strong(strong),
            Mark::Strong(tilde),
            Mark::Modified("2026-01-02T03:04:05Z".to_owned()),
            Mark::Weak("a/b".parse().unwrap()),
            Mark::Size,
        ] {
            for (once, own) in [(false, false), (true, false), (false, true), (true, true)] {
                let pin = Pin { mark: mark.clone(), once, own };
                assert_eq!(Pin::of(&pin.to_etag().unwrap()), pin);
            }
        }
        let plain = Pin { mark: Mark::Strong("abc".parse().unwrap()), once: false, own: false };
        assert!(plain.to_etag().unwrap().as_str() == "abc" && plain.lasts());
    }

    #[test]
    fn etags_and_dates_are_read_as_headers_have_them() {
        assert_eq!(etag_of("\"a b\""), None);
        assert_eq!(etag_of("abc"), None);
        assert!(
            matches!(etag_of("W/\"abc\""), Some((_, true))) && matches!(etag_of("\"abc\""), Some((_, false)))
        );
        let date = from_header("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let pin = Pin { mark: Mark::Modified(date), once: false, own: false };
        assert_eq!(
            pin.condition(),
            Some(("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()))
        );
        assert_eq!(from_header("yesterday"), None);
    }

    #[test]
    fn a_query_that_only_signs_is_told_from_one_that_names_an_object() {
        for signs in [
            "X-Amz-Algorithm=a&X-Amz-Signature=b&x-id=GetObject",
            "OSSAccessKeyId=a&Expires=1&Signature=b",
            "sv=1&sig=2",
        ] {
            assert!(only_signs(signs), "{signs}");
        }
        for names in ["id=1", "X-Amz-Signature=b&versionId=3", "", "file"] {
            assert!(!only_signs(names), "{names}");
        }
    }
}
