//! Downloads that go on where they broke.

use std::io::{self, Read, Write};

use reqwest::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue,
    LAST_MODIFIED,
};
use reqwest::{Response, StatusCode};
use url::Url;

use super::client::{Http, Redirects, Rest, network, shown, unavailable};
use super::retry::{Call, Failure};
use crate::source::{SourceError, SourceErrorKind};
use crate::spool::{Body, Spool};

/// How far a download must have come for the deadline to count anew: less is no progress worth waiting for.
const STEP_BYTES: u64 = 1 << 20;

/// What of a download has come.
struct Progress<'a> {
    spool: Spool,
    /// The whole length, where the server said it.
    total: Option<u64>,
    /// Whether the server can send a rest.
    ranges: bool,
    validator: Option<HeaderValue>,
    packed: bool,
    /// The furthest place that was ever reached: bytes that come a second time are no news.
    furthest: u64,
    /// `furthest` when the deadline last began to count.
    counted_from: u64,
    most_bytes: u64,
    heard: &'a (dyn Fn(u64) + Send + Sync),
}

impl Http {
    /// Downloads what lies at `url`, in memory up to `memory` bytes, in a temporary file beyond.
    pub(in crate::source) async fn download(
        &self,
        url: &Url,
        memory: usize,
        heard: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Body, SourceError> {
        let most_bytes = self.settings().artifact_bytes;
        let mut call = Call::begin(self.settings());
        let mut progress = Progress {
            spool: Spool::new(memory),
            total: None,
            ranges: false,
            validator: None,
            packed: false,
            furthest: 0,
            counted_from: 0,
            most_bytes,
            heard,
        };
        loop {
            self.keep_quiet(&call).await;
            match self.try_download(url, &mut progress, &mut call).await {
                Ok(()) => break,
                Err(failure) => call.pause_after(failure).await?,
            }
        }
        let packed = progress.packed;
        let body = progress.spool.finish().map_err(|error| disk(&error))?;
        if packed { unpack(url, body, memory, most_bytes).await } else { Ok(body) }
    }

    async fn try_download(
        &self,
        url: &Url,
        progress: &mut Progress<'_>,
        call: &mut Call<'_>,
    ) -> Result<(), Failure> {
        let rest = progress.rest();
        // Always from the start of the chain: the signed address at its end does not live for long.
        let mut response = self.send(url, rest.as_ref(), Redirects::Anywhere).await?;
        let here = response.url().clone();
        progress.begin(&response, &here)?;
        while let Some(chunk) = response.chunk().await.map_err(|error| network(&here, error))? {
            progress.take(&chunk, &here)?;
            if progress.furthest - progress.counted_from >= STEP_BYTES {
                progress.counted_from = progress.furthest;
                call.moved_on();
            } else if call.left().is_zero() && !progress.is_whole() {
                let what =
                    format!("`{}` is slower than 1 MiB in {:?}", shown(&here), self.settings().deadline);
                return Err(Failure::again(unavailable(what)));
            }
        }
        match progress.total {
            Some(total) if total != progress.spool.len() => {
                let came = progress.spool.len();
                let what = format!("`{}` ended after {came} of {total} bytes", shown(&here));
                Err(Failure::again(unavailable(what)))
            }
            _ => Ok(()),
        }
    }
}

impl Progress<'_> {
    /// Returns what to ask for; `None` is all.
    fn rest(&self) -> Option<Rest> {
        let known = self.validator.is_some() || self.total.is_some();
        let wanted = self.ranges && known && !self.spool.is_empty();
        wanted.then(|| Rest { from: self.spool.len(), validator: self.validator.clone() })
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.spool.len())
    }

    /// Takes in the head of an answer: it continues what came before, or begins anew.
    fn begin(&mut self, response: &Response, url: &Url) -> Result<(), Failure> {
        let headers = response.headers();
        match response.status() {
            StatusCode::PARTIAL_CONTENT if self.continues(headers) => return Ok(()),
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.forget().map_err(|error| Failure::stop(disk(&error)))?;
                let what = format!("`{}` does not go on where it broke", shown(url));
                return Err(Failure::again(unavailable(what)));
            }
            _ => self.forget().map_err(|error| Failure::stop(disk(&error)))?,
        }
        self.total = length(headers);
        self.ranges = text_of(headers, &ACCEPT_RANGES).is_some_and(|text| text.eq_ignore_ascii_case("bytes"));
        self.validator = validator(headers);
        self.packed = match text_of(headers, &CONTENT_ENCODING) {
            None | Some("" | "identity") => false,
            Some("gzip" | "x-gzip") => true,
            Some(_) => {
                let what = format!("`{}` answered in an encoding that was not asked for", shown(url));
                return Err(Failure::stop(SourceError::new(SourceErrorKind::BadAnswer, what)));
            }
        };
        match self.total {
            Some(total) if total > self.most_bytes => Err(Failure::stop(too_large(url, self.most_bytes))),
            _ => Ok(()),
        }
    }

    fn continues(&mut self, headers: &HeaderMap) -> bool {
        let Some((start, total)) = text_of(headers, &CONTENT_RANGE).and_then(parse_content_range) else {
            return false;
        };
        let same_length = match (total, self.total) {
            (Some(now), Some(then)) => now == then,
            _ => self.validator.is_some(),
        };
        let same_thing = match (headers.get(ETAG), &self.validator) {
            // The validator may be a date, which is compared by the server alone.
            (Some(now), Some(then)) if then.as_bytes().first() == Some(&b'"') => now == then,
            _ => true,
        };
        self.total = self.total.or(total);
        start == self.spool.len() && same_length && same_thing
    }

    fn take(&mut self, chunk: &[u8], url: &Url) -> Result<(), Failure> {
        if self.spool.len().saturating_add(chunk.len() as u64) > self.most_bytes {
            return Err(Failure::stop(too_large(url, self.most_bytes)));
        }
        self.spool.write_all(chunk).map_err(|error| Failure::stop(disk(&error)))?;
        let news = self.spool.len().saturating_sub(self.furthest);
        self.furthest = self.furthest.max(self.spool.len());
        if news > 0 {
            (self.heard)(news);
        }
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        self.total = None;
        self.ranges = false;
        self.validator = None;
        self.packed = false;
        self.spool.clear()
    }
}

