//! An API: where it is, and who gets its token.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::{Origin, Url};

use super::answer::clip;
use crate::source::{Secret, SourceError, SourceErrorKind};

/// The header that carries a bearer's token.
pub(in crate::source) const BEARER: HeaderName = AUTHORIZATION;

/// An API: where it is and how it is spoken to.
#[derive(Debug)]
pub(in crate::source) struct Api {
    base: Url,
    origin: Origin,
    /// Sent to the API's origin and nowhere else.
    headers: HeaderMap,
    token: Option<Secret>,
    token_header: Option<(HeaderName, HeaderValue)>,
    /// Origins beside the API's that were named to get the token, and nothing else of the API's headers.
    token_origins: Vec<Origin>,
    words: ApiWords,
}

/// What to do about an answer of the API's, by its status.
#[derive(Debug, Clone, Copy)]
pub(in crate::source) struct ApiWords {
    pub(in crate::source) unauthorized: &'static str,
    pub(in crate::source) forbidden: &'static str,
    pub(in crate::source) not_found: &'static str,
}

impl Api {
    /// Checks the API's address. It may have a path, which all calls are below.
    pub(in crate::source) fn new(address: &str, words: ApiWords) -> Result<Self, SourceError> {
        let wrong = |why: &str| {
            SourceError::new(SourceErrorKind::BadSetting, format!("the API's address is wrong: {why}"))
        };
        let base = Url::parse(address).map_err(|error| wrong(&error.to_string()))?;
        let origin = base.origin();
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("it must start with `https://`"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("it must not hold a user name or password; the token is a setting of its own"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("it must have no `?` and no `#`"));
        }
        Ok(Self {
            base,
            origin,
            headers: HeaderMap::new(),
            token: None,
            token_header: None,
            token_origins: Vec::new(),
            words,
        })
    }

    /// Adds a header that each call to the API carries.
    pub(in crate::source) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Adds the token, in the header `name` after `prefix`.
    pub(in crate::source) fn with_token(
        mut self,
        name: HeaderName,
        prefix: &str,
        token: Option<Secret>,
    ) -> Result<Self, SourceError> {
        if let Some(token) = &token {
            let mut value = HeaderValue::from_str(&format!("{prefix}{}", token.expose())).map_err(|_| {
                let what = "the token holds characters that no token has";
                SourceError::new(SourceErrorKind::BadSetting, what)
            })?;
            value.set_sensitive(true);
            self.token_header = Some((name, value));
        }
        self.token = token;
        Ok(self)
    }

    /// Names origins beside the API's that get the token.
    pub(in crate::source) fn with_token_origins(mut self, origins: &[String]) -> Result<Self, SourceError> {
        for text in origins {
            let url = Url::parse(text).ok();
            let url = url.filter(|url| {
                url.scheme() == "https" || url.scheme() == "http" && self.base.scheme() == "http"
            });
            let url = url.ok_or_else(|| {
                let what = format!("`{}` cannot get the token; it must start with `https://`", clip(text));
                SourceError::new(SourceErrorKind::BadSetting, what)
            })?;
            self.token_origins.push(url.origin());
        }
        Ok(self)
    }

    /// Returns the headers for a request to there: the API's own for the API, the token for where it may go.
    pub(super) fn headers_for(&self, url: &Url) -> HeaderMap {
        let at_api = self.is_at(url);
        let mut headers = if at_api { self.headers.clone() } else { HeaderMap::new() };
        if let Some((name, value)) = &self.token_header
            && (at_api || self.token_origins.contains(&url.origin()))
        {
            headers.insert(name.clone(), value.clone());
        }
        headers
    }

    /// Returns the address of a resource below the API's. Each part is one segment, whatever it holds.
    pub(in crate::source) fn url<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
        }
        url
    }

    /// Reports whether that is the API's origin.
    pub(in crate::source) fn is_at(&self, url: &Url) -> bool {
        url.origin() == self.origin
    }

    /// Returns text of the API's, save where it repeats the token.
    pub(super) fn without_token(&self, text: String) -> Option<String> {
        let leaks = self.token.as_ref().is_some_and(|token| text.contains(token.expose()));
        (!leaks).then_some(text)
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn words(&self) -> &ApiWords {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_the_origin_of_the_api_and_those_named() {
        let words = ApiWords { unauthorized: "", forbidden: "", not_found: "" };
        let api = Api::new("https://api.h/v2", words)
            .and_then(|api| api.with_header("accept", "x").with_token(BEARER, "Bearer ", Secret::new("hush")))
            .and_then(|api| api.with_token_origins(&["https://files.h".to_owned()]))
            .unwrap();
        let sent = |to| {
            let headers = api.headers_for(&Url::parse(to).unwrap());
            (headers.contains_key(BEARER), headers.contains_key("accept"))
        };
        assert_eq!(sent("https://api.h/elsewhere"), (true, true));
        assert_eq!(sent("https://files.h/a"), (true, false));
        for other in [
            "http://api.h/v2",
            "https://api.h:8443/v2",
            "https://api.h.evil/v2",
            "https://x.files.h/",
            "http://files.h/",
        ] {
            assert_eq!(sent(other), (false, false), "{other}");
        }
        assert!(!format!("{api:?}").contains("hush"));
    }
}
