//! The web address of a pipeline or workflow.

use url::Url;

use super::API_URL;
use super::run::{is_number, is_uuid};

/// What the web address of a pipeline or a workflow says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircleRunUrl {
    /// The API of that host.
    pub api_url: String,
    /// The project, as `gh/owner/name`.
    pub project_slug: String,
    /// `owner/name` of the repository, where the slug has it.
    pub repo: Option<String>,
    /// The workflow's id, or the pipeline's number where the address names no workflow.
    pub run_id: String,
}

/// Reads the web address of a workflow, as the browser shows it:
/// `https://app.circleci.com/pipelines/gh/o/r/N/workflows/UUID`, with or without `/jobs/J` behind; that of a
/// pipeline ends after `N`.
///
/// ```
/// use testlake_collect::source::circleci::parse_run_url;
///
/// let run = parse_run_url("https://app.circleci.com/pipelines/gh/o/r/17").unwrap();
/// assert_eq!((run.project_slug.as_str(), run.run_id.as_str()), ("gh/o/r", "17"));
/// assert_eq!(run.api_url, "https://circleci.com/api/v2");
/// ```
pub fn parse_run_url(text: &str) -> Option<CircleRunUrl> {
    let url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut parts = url.path_segments()?;
    if parts.next()? != "pipelines" {
        return None;
    }
    let (host_of_code, owner, name) = (parts.next()?, parts.next()?, parts.next()?);
    let short = match host_of_code {
        "gh" | "github" => "gh",
        "bb" | "bitbucket" => "bb",
        "circleci" => "circleci",
        _ => return None,
    };
    let pipeline = parts.next()?;
    if owner.is_empty() || name.is_empty() || !is_number(pipeline) {
        return None;
    }
    let run_id = match parts.next() {
        // One that is no id is not passed over: the pipeline is more than was meant.
        Some("workflows") => parts.next().filter(|id| is_uuid(id))?,
        _ => pipeline,
    };
    Some(CircleRunUrl {
        api_url: api_url(&url)?,
        project_slug: format!("{short}/{owner}/{name}"),
        repo: (short != "circleci").then(|| format!("{owner}/{name}")),
        run_id: run_id.to_owned(),
    })
}

/// Returns the API of a web host: circleci.com's, or a server's own.
fn api_url(url: &Url) -> Option<String> {
    Some(match url.host_str()? {
        "app.circleci.com" | "circleci.com" => API_URL.to_owned(),
        _ => format!("{}/api/v2", url.origin().ascii_serialization()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5034460f-c7c4-4c43-9457-de07e2029e7b";

    #[test]
    fn addresses_of_workflows_are_read() {
        for behind in ["", "/", "/jobs/4711", "?x=y"] {
            let run = parse_run_url(&format!(
                "https://app.circleci.com/pipelines/github/o/r/17/workflows/{ID}{behind}"
            ));
            let run = run.unwrap();
            assert_eq!((run.project_slug.as_str(), run.repo.as_deref()), ("gh/o/r", Some("o/r")));
            assert_eq!((run.run_id.as_str(), run.api_url.as_str()), (ID, API_URL));
        }
    }

    #[test]
    fn a_server_and_a_project_without_a_repository_are_read() {
        let run = parse_run_url("https://ci.example.com/pipelines/circleci/Org/Proj/3/").unwrap();
        assert_eq!(run.api_url, "https://ci.example.com/api/v2");
        assert_eq!(
            (run.project_slug.as_str(), run.repo, run.run_id.as_str()),
            ("circleci/Org/Proj", None, "3")
        );
    }

    #[test]
    fn other_addresses_are_not() {
        for text in [
            "",
            "circleci",
            "https://app.circleci.com/pipelines/gh/o/r",
            "https://app.circleci.com/pipelines/gh/o/r/x",
            "https://app.circleci.com/pipelines/svn/o/r/1",
            "https://app.circleci.com/pipelines/gh/o/r/1/workflows/x",
            "https://app.circleci.com/pipelines/gh/o/r/1/workflows",
            "https://app.circleci.com/gh/o/r/1",
        ] {
            assert_eq!(parse_run_url(text), None, "{text}");
        }
    }
}
