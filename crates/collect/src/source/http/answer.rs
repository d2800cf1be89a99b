//! What an answer other than a good one means.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

use super::api::ApiWords;
use super::retry::{Failure, Next};
use crate::source::{SourceError, SourceErrorKind};

/// GitHub's word for callers who went over a secondary limit without being told how long to wait.
const SECONDARY_PAUSE: Duration = Duration::from_mins(1);

/// Values of `X-RateLimit-Reset` below this are seconds from now, others the time since the epoch (2001 on).
const EPOCH_SECONDS_FROM: u64 = 1_000_000_000;

/// An answer with a status that is not good.
#[derive(Debug)]
pub(super) struct BadAnswer<'a> {
    /// `GET` and the address, as it may be shown.
    pub(super) shown: &'a str,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    /// The `message` of the JSON body, where the API itself answered with one.
    pub(super) message: Option<String>,
    /// What to do, where the API itself answered; storage that it points at knows no tokens.
    pub(super) words: Option<&'a ApiWords>,
}

impl BadAnswer<'_> {
    /// Says what went wrong and whether to try again. `now` is the time of day.
    pub(super) fn judge(&self, now: SystemTime) -> Failure {
        let status = self.status.as_u16();
        if let (403 | 429, Some(pause)) = (status, self.rate_limit_pause(now)) {
            return self.wait("a rate limit holds until", pause, now);
        }
        let words = self.words;
        let (kind, advice) = match status {
            401 => (SourceErrorKind::Unauthorized, words.map(|w| w.unauthorized)),
            403 => (SourceErrorKind::Forbidden, words.map(|w| w.forbidden)),
            404 => (SourceErrorKind::NotFound, words.map(|w| w.not_found)),
            410 => (SourceErrorKind::Expired, Some("removed after its retention time")),
            408 | 425 | 429 | 500..=599 => {
                return match retry_after(self.headers, now) {
                    Some(pause) => self.wait("it asks for quiet until", pause, now),
                    None => Failure::again(SourceError::new(SourceErrorKind::Unavailable, self.text(None))),
                };
            }
            _ => (SourceErrorKind::BadAnswer, None),
        };
        Failure::stop(SourceError::new(kind, self.text(advice)))
    }

    /// Returns how long to wait where the answer has the signs of a rate limit.
    fn rate_limit_pause(&self, now: SystemTime) -> Option<Duration> {
        if let Some(pause) = retry_after(self.headers, now) {
            return Some(pause);
        }
        if text_of(self.headers, "x-ratelimit-remaining") == Some("0") {
            let reset = text_of(self.headers, "x-ratelimit-reset").and_then(|text| text.parse().ok());
            if let Some(pause) = reset.and_then(|reset| until_reset(reset, now)) {
                return Some(pause);
            }
        }
        let message = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        message.contains("secondary rate limit").then_some(SECONDARY_PAUSE)
    }

    fn wait(&self, why: &str, pause: Duration, now: SystemTime) -> Failure {
        let advice = format!("{why} {}", show_time(now.checked_add(pause)));
        let error = SourceError::new(SourceErrorKind::Unavailable, self.text(Some(&advice)));
        Failure { error, next: Next::After(pause) }
    }

    fn text(&self, advice: Option<&str>) -> String {
        let told: Vec<String> = [
            self.message.as_ref().map(|message| format!("\"{message}\"")),
            request_id(self.headers).map(|id| format!("request id {}", clip(id))),
        ]
        .into_iter()
        .flatten()
        .collect();
        let told = if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) };
        let advice = advice.map(|advice| format!(": {advice}")).unwrap_or_default();
        format!("`{}` answered {}{told}{advice}", self.shown, self.status)
    }
}

/// Returns the provider's id of the request, which its support asks for.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    ["x-github-request-id", "x-request-id", "x-amz-request-id", "x-ms-request-id"]
        .into_iter()
        .find_map(|name| text_of(headers, name))
        .filter(|id| id.len() <= 100)
}

/// Returns the `message` of a JSON body, made short and printable.
pub(super) fn json_message(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let message = value.get("message")?.as_str()?.trim();
    (!message.is_empty()).then(|| clip(message))
}

/// Makes text of a server's short and printable.
pub(super) fn clip(text: &str) -> String {
    // 200: a sentence or two; an error is one line.
    const LONGEST: usize = 200;
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut clipped: String = text.chars().map(printable).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        clipped.push('…');
    }
    clipped
}

fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    // One that has passed asks for no more than the next try.
    Some(at.duration_since(now).unwrap_or_default())
}

fn until_reset(reset: u64, now: SystemTime) -> Option<Duration> {
    if reset < EPOCH_SECONDS_FROM {
        return Some(Duration::from_secs(reset));
    }
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset))?;
    // The header is in whole seconds; the next try must not come in the last of them.
    Some(at.duration_since(now).unwrap_or_default().saturating_add(Duration::from_secs(1)))
}

