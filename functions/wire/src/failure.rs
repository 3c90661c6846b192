//! Failures, and their names. A name is an interface: it stands in the execution's history, in `ErrorEquals` of the
//! definitions and in the documentation. Renaming one breaks deployed workflows.

use std::error::Error;
use std::fmt;

/// Declares the names once, each with its class and its meaning.
macro_rules! error_names {
    ($($(#[doc = $doc:literal])+ $name:ident: $class:ident,)+) => {
        /// The name of a failure, as it stands in histories and in `ErrorEquals`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorName { $($(#[doc = $doc])+ $name,)+ }

        impl ErrorName {
            /// Every name, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name as it is written.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Whether the same call may succeed later without a change by anyone.
            #[must_use]
            pub fn is_transient(self) -> bool {
                match self { $(Self::$name => error_names!(@ $class),)+ }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
    (@ transient) => { true };
    (@ permanent) => { false };
}

error_names! {
    /// A field of the request is missing, unknown, doubled or out of its range.
    InputInvalid: permanent,
    /// The object can not be cut into parts as asked, or is too large for the destination.
    PlanInvalid: permanent,
    /// A setting of the destination is refused: metadata, tags, storage class, encryption, lock.
    DestinationInvalid: permanent,
    /// The upload is another key's, was made with another layout, or a part number or range is outside of it.
    UploadInvalid: permanent,
    /// The location can not do what is asked.
    Unsupported: permanent,
    /// The source, its bucket or its version does not exist.
    SourceNotFound: permanent,
    /// The source may not be read with the location's credentials.
    SourceAccessDenied: permanent,
    /// The newest version of the source is a delete marker.
    SourceDeleteMarker: permanent,
    /// The source is in an archive tier and has to be restored first.
    SourceArchived: permanent,
    /// The source was asked back from its archive tier and is not readable after the hours allowed.
    ThawOverdue: permanent,
    /// The source is encrypted with a key that only its owner has (SSE-C).
    SourceNeedsSseC: permanent,
    /// The source is no longer the version that was pinned.
    SourceChanged: permanent,
    /// The source answers with other bytes than asked: wrong offset, total or length, twice.
    SourceBroken: permanent,
    /// The source ignores the Range header and answers 200.
    RangeIgnored: permanent,
    /// The destination's bucket does not exist.
    DestinationNotFound: permanent,
    /// The destination may not be written or read back with the location's credentials.
    DestinationAccessDenied: permanent,
    /// The destination exists and may not be replaced, or was replaced by another writer meanwhile.
    DestinationExists: permanent,
    /// Another transfer wrote the destination meanwhile: which of the two is newer has to be looked at again.
    DestinationChanged: permanent,
    /// The bytes at the destination are not the source's: whole-object checksums differ.
    ChecksumMismatch: permanent,
    /// The encryption key is disabled, deleted or not usable.
    KeyUnavailable: permanent,
    /// The workflow's own bucket of lists and reports is missing, or refuses what is asked.
    WorkDenied: permanent,
    /// More would be deleted at the destination than the request allows, or the source lists empty: nothing was written.
    DeletesRefused: permanent,
    /// Objects failed, for the reasons in the report: mend what can be mended, and a redrive sends only them.
    ObjectsFailed: permanent,
    /// What was listed is not what was copied, skipped, there already and failed: the report has the sums.
    AccountingDiffers: permanent,
    /// A rule of this program does not hold; a defect worth a report.
    Internal: permanent,
    /// The store asks to slow down (503, 429).
    Throttled: transient,
    /// The store answers 5xx or something that is no answer of a store.
    Unavailable: transient,
    /// The connection was refused, reset or closed early.
    ConnectionLost: transient,
    /// No byte came for longer than the stall guard allows.
    Stalled: transient,
    /// The credentials expired or are not accepted (yet); they were read again once.
    CredentialsExpired: transient,
    /// A part arrived with other bytes than were sent.
    PartCorrupted: transient,
    /// Too little of the worker's time is left for the rest; what was sent stays.
    OutOfTime: transient,
    /// The window in which bytes may move is closed; the message says in how many seconds it opens.
    WindowClosed: transient,
    /// Not all parts are at the destination yet.
    PartsMissing: transient,
    /// The upload is not open any more (aborted, or removed by a lifecycle rule).
    UploadGone: transient,
    /// The store wants the upload to be made again (409 ConditionalRequestConflict).
    UploadConflict: transient,
    /// All rounds were used up; the upload is kept, and a redrive sends what is missing.
    RoundsExhausted: transient,
}

impl ErrorName {
    /// The name that is written like this.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }

    /// A failure of this name.
    pub fn because(self, message: impl Into<String>) -> Failure {
        Failure { name: self, message: message.into(), source: None }
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a state failed. Messages say where, what was expected and what was found, and never hold a secret.
#[derive(Debug)]
pub struct Failure {
    /// The stable name.
    pub name: ErrorName,
    /// Where, expected, found.
    pub message: String,
    /// What it came from.
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Keeps what the failure came from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts where it happened in front of the message: `part 7 of s3://b/k: ...`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.name.is_transient()
    }

    /// Keeps to the names that a state declares, so that no definition meets one it does not handle. An answer that has
    /// no meaning where it was given (a HEAD that knows no upload) is no answer of a store: `Unavailable` if it may pass,
    /// else `Internal`.
    #[must_use]
    pub fn among(mut self, declared: &[ErrorName]) -> Self {
        if !declared.contains(&self.name) {
            self.message = format!("expected no {} here, found: {}", self.name, self.message);
            self.name = if self.is_transient() { ErrorName::Unavailable } else { ErrorName::Internal };
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

impl From<transload_plan::PlanError> for Failure {
    fn from(error: transload_plan::PlanError) -> Self {
        use transload_plan::PlanError as P;
        let name = match error {
            P::LayoutMismatch { .. } | P::PartNumbers { .. } => ErrorName::UploadInvalid,
            _ => ErrorName::PlanInvalid,
        };
        name.because(error.to_string()).caused_by(error)
    }
}

#[cfg(feature = "lambda")]
impl From<Failure> for lambda_runtime::Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.name.as_str().to_owned(), error_message: failure.message }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorName;

    #[test]
    fn every_name_is_found_by_its_text() {
        for name in ErrorName::ALL {
            assert_eq!(ErrorName::of(name.as_str()), Some(*name));
            assert!(name.meaning().ends_with('.'), "{name}");
        }
        assert_eq!(ErrorName::of("States.Timeout"), None);
    }

    #[test]
    fn a_failure_says_where_and_keeps_its_cause() {
        let failure = ErrorName::SourceChanged
            .because("expected ETag \"a\", found \"b\"")
            .caused_by("412")
            .at("part 7 of s3://b/k");
        assert_eq!(
            failure.to_string(),
            "SourceChanged: part 7 of s3://b/k: expected ETag \"a\", found \"b\""
        );
        assert_eq!(std::error::Error::source(&failure).unwrap().to_string(), "412");
    }

    #[test]
    fn what_a_state_does_not_declare_keeps_whether_it_may_pass() {
        let declared = [ErrorName::Throttled];
        let name = |name: ErrorName| name.because("x").among(&declared).name;
        assert_eq!(name(ErrorName::Throttled), ErrorName::Throttled);
        assert_eq!(name(ErrorName::UploadGone), ErrorName::Unavailable);
        assert_eq!(name(ErrorName::SourceBroken), ErrorName::Internal);
    }

    #[cfg(feature = "lambda")]
    #[test]
    fn the_workflow_sees_the_name_as_error_type() {
        let diagnostic = lambda_runtime::Diagnostic::from(ErrorName::Throttled.because("slow down"));
        assert_eq!(
            (diagnostic.error_type.as_str(), diagnostic.error_message.as_str()),
            ("Throttled", "slow down")
        );
    }
}
