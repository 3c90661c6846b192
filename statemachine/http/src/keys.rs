//! The keys that requests may be signed with.
use std::fmt;
use std::time::SystemTime;

/// An access key.
#[derive(Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// For temporary keys: what requests carry beside the signature.
    pub session: Option<Session>,
}

/// The session of a temporary key.
#[derive(Clone)]
pub struct Session {
    /// `X-Amz-Security-Token`.
    pub token: String,
    /// From then on requests are refused with `ExpiredTokenException`.
    pub expires: SystemTime,
}

impl Key {
    /// A key for good.
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into(), session: None }
    }

    /// The same key for a session.
    #[must_use]
    pub fn with_session(mut self, token: impl Into<String>, expires: SystemTime) -> Self {
        self.session = Some(Session { token: token.into(), expires });
        self
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires", &self.expires).finish_non_exhaustive()
    }
}