/// Inflates what a server stores and sends as gzip, whether asked for or not, as S3 does.
async fn unpack(url: &Url, body: Body, memory: usize, most_bytes: u64) -> Result<Body, SourceError> {
    let inflate = move || -> io::Result<Option<Body>> {
        let mut inflated =
            flate2::read::MultiGzDecoder::new(body.reader(0, body.len())).take(most_bytes.saturating_add(1));
        let mut spool = Spool::new(memory);
        io::copy(&mut inflated, &mut spool)?;
        if spool.len() > most_bytes { Ok(None) } else { spool.finish().map(Some) }
    };
    let bad = |error: io::Error| {
        let what = format!("`{}` answered gzip that cannot be inflated", shown(url));
        SourceError::new(SourceErrorKind::BadAnswer, what).because(error)
    };
    match tokio::task::spawn_blocking(inflate).await {
        Ok(inflated) => inflated.map_err(bad)?.ok_or_else(|| too_large(url, most_bytes)),
        Err(stopped) => Err(bad(io::Error::other(stopped))),
    }
}

fn too_large(url: &Url, most_bytes: u64) -> SourceError {
    let what = format!("`{}` is larger than the limit of {most_bytes} bytes for an artifact", shown(url));
    SourceError::new(SourceErrorKind::TooLarge, what)
}

fn disk(error: &io::Error) -> SourceError {
    unavailable(format!("the temporary file for a download cannot be written ({error})"))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    text_of(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// Returns what `If-Range` takes: a strong `ETag`, else a date.
fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    let strong = headers.get(ETAG).filter(|etag| etag.as_bytes().first() == Some(&b'"'));
    strong.or_else(|| headers.get(LAST_MODIFIED)).cloned()
}

/// Reads `bytes 5-9/10` and `bytes 5-9/*`: the start and the whole length.
fn parse_content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((start.parse().ok()?, total))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        assert_eq!(parse_content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(parse_content_range("bytes 5-9/*"), Some((5, None)));
        for wrong in [
            "",
            "bytes",
            "bytes 5",
            "bytes 5/10",
            "bytes a-9/10",
            "bytes 5-9/x",
            "lines 5-9/10",
            "bytes */10",
        ] {
            assert_eq!(parse_content_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_weak_etag_is_no_validator() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("W/\"1\""));
        assert_eq!(validator(&headers), None);
        headers.insert(LAST_MODIFIED, HeaderValue::from_static("Tue, 14 Nov 2023 22:00:00 GMT"));
        assert!(validator(&headers).is_some());
        headers.insert(ETAG, HeaderValue::from_static("\"1\""));
        assert_eq!(validator(&headers).unwrap(), "\"1\"");
    }
}