fn show_time(time: Option<SystemTime>) -> String {
    // `fmt_http_date` panics before 1970 and beyond the year 9999, which begins so many seconds after the epoch.
    let year_9999 = Duration::from_secs(253_370_764_800);
    let can_be_shown =
        |time: &SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|t| t < year_9999);
    time.filter(can_be_shown).map_or_else(|| "a time without end".to_owned(), httpdate::fmt_http_date)
}

fn text_of<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    headers.get(HeaderName::from_static(name))?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: ApiWords = ApiWords { unauthorized: "set X", forbidden: "needs Y", not_found: "no Z" };

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn judged(status: u16, headers: &[(&'static str, &str)], message: Option<&str>) -> Failure {
        let headers = headers.iter().map(|(k, v)| (HeaderName::from_static(k), v.parse().unwrap())).collect();
        BadAnswer {
            shown: "GET https://h/p",
            status: StatusCode::from_u16(status).unwrap(),
            headers: &headers,
            message: message.map(str::to_owned),
            words: Some(&WORDS),
        }
        .judge(now())
    }

    #[test]
    fn each_status_has_its_kind() {
        use SourceErrorKind as K;
        for (status, kind, next) in [
            (401, K::Unauthorized, Next::Stop),
            (403, K::Forbidden, Next::Stop),
            (404, K::NotFound, Next::Stop),
            (410, K::Expired, Next::Stop),
            (400, K::BadAnswer, Next::Stop),
            (304, K::BadAnswer, Next::Stop),
            (408, K::Unavailable, Next::Again),
            (425, K::Unavailable, Next::Again),
            (429, K::Unavailable, Next::Again),
            (500, K::Unavailable, Next::Again),
            (599, K::Unavailable, Next::Again),
        ] {
            let failure = judged(status, &[], None);
            assert_eq!((failure.error.kind(), failure.next), (kind, next), "{status}");
        }
    }

    #[test]
    fn servers_say_how_long_to_wait() {
        for (status, headers, pause) in [
            (503, vec![("retry-after", "7")], 7),
            (429, vec![("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT")], 60),
            (429, vec![("retry-after", "Tue, 14 Nov 2023 22:00:00 GMT")], 0),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000100")], 101),
            (403, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1600000000")], 1),
            (429, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")], 30),
            (
                403,
                vec![
                    ("retry-after", "5"),
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1700000100"),
                ],
                5,
            ),
        ] {
            let failure = judged(status, &headers, None);
            assert_eq!(failure.next, Next::After(Duration::from_secs(pause)), "{status} {headers:?}");
            assert_eq!(failure.error.kind(), SourceErrorKind::Unavailable);
        }
    }

    #[test]
    fn a_limit_that_is_not_used_up_is_no_reason_to_wait() {
        let headers = [("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1700000100")];
        assert_eq!(judged(403, &headers, None).next, Next::Stop);
    }

    #[test]
    fn the_secondary_limit_waits_a_minute() {
        let failure = judged(403, &[], Some("You have exceeded a secondary rate limit. Please wait"));
        assert_eq!(failure.next, Next::After(Duration::from_secs(60)));
    }

    #[test]
    fn a_limit_names_the_time_at_which_it_ends() {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700003599")];
        assert_eq!(
            judged(403, &headers, None).error.to_string(),
            "`GET https://h/p` answered 403 Forbidden: a rate limit holds until Tue, 14 Nov 2023 23:13:20 GMT"
        );
        let endless = [("retry-after", "18446744073709551615")];
        assert!(judged(429, &endless, None).error.to_string().ends_with("until a time without end"));
        let far = [("retry-after", "999999999999")];
        assert!(judged(429, &far, None).error.to_string().ends_with("until a time without end"));
    }

    #[test]
    fn an_error_says_what_the_server_said_and_what_to_do() {
        let failure = judged(403, &[("x-github-request-id", "AB:1")], Some("Resource not accessible"));
        assert_eq!(
            failure.error.to_string(),
            "`GET https://h/p` answered 403 Forbidden (\"Resource not accessible\", request id AB:1): needs Y"
        );
    }

    #[test]
    fn messages_are_short_and_printable() {
        let long = format!(r#"{{"message":"a\u001b[31m{}"}}"#, "x".repeat(300));
        let message = json_message(long.as_bytes()).unwrap();
        assert_eq!(message.chars().count(), 201);
        assert!(message.starts_with("a [31mxx"));
        assert_eq!(json_message(b"<html>"), None);
        assert_eq!(json_message(b"[]"), None);
        assert_eq!(json_message(br#"{"message":" "}"#), None);
    }
}
