//! What an object store's refusal means.
//!
//! The client's errors carry the answer only as text, so it is read from there: status, the provider's code and
//! message, and the id by which the provider finds the request again.

use std::error::Error;
use std::fmt;

use crate::source::{SourceError, SourceErrorKind};

/// Why a request to a store failed, in few words.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: SourceErrorKind,
    /// Whether it was refused because the object is not the one that it was.
    pub(crate) is_replaced: bool,
    /// A key in the answer that the client cannot name, which costs the whole page of a list.
    pub(crate) bad_key: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    message: String,
    request_id: Option<String>,
}

impl Failure {
    /// Reads an error of the client.
    pub(crate) fn of(error: &object_store::Error) -> Self {
        let text = error.to_string();
        let status = status_of(error, &text);
        let code = between(&text, "<Code>", "</Code>").map(str::to_owned);
        let request_id = between(&text, "<RequestId>", "</RequestId>")
            .or_else(|| between(&text, "RequestId:", "\n"))
            .map(|id| id.trim().to_owned());
        let kind = kind_of(error, status, code.as_deref(), &text);
        let message = match between(&text, "<Message>", "</Message>") {
            Some(message) => message.lines().next().unwrap_or_default().to_owned(),
            None if text.contains("Received redirect") => "it lies in another region".to_owned(),
            None => innermost(error),
        };
        let is_replaced = status == Some(412);
        let bad_key = bad_key(error);
        Self { kind, is_replaced, bad_key, status, code, message, request_id }
    }

    /// Reports whether the same request may succeed if repeated.
    pub(crate) fn is_transient(&self) -> bool {
        self.kind == SourceErrorKind::Unavailable
    }

    /// Reports whether it is the bucket that is not there, not the object.
    pub(crate) fn is_no_bucket(&self) -> bool {
        self.kind == SourceErrorKind::NotFound
            && matches!(self.code.as_deref(), Some("NoSuchBucket" | "ContainerNotFound"))
    }

    /// Makes a source's error of it. `what` says what was asked for, `hint` what to do.
    pub(crate) fn into_error(self, what: String, hint: Option<&str>) -> SourceError {
        let what = match hint {
            Some(hint) => format!("{what}; {hint}"),
            None => what,
        };
        SourceError::new(self.kind, what).because(self)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "{status} ")?;
        }
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl Error for Failure {}

fn status_of(error: &object_store::Error, text: &str) -> Option<u16> {
    let after = |mark: &str| between(text, mark, " ")?.trim_end_matches(':').parse().ok();
    after("non-2xx status code: ").or(match error {
        object_store::Error::NotFound { .. } => Some(404),
        object_store::Error::PermissionDenied { .. } => Some(403),
        object_store::Error::Unauthenticated { .. } => Some(401),
        object_store::Error::Precondition { .. } => Some(412),
        _ => None,
    })
}

fn kind_of(
    error: &object_store::Error,
    status: Option<u16>,
    code: Option<&str>,
    text: &str,
) -> SourceErrorKind {
    /// Refusals of who asks, which some stores send with 400 or 403.
    const UNKNOWN_CALLER: [&str; 9] = [
        "InvalidAccessKeyId",
        "NotSignedUp",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
        "AuthenticationFailed",
        "InvalidAuthenticationInfo",
    ];
    if code.is_some_and(|code| UNKNOWN_CALLER.contains(&code)) {
        return SourceErrorKind::Unauthorized;
    }
    match status {
        Some(404) => SourceErrorKind::NotFound,
        Some(401) => SourceErrorKind::Unauthorized,
        Some(403) => SourceErrorKind::Forbidden,
        Some(409) if code == Some("PublicAccessNotPermitted") => SourceErrorKind::Unauthorized,
        Some(408 | 429 | 500..) => SourceErrorKind::Unavailable,
        // A bucket of another region, or an address that is not the store's.
        Some(300..400) => SourceErrorKind::BadSetting,
        Some(400)
            if matches!(
                code,
                Some("AuthorizationHeaderMalformed" | "IllegalLocationConstraintException")
            ) =>
        {
            SourceErrorKind::BadSetting
        }
        Some(_) => SourceErrorKind::BadAnswer,
        None if text.contains("Received redirect") => SourceErrorKind::BadSetting,
        None => match error {
            // To ask again does not change the key.
            object_store::Error::InvalidPath { .. } => SourceErrorKind::BadSetting,
            object_store::Error::NotSupported { .. }
            | object_store::Error::NotImplemented { .. }
            | object_store::Error::UnknownConfigurationKey { .. } => SourceErrorKind::BadSetting,
            // No list but, say, the page of a proxy in between.
            _ if text.contains("invalid list response") => SourceErrorKind::BadAnswer,
            _ => SourceErrorKind::Unavailable,
        },
    }
}

fn bad_key(error: &object_store::Error) -> Option<String> {
    use object_store::path::Error::{BadSegment, EmptySegment};
    match error {
        object_store::Error::InvalidPath { source: EmptySegment { path } | BadSegment { path, .. } } => {
            Some(path.clone())
        }
        _ => None,
    }
}

/// Returns the text of the deepest cause, which is the one that says something.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after).map_or(rest, |(inner, _)| inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: text.into() }
    }

    #[test]
    fn a_refusal_is_told_in_one_line() {
        let text = "Error performing list request: Error performing GET http://x/b in 1ms - Server returned non-2xx \
                    status code: 403 Forbidden: <Error><Code>AccessDenied</Code><Message>Access Denied</Message>\
                    <RequestId>4442587FB7D0A2F9</RequestId></Error>";
        let failure = Failure::of(&generic(text));
        assert_eq!(failure.kind, SourceErrorKind::Forbidden);
        assert_eq!(failure.to_string(), "403 AccessDenied: Access Denied (request 4442587FB7D0A2F9)");
    }

    #[test]
    fn a_key_that_nobody_knows_is_no_lack_of_permission() {
        let text = "non-2xx status code: 403 Forbidden: <Code>InvalidAccessKeyId</Code>";
        assert_eq!(Failure::of(&generic(text)).kind, SourceErrorKind::Unauthorized);
        let text = "non-2xx status code: 400 Bad Request: <Code>ExpiredToken</Code>";
        assert_eq!(Failure::of(&generic(text)).kind, SourceErrorKind::Unauthorized);
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        let kind = |text: &str| Failure::of(&generic(text)).kind;
        for (text, expected) in [
            ("non-2xx status code: 503 Service Unavailable: ", SourceErrorKind::Unavailable),
            ("non-2xx status code: 429 Too Many Requests: ", SourceErrorKind::Unavailable),
            ("connection reset by peer", SourceErrorKind::Unavailable),
            ("non-2xx status code: 404 Not Found: <Code>NoSuchBucket</Code>", SourceErrorKind::NotFound),
            ("non-2xx status code: 301 Moved Permanently: ", SourceErrorKind::BadSetting),
            ("Received redirect without LOCATION", SourceErrorKind::BadSetting),
            ("Got invalid list response: expected", SourceErrorKind::BadAnswer),
            ("non-2xx status code: 418 I'm a teapot: ", SourceErrorKind::BadAnswer),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
