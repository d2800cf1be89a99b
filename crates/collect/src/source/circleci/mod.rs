//! Test reports that CircleCI's jobs stored, over its API v2.
//!
//! A run is a pipeline (its number or id) or one workflow of it (its id). A job that stored XML files makes one
//! artifact of them, `test-reports-<job name>_<job number>`, or one for each of its parallel nodes,
//! `test-reports-<job name>-node<K>_<job number>`, as nodes store files of the same paths. So the number, by which
//! jobs are named here, is the job id that the artifact's name tells. A slash in a job's name becomes `-`.
//!
//! Attempts: to rerun a workflow makes another of the same name in the pipeline. Attempt N of a pipeline is the
//! N-th workflow of each name; a workflow asked for by its id is one attempt, 1.

mod address;
mod answer;
mod files;
mod run;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use reqwest::header::HeaderName;
use serde::de::DeserializeOwned;
use url::Url;

pub use address::{CircleRunUrl, parse_run_url};

use self::answer::{Artifact, Items, Job};
use super::http::{Api, ApiWords, Http, HttpSettings, shown};
use super::{Content, JobNames, Listing, Secret, Source, SourceError, SourceErrorKind};
use crate::run::{RunFacts, RunKey};

/// The API of circleci.com.
pub const API_URL: &str = "https://circleci.com/api/v2";

/// The most pages of a list.
const MOST_PAGES: usize = 1_000;

/// Calls at the same time for one list or one artifact: its files are many and small, and CircleCI limits callers.
const AT_ONCE: usize = 4;

/// Where CircleCI is, and what is taken from it.
#[derive(Debug, Clone)]
pub struct CircleCiSettings {
    /// The API's address: [`API_URL`], or `https://HOST/api/v2` of a server.
    pub api_url: String,
    /// The token (`CIRCLE_TOKEN`).
    pub token: Option<Secret>,
    /// The project, as `gh/owner/name` or `circleci/<organization>/<project>`. A workflow or a pipeline that is
    /// asked for by its id needs none.
    pub project_slug: Option<String>,
    /// Other origins than the API's that get the token. By default that of CircleCI's own file host, which asks for it
    /// for files of private projects (<https://circleci.com/docs/guides/optimize/artifacts/>).
    pub token_origins: Vec<String>,
    /// How patient calls are.
    pub http: HttpSettings,
}

impl Default for CircleCiSettings {
    fn default() -> Self {
        Self {
            api_url: API_URL.to_owned(),
            token: None,
            project_slug: None,
            token_origins: vec!["https://output.circle-artifacts.com".to_owned()],
            http: HttpSettings::default(),
        }
    }
}

/// CircleCI as a [`Source`].
#[derive(Debug)]
pub struct CircleCi {
    http: Http,
    /// The parts of the project's slug.
    project: Option<Vec<String>>,
}

impl CircleCi {
    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// [`SourceErrorKind::BadSetting`] where the address, the token or the slug cannot be one.
    pub fn new(settings: CircleCiSettings) -> Result<Self, SourceError> {
        let words = ApiWords {
            unauthorized: match settings.token {
                Some(_) => "the token is not or no longer valid; set CIRCLE_TOKEN to one that is",
                None => "set CIRCLE_TOKEN",
            },
            forbidden: "the token's owner may not see this project",
            not_found: match settings.token {
                Some(_) => "there is no such pipeline, workflow or project, or the token cannot see it",
                None => "there is no such pipeline, workflow or project, or it is private: set CIRCLE_TOKEN",
            },
        };
        let api = Api::new(&settings.api_url, words)?
            .with_header("accept", "application/json")
            .with_token(HeaderName::from_static("circle-token"), "", settings.token)?
            .with_token_origins(&settings.token_origins)?;
        let project = settings.project_slug.as_deref().map(slug_parts).transpose()?;
        Ok(Self { http: Http::new(api, settings.http)?, project })
    }

    fn url<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        self.http.api().url(parts)
    }

    /// Reads all pages of a list.
    async fn all<T: DeserializeOwned>(&self, first: Url) -> Result<Vec<T>, SourceError> {
        let mut items = Vec::new();
        let mut url = first.clone();
        for _ in 0..MOST_PAGES {
            let page = self.http.get_json::<Items<T>>(&url).await?.value;
            items.extend(page.items);
            let Some(token) = page.next_page_token.filter(|token| !token.is_empty()) else {
                return Ok(items);
            };
            url = first.clone();
            url.query_pairs_mut().append_pair("page-token", &token);
        }
        let what = format!("`{}` has more than the limit of {MOST_PAGES} pages", shown(&first));
        Err(SourceError::new(SourceErrorKind::TooLarge, what))
    }

    /// Returns the jobs of the attempt that have a number, which those that wait for an approval have not.
    async fn numbered_jobs(&self, run: &RunKey) -> Result<Vec<(u64, Job)>, SourceError> {
        let mut jobs = Vec::new();
        for workflow in self.workflows(run).await? {
            jobs.extend(self.all::<Job>(self.url(["workflow", &workflow, "job"])).await?);
        }
        let mut numbered: Vec<_> = jobs.into_iter().filter_map(|job| Some((job.job_number?, job))).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.dedup_by_key(|(number, _)| *number);
        Ok(numbered)
    }

    /// Returns the artifacts that a job's XML files make.
    async fn job_listings(&self, number: u64, job: Job) -> Result<Vec<Listing>, SourceError> {
        let slug = match (&self.project, &job.project_slug) {
            (Some(project), _) => project.clone(),
            (None, Some(slug)) => slug_parts(slug)?,
            (None, None) => {
                let what = format!("job {number} names no `project_slug`; set the project's slug");
                return Err(SourceError::new(SourceErrorKind::BadAnswer, what));
            }
        };
        let number_text = number.to_string();
        let parts = slug.iter().map(String::as_str);
        let url = self.url(["project"].into_iter().chain(parts).chain([number_text.as_str(), "artifacts"]));
        files::listings(number, &job.name, self.all::<Artifact>(url).await?)
    }
}

#[async_trait]
impl Source for CircleCi {
    fn name(&self) -> &str {
        "circleci"
    }

    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        self.attempts_of(run).await
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        let jobs = self.numbered_jobs(run).await?;
        let calls: Vec<_> = jobs.into_iter().map(|(number, job)| self.job_listings(number, job)).collect();
        let listings: Vec<_> = stream::iter(calls).buffered(AT_ONCE).try_collect().await?;
        Ok(listings.into_iter().flatten().collect())
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        files::fetch(&self.http, listing, progress).await
    }

    async fn jobs(&self, run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        let jobs = self.numbered_jobs(run).await?;
        Ok(Some(jobs.into_iter().map(|(number, job)| (number.to_string(), job.name)).collect()))
    }

    async fn facts(&self, run: &RunKey) -> Result<RunFacts, SourceError> {
        self.facts_of(run).await
    }

    async fn ancestry(&self, run: &RunKey, _facts: &RunFacts) -> Result<RunFacts, SourceError> {
        self.ancestry_of(run).await
    }
}

fn slug_parts(slug: &str) -> Result<Vec<String>, SourceError> {
    let parts: Vec<String> = slug.split('/').map(str::to_owned).collect();
    let wrong = |part: &String| matches!(part.as_str(), "" | "." | "..");
    if parts.len() != 3 || parts.iter().any(wrong) {
        let what = format!("`{slug}` is no project slug; it has the form gh/owner/name");
        return Err(SourceError::new(SourceErrorKind::BadSetting, what));
    }
    Ok(parts)
}
