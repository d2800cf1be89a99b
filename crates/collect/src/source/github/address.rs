//! The web address of a run.

use url::Url;

use super::{API_URL, is_name};

/// What the web address of a run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunUrl {
    /// The API of that host.
    pub api_url: String,
    /// `owner/name`.
    pub repo: String,
    /// The run's id, decimal digits.
    pub run_id: String,
    /// The attempt, where the address names one.
    pub attempt: Option<u32>,
}

/// Reads the web address of a run, as the browser shows it:
/// `https://github.com/o/r/actions/runs/N`, with or without `/attempts/M`, `/job/J` and the like behind.
///
/// ```
/// use testlake_collect::source::github::parse_run_url;
///
/// let run = parse_run_url("https://github.com/o/r/actions/runs/17/attempts/2").unwrap();
/// assert_eq!((run.api_url.as_str(), run.repo.as_str()), ("https://api.github.com", "o/r"));
/// assert_eq!((run.run_id.as_str(), run.attempt), ("17", Some(2)));
/// ```
pub fn parse_run_url(text: &str) -> Option<RunUrl> {
    let url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut parts = url.path_segments()?;
    let (owner, name) = (parts.next()?, parts.next()?);
    let (actions, runs, run_id) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_name(owner) || !is_name(name) || (actions, runs) != ("actions", "runs") || !is_number(run_id) {
        return None;
    }
    let attempt = match parts.next() {
        // One that is no number is not passed over: the default is another attempt than was meant.
        Some("attempts") => Some(parts.next()?.parse().ok().filter(|attempt| *attempt > 0)?),
        _ => None,
    };
    Some(RunUrl {
        api_url: api_url(&url)?,
        repo: format!("{owner}/{name}"),
        run_id: run_id.to_owned(),
        attempt,
    })
}

/// Returns the API of a web host: GitHub's own, that of a company at `ghe.com`, or an Enterprise server's.
fn api_url(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match host {
        "github.com" | "www.github.com" => API_URL.to_owned(),
        _ if host.ends_with(".ghe.com") => format!("https://api.{host}"),
        _ => format!("{}/api/v3", url.origin().ascii_serialization()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, String, String, Option<u32>)> {
        parse_run_url(text).map(|run| (run.api_url, run.repo, run.run_id, run.attempt))
    }

    #[test]
    fn addresses_of_runs_are_read() {
        let github = |attempt| Some((API_URL.to_owned(), "o/r.s".to_owned(), "17".to_owned(), attempt));
        assert_eq!(parsed("https://github.com/o/r.s/actions/runs/17"), github(None));
        assert_eq!(parsed("https://www.github.com/o/r.s/actions/runs/17/"), github(None));
        assert_eq!(parsed("https://github.com/o/r.s/actions/runs/17/attempts/3?pr=1#s"), github(Some(3)));
        assert_eq!(parsed("https://github.com/o/r.s/actions/runs/17/job/99?pr=4"), github(None));
    }

    #[test]
    fn other_hosts_have_their_own_api() {
        let api = |text| parse_run_url(text).map(|run| run.api_url);
        assert_eq!(
            api("https://ghe.example.com/o/r/actions/runs/1").as_deref(),
            Some("https://ghe.example.com/api/v3")
        );
        assert_eq!(
            api("http://localhost:8080/o/r/actions/runs/1").as_deref(),
            Some("http://localhost:8080/api/v3")
        );
        assert_eq!(
            api("https://corp.ghe.com/o/r/actions/runs/1").as_deref(),
            Some("https://api.corp.ghe.com")
        );
    }

    #[test]
    fn other_addresses_are_not() {
        for text in [
            "",
            "github",
            "o/r/actions/runs/1",
            "s3://bucket/o/r/actions/runs/1",
            "https://github.com/o/r",
            "https://github.com/o/r/actions/runs/",
            "https://github.com/o/r/actions/runs/x1",
            "https://github.com/o/r/actions/runs/1/attempts/",
            "https://github.com/o/r/actions/runs/1/attempts/0",
            "https://github.com/o/r/actions/runs/1/attempts/x",
            "https://github.com/o//actions/runs/1",
            "https://github.com/o/r/pull/1",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
