//! Artifacts and jobs of GitHub Actions, over its REST API.
//!
//! Artifacts belong to the run, not to an attempt: each attempt gets all of them, save those that name another
//! attempt by an atom `runattempt<N>`. Names are as the API has them; what an artifact is, its content says.

mod address;
mod answer;
mod attempt;
mod facts;
mod history;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use url::Url;

pub use address::{RunUrl, parse_run_url};
pub use history::{HistoryRequest, PastRun};

use self::answer::{Artifact, Artifacts, Attempt, Job, Jobs, Paged, Run};
use super::http::{Api, ApiWords, BEARER, Http, HttpSettings, shown};
use super::{Content, JobNames, Listing, ListingState, Secret, Source, SourceError, SourceErrorKind};
use crate::run::{RunFacts, RunKey};

/// The API of github.com.
pub const API_URL: &str = "https://api.github.com";

/// The most pages of a list: 100,000 artifacts or jobs, of which GitHub allows a run far fewer.
const MOST_PAGES: usize = 1_000;

/// The most attempts of a run: GitHub's own limit is 50 reruns.
const MOST_ATTEMPTS: u32 = 10_000;

/// How often a list is read again that is shorter than it says it is.
const LIST_TRIES: u32 = 3;

/// Where GitHub is, and what is taken from it.
#[derive(Debug, Clone)]
pub struct GitHubSettings {
    /// The API's address: [`API_URL`], or `https://HOST/api/v3` (`GITHUB_API_URL`).
    pub api_url: String,
    /// The token (`GITHUB_TOKEN`); without one GitHub lists artifacts of public repositories and hands out none.
    pub token: Option<Secret>,
    /// How patient calls are.
    pub http: HttpSettings,
    /// Which artifacts are listed.
    pub artifacts: ArtifactChoice,
}

impl Default for GitHubSettings {
    fn default() -> Self {
        Self {
            api_url: API_URL.to_owned(),
            token: None,
            http: HttpSettings::default(),
            artifacts: ArtifactChoice::All,
        }
    }
}

/// Which artifacts a source lists, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactChoice {
    /// Each.
    All,
    /// Those whose name starts with one of these.
    Prefixes(Vec<String>),
}

impl ArtifactChoice {
    fn takes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefixes(prefixes) => prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())),
        }
    }
}

/// GitHub Actions as a [`Source`].
#[derive(Debug)]
pub struct GitHub {
    http: Http,
    artifacts: ArtifactChoice,
    /// What was asked for last, and answered.
    last_attempt: Mutex<Option<(RunKey, Arc<Attempt>)>>,
    last_default: Mutex<Option<(Url, String)>>,
}

impl GitHub {
    /// Checks the settings. Nothing is sent.
    ///
    /// # Errors
    /// [`SourceErrorKind::BadSetting`] where the address or the token cannot be one.
    pub fn new(settings: GitHubSettings) -> Result<Self, SourceError> {
        let words = ApiWords {
            unauthorized: match settings.token {
                Some(_) => "the token is not or no longer valid; set GITHUB_TOKEN to one that is",
                None => "set GITHUB_TOKEN",
            },
            forbidden: match settings.token {
                Some(_) => "the token needs scope actions:read of the repository",
                None => "set GITHUB_TOKEN to a token with scope actions:read",
            },
            not_found: match settings.token {
                Some(_) => "there is no such run, or the token cannot see its repository",
                None => "there is no such run, or its repository is private: set GITHUB_TOKEN",
            },
        };
        let api = Api::new(&settings.api_url, words)?
            .with_header("accept", "application/vnd.github+json")
            .with_header("x-github-api-version", "2022-11-28")
            .with_token(BEARER, "Bearer ", settings.token)?;
        Ok(Self {
            http: Http::new(api, settings.http)?,
            artifacts: settings.artifacts,
            last_attempt: Mutex::new(None),
            last_default: Mutex::new(None),
        })
    }

    /// Returns the address of something of the run.
    fn run_url(&self, run: &RunKey, parts: &[&str]) -> Result<Url, SourceError> {
        let (owner, name) = owner_and_name(run.repo.as_deref())?;
        if run.run_id.is_empty() || !run.run_id.bytes().all(|byte| byte.is_ascii_digit()) {
            let what = format!("`{}` is no run of GitHub's; its ids are numbers", run.run_id);
            return Err(SourceError::new(SourceErrorKind::BadSetting, what));
        }
        let start = ["repos", owner, name, "actions", "runs", &run.run_id];
        Ok(self.http.api().url(start.into_iter().chain(parts.iter().copied())))
    }

