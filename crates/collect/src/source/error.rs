//! What can go wrong with a source, by what a caller can do about it.

use std::error::Error;
use std::fmt;

/// Why a source could not answer.
#[derive(Debug)]
pub struct SourceError {
    kind: SourceErrorKind,
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a caller can do about a [`SourceError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// No or wrong credentials (401, or a store's word for it).
    Unauthorized,
    /// The credentials do not reach this far (403).
    Forbidden,
    /// There is no such run, bucket, folder or file (404).
    NotFound,
    /// It was there and has been removed after its retention time (410).
    Expired,
    /// The answer makes no sense: an error page for an archive, JSON of another shape.
    BadAnswer,
    /// A setting of this source is wrong.
    BadSetting,
    /// Larger than a limit.
    TooLarge,
    /// It still failed after retries: network, 429, 5xx.
    Unavailable,
}

impl SourceError {
    /// Makes an error. `what` names the thing, lower case, without a full stop, and does not repeat `source`.
    pub fn new(kind: SourceErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds words at the end of what it says.
    #[must_use]
    pub fn and(mut self, words: &str) -> Self {
        self.what.push_str(words);
        self
    }

    /// Returns what a caller can do about it.
    pub fn kind(&self) -> SourceErrorKind {
        self.kind
    }
}

impl SourceErrorKind {
    /// Reports whether the same request may succeed later, with nothing changed on our side.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Unavailable | Self::BadAnswer => true,
            Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::Expired
            | Self::BadSetting
            | Self::TooLarge => false,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn Error + 'static))
    }
}
