//! A run's web address as the plan needs it.

use testlake_collect::source::SourceSpec;

use crate::exit::Failure;

/// What a run's web address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunAddress {
    pub(super) repo: Option<String>,
    pub(super) run_id: String,
    pub(super) attempt: Option<u32>,
    /// The project at CircleCI.
    pub(super) project_slug: Option<String>,
}

impl RunAddress {
    /// Reads the address that a source is, if it is one. It is not repeated where it is wrong, as it may hold a secret.
    #[cfg(feature = "cloud")]
    pub(super) fn of(source: &SourceSpec) -> Result<Option<Self>, Failure> {
        use testlake_collect::source::{circleci, github};
        let (read, example) = match source {
            SourceSpec::RunUrl(address) => {
                let read = github::parse_run_url(address).map(|run| Self {
                    repo: Some(run.repo),
                    run_id: run.run_id,
                    attempt: run.attempt,
                    project_slug: None,
                });
                (read, "https://github.com/owner/name/actions/runs/1")
            }
            SourceSpec::CircleCiUrl(address) => {
                let read = circleci::parse_run_url(address).map(|run| Self {
                    repo: run.repo,
                    run_id: run.run_id,
                    attempt: None,
                    project_slug: Some(run.project_slug),
                });
                (read, "https://app.circleci.com/pipelines/gh/owner/name/1/workflows/ID")
            }
            SourceSpec::Path(_)
            | SourceSpec::Folder(_)
            | SourceSpec::Store(_)
            | SourceSpec::GitHub
            | SourceSpec::CircleCi => return Ok(None),
        };
        match read {
            Some(address) => Ok(Some(address)),
            None => Err(Failure::usage("an address that is no run's").hint(format!("one reads `{example}`"))),
        }
    }

    /// Says that this build reaches no network.
    #[cfg(not(feature = "cloud"))]
    pub(super) fn of(source: &SourceSpec) -> Result<Option<Self>, Failure> {
        match source {
            SourceSpec::RunUrl(_) | SourceSpec::CircleCiUrl(_) => {
                Err(crate::command::built_without_cloud("a run's web address"))
            }
            SourceSpec::Path(_)
            | SourceSpec::Folder(_)
            | SourceSpec::Store(_)
            | SourceSpec::GitHub
            | SourceSpec::CircleCi => Ok(None),
        }
    }
}