    /// Reads all pages of a list. One that is shorter than it says it is is read again.
    async fn all<P: Paged + DeserializeOwned>(&self, mut first: Url) -> Result<Vec<P::Item>, SourceError> {
        first.query_pairs_mut().append_pair("per_page", "100");
        let mut tries = 0;
        loop {
            let (items, counted) = self.all_once::<P>(&first).await?;
            tries += 1;
            let came = items.len();
            match counted {
                Some(counted) if counted > came as u64 && tries >= LIST_TRIES => {
                    let what = format!("`{}` lists {came} of the {counted} that it counts", shown(&first));
                    return Err(SourceError::new(SourceErrorKind::BadAnswer, what));
                }
                Some(counted) if counted > came as u64 => {
                    tracing::warn!(came, counted, "reading a list again that is shorter than it says");
                    let settings = self.http.settings();
                    settings.clock.sleep(settings.first_pause).await;
                }
                _ => return Ok(items.into_values().collect()),
            }
        }
    }

    async fn all_once<P: Paged + DeserializeOwned>(
        &self,
        first: &Url,
    ) -> Result<(BTreeMap<u64, P::Item>, Option<u64>), SourceError> {
        // By id: what is added or removed meanwhile moves others to the next page, where they come once more.
        let mut items = BTreeMap::new();
        let mut next = Some(first.clone());
        let mut counted = None;
        for _ in 0..MOST_PAGES {
            let Some(url) = next.take() else { return Ok((items, counted)) };
            let page = self.http.get_json::<P>(&url).await?;
            counted = page.value.counted();
            items.extend(page.value.into_items());
            next = page.next;
        }
        if next.is_none() {
            return Ok((items, counted));
        }
        let what = format!("`{}` has more than the limit of {MOST_PAGES} pages", shown(first));
        Err(SourceError::new(SourceErrorKind::TooLarge, what))
    }

    fn listing(artifact: Artifact) -> Listing {
        let state = if artifact.expired { ListingState::Expired } else { ListingState::Available };
        Listing {
            name: artifact.name,
            bytes: artifact.size_in_bytes,
            state,
            locator: artifact.archive_download_url,
        }
    }
}

#[async_trait]
impl Source for GitHub {
    fn name(&self) -> &str {
        "github"
    }

    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        let url = self.run_url(run, &[])?;
        let last = self.http.get_json::<Run>(&url).await?.value.run_attempt;
        if last > MOST_ATTEMPTS {
            let what =
                format!("`{}` claims {last} attempts, more than the limit of {MOST_ATTEMPTS}", shown(&url));
            return Err(SourceError::new(SourceErrorKind::BadAnswer, what));
        }
        Ok((1..=last).collect())
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        let artifacts = self.all::<Artifacts>(self.run_url(run, &["artifacts"])?).await?;
        let wanted = artifacts.into_iter().filter(|artifact| {
            self.artifacts.takes(&artifact.name) && attempt::fits(&artifact.name, run.attempt)
        });
        Ok(wanted.map(Self::listing).collect())
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        let url = Url::parse(&listing.locator).map_err(|error| {
            let what = format!("the artifact's `archive_download_url` is no address ({error})");
            SourceError::new(SourceErrorKind::BadAnswer, what)
        })?;
        Ok(Content::Bytes(self.http.download(&url, super::http::MEMORY_BYTES, progress).await?))
    }

    async fn jobs(&self, run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        let url = self.run_url(run, &["attempts", &run.attempt.to_string(), "jobs"])?;
        let jobs = self.all::<Jobs>(url).await?;
        Ok(Some(jobs.into_iter().map(|Job { id, name }| (id.to_string(), name)).collect()))
    }

    async fn facts(&self, run: &RunKey) -> Result<RunFacts, SourceError> {
        self.facts_of(run).await
    }

    async fn ancestry(&self, run: &RunKey, facts: &RunFacts) -> Result<RunFacts, SourceError> {
        self.ancestry_of(run, facts).await
    }
}

fn owner_and_name(repo: Option<&str>) -> Result<(&str, &str), SourceError> {
    let wrong = |what: String| SourceError::new(SourceErrorKind::BadSetting, what);
    let repo = repo.ok_or_else(|| wrong("GitHub needs the run's repository".to_owned()))?;
    let parts = repo.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
    parts.ok_or_else(|| wrong(format!("`{repo}` is no repository of GitHub's; it has the form owner/name")))
}

/// Reports whether this can be the name of an owner or a repository.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !matches!(text, "" | "." | "..") && text.bytes().all(fits)
}
