//! Calls: their redirects, their pages of JSON, what went wrong with them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_ENCODING, HeaderValue, IF_RANGE, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use super::answer::{BadAnswer, clip, json_message};
use super::api::Api;
use super::link::next_link;
use super::retry::{Call, Failure, HttpSettings, Next};
use crate::source::{SourceError, SourceErrorKind};

/// The most redirects that one call follows.
const HOPS: usize = 5;

/// The most bytes of one JSON answer: a page of 100 jobs with all their steps is about 1 MB.
const JSON_BYTES: usize = 64 << 20;

/// The most bytes that are read of an answer that is an error: the providers' are a few lines.
const ERROR_BYTES: usize = 16 << 10;

/// A page of an answer.
#[derive(Debug)]
pub(in crate::source) struct Page<T> {
    pub(in crate::source) value: T,
    /// The address of the next page, which is the API's.
    pub(in crate::source) next: Option<Url>,
}

/// Speaks to an API and to the storage that it points at.
#[derive(Debug)]
pub(in crate::source) struct Http {
    client: Client,
    api: Api,
    settings: HttpSettings,
    /// Until when the API asked us to be quiet: who hears it first spares the others from asking.
    quiet_until: Mutex<Option<Instant>>,
}

/// The part of a body that is still wanted.
#[derive(Debug, Clone)]
pub(super) struct Rest {
    pub(super) from: u64,
    /// The `ETag` or `Last-Modified` of what came before.
    pub(super) validator: Option<HeaderValue>,
}

/// Where a redirect may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    /// Within the API's origin.
    Api,
    /// Anywhere, without the token.
    Anywhere,
}

impl Http {
    pub(in crate::source) fn new(api: Api, settings: HttpSettings) -> Result<Self, SourceError> {
        let client = Client::builder()
            .user_agent(concat!("testlake/", env!("CARGO_PKG_VERSION")))
            // By hand, in `send`: the token and a downgrade are our business.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.idle_timeout)
            .build()
            .map_err(|error| {
                SourceError::new(SourceErrorKind::BadSetting, "the HTTP client cannot be set up")
                    .because(error)
            })?;
        Ok(Self { client, api, settings, quiet_until: Mutex::new(None) })
    }

    pub(in crate::source) fn api(&self) -> &Api {
        &self.api
    }

    pub(in crate::source) fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// Gets a page of JSON from the API.
    pub(in crate::source) async fn get_json<T: DeserializeOwned>(
        &self,
        url: &Url,
    ) -> Result<Page<T>, SourceError> {
        let mut call = Call::begin(&self.settings);
        loop {
            self.keep_quiet(&call).await;
            let tried = match tokio::time::timeout(call.left(), self.try_json(url)).await {
                Ok(tried) => tried,
                Err(_) => Err(Failure::again(unavailable(format!("`{}` did not end", shown(url))))),
            };
            match tried {
                Ok(page) => return Ok(page),
                Err(failure) => call.pause_after(failure).await?,
            }
        }
    }

    async fn try_json<T: DeserializeOwned>(&self, url: &Url) -> Result<Page<T>, Failure> {
        let mut response = self.send(url, None, Redirects::Api).await?;
        let here = response.url().clone();
        let next = self.next_page(&response, &here)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| network(&here, error))? {
            if body.len() + chunk.len() > JSON_BYTES {
                let what =
                    format!("`{}` answered more than the {} MiB limit", shown(&here), JSON_BYTES >> 20);
                return Err(Failure::stop(SourceError::new(SourceErrorKind::TooLarge, what)));
            }
            body.extend_from_slice(&chunk);
        }
        match serde_json::from_slice(&body) {
            Ok(value) => Ok(Page { value, next }),
            Err(error) => Err(not_the_json(&here, &error)),
        }
    }

    fn next_page(&self, response: &Response, here: &Url) -> Result<Option<Url>, Failure> {
        let Some(target) = next_link(response.headers()) else { return Ok(None) };
        match here.join(target) {
            Ok(next) if self.api.is_at(&next) && next != *here => Ok(Some(next)),
            // To stop here would lose the other pages without a word.
            Ok(_) | Err(_) => {
                let what = format!(
                    "`{}` names a next page that is itself or at another host, which is not followed",
                    shown(here)
                );
                Err(Failure::stop(SourceError::new(SourceErrorKind::BadAnswer, what)))
            }
        }
    }

    /// Asks and follows redirects. What comes back is good: 200, or 206 or 416 where a rest was asked for.
    pub(super) async fn send(
        &self,
        start: &Url,
        rest: Option<&Rest>,
        redirects: Redirects,
    ) -> Result<Response, Failure> {
        let mut url = start.clone();
        for _ in 0..=HOPS {
            let response = self.request(&url, rest).send().await.map_err(|error| network(&url, error))?;
            match response.status() {
                StatusCode::OK => return Ok(response),
                StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if rest.is_some() => {
                    return Ok(response);
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = self.redirected(&url, &response, redirects)?,
                _ => return Err(self.judge(&url, response).await),
            }
        }
        let what = format!("`{}` redirects more than {HOPS} times", shown(start));
        Err(Failure::stop(SourceError::new(SourceErrorKind::BadAnswer, what)))
    }

    fn request(&self, url: &Url, rest: Option<&Rest>) -> reqwest::RequestBuilder {
        let mut headers = self.api.headers_for(url);
        // Places in a body that is packed on the way mean nothing.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(rest) = rest {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", rest.from)) {
                headers.insert(RANGE, range);
            }
            if let Some(validator) = &rest.validator {
                headers.insert(IF_RANGE, validator.clone());
            }
        }
        self.client.get(url.clone()).headers(headers)
    }

    fn redirected(&self, from: &Url, response: &Response, redirects: Redirects) -> Result<Url, Failure> {
        let refuse = |why: &str| {
            let what = format!("`{}` redirects {why}", shown(from));
            Failure::stop(SourceError::new(SourceErrorKind::BadAnswer, what))
        };
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| refuse("without saying where to"))?;
        let to = redirect_target(from, location, self.api.base()).map_err(refuse)?;
        if redirects == Redirects::Api && !self.api.is_at(&to) {
            return Err(refuse("to another host, which is not followed"));
        }
        Ok(to)
    }

    async fn judge(&self, url: &Url, mut response: Response) -> Failure {
        let at_api = self.api.is_at(url);
        let mut body = Vec::new();
        if at_api {
            while let Ok(Some(chunk)) = response.chunk().await {
                if body.len() + chunk.len() > ERROR_BYTES {
                    break;
                }
                body.extend_from_slice(&chunk);
            }
        }
        let message = json_message(&body).and_then(|message| self.api.without_token(message));
        let answer = BadAnswer {
            shown: &shown(url),
            status: response.status(),
            headers: response.headers(),
            message,
            words: at_api.then_some(self.api.words()),
        };
        let failure = answer.judge(self.settings.clock.wall());
        if let (true, Next::After(pause)) = (at_api, failure.next) {
            self.be_quiet_for(pause);
        }
        failure
    }

    fn be_quiet_for(&self, pause: Duration) {
        let until = self.settings.clock.now().checked_add(pause);
        let mut quiet_until = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        *quiet_until = (*quiet_until).max(until);
    }

    /// Waits while the API wants to hear nothing, where that ends before the call's deadline.
    pub(super) async fn keep_quiet(&self, call: &Call<'_>) {
        let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            call.wait_until(until).await;
        }
    }
}

/// Returns where a redirect leads. From https it leads to https, save where the API itself is spoken to without.
fn redirect_target(from: &Url, location: &str, api: &Url) -> Result<Url, &'static str> {
    let to = from.join(location).map_err(|_| "to what is no address")?;
    match to.scheme() {
        "https" => Ok(to),
        "http" if api.scheme() == "http" => Ok(to),
        _ => Err("to another scheme than https, which is not followed"),
    }
}

/// Returns the request as messages show it: without query (signatures), fragment and user information (passwords).
pub(in crate::source) fn shown(url: &Url) -> String {
    format!("GET {}{}", url.origin().ascii_serialization(), clip(url.path()))
}

pub(super) fn unavailable(what: String) -> SourceError {
    SourceError::new(SourceErrorKind::Unavailable, what)
}

/// Says what the network did to a request.
pub(super) fn network(url: &Url, error: reqwest::Error) -> Failure {
    // The address of the error has the query.
    let error = error.without_url();
    let told = innermost(&error);
    let what = match (error.is_timeout(), error.is_connect()) {
        (true, true) => "no connection in time",
        (true, false) => "no answer in time",
        (false, true) => "no connection",
        (false, false) => "the connection broke",
    };
    let error_of = |kind| SourceError::new(kind, format!("`{}`: {what} ({told})", shown(url))).because(error);
    // A certificate that is wrong now is wrong in ten minutes.
    if told.contains("certificate") {
        Failure::stop(error_of(SourceErrorKind::Unavailable))
    } else {
        Failure::again(error_of(SourceErrorKind::Unavailable))
    }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    clip(&cause.to_string())
}

fn not_the_json(url: &Url, error: &serde_json::Error) -> Failure {
    use serde_json::error::Category;
    let bad = |what| SourceError::new(SourceErrorKind::BadAnswer, what);
    match error.classify() {
        Category::Data => Failure::stop(bad(format!(
            "`{}` answered JSON of another shape: {}",
            shown(url),
            clip(&error.to_string())
        ))),
        Category::Syntax | Category::Eof | Category::Io => Failure {
            error: bad(format!("`{}` answered what is no JSON: {}", shown(url), clip(&error.to_string()))),
            next: Next::AgainFewTimes,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_redirect_never_leaves_https() {
        let (from, api) = (url("https://h/a/b"), url("https://api"));
        let target = |location| redirect_target(&from, location, &api).map(|to| to.to_string());
        assert_eq!(target("c?d").as_deref(), Ok("https://h/a/c?d"));
        assert_eq!(target("//other/x").as_deref(), Ok("https://other/x"));
        for refused in ["http://h/a/b", "file:///etc/passwd", "data:,x", "https://"] {
            assert!(target(refused).is_err(), "{refused}");
        }
        // Where the API was given as http there is nothing to protect.
        assert!(redirect_target(&from, "http://h/", &url("http://api")).is_ok());
    }

    #[test]
    fn addresses_are_shown_without_what_is_secret_in_them() {
        assert_eq!(shown(&url("https://user:pass@h:8443/a/b?sig=x#y")), "GET https://h:8443/a/b");
    }
}
