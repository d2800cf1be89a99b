//! Which runs are taken in where there are many.

use testlake_collect::ci_env::CiRun;
use testlake_collect::run::{AttemptChoice, RunFacts};
use testlake_collect::source::SourceSpec;

use super::asked::Asked;
use crate::config::value::Since;
use crate::exit::Failure;

/// The runs of a repository since a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastRuns {
    /// `owner/name`.
    pub(crate) repo: String,
    /// The workflow's file, name or id; absent: every workflow.
    pub(crate) workflow: Option<String>,
    pub(crate) since: Since,
}

impl PastRuns {
    /// Resolves which runs; what is left is what is said of each of them.
    pub(super) fn of(
        mut asked: Asked,
        since: Since,
        sources: &[SourceSpec],
        circleci_folder: bool,
        ci: Option<&CiRun>,
    ) -> Result<(Asked, Self), Failure> {
        let of_one_run = |what: &str| {
            Failure::usage(format!("{what} is of one run, and `--since` asks for many"))
                .hint("leave one of them out")
        };
        if circleci_folder {
            return Err(of_one_run("`--circleci`"));
        }
        for source in sources {
            match source {
                SourceSpec::Path(_) | SourceSpec::RunUrl(_) | SourceSpec::CircleCiUrl(_) => {
                    return Err(of_one_run(&format!("the source `{source}`")));
                }
                SourceSpec::Folder(_) | SourceSpec::Store(_) | SourceSpec::GitHub | SourceSpec::CircleCi => {}
            }
        }
        if !sources.iter().any(|source| matches!(source, SourceSpec::GitHub)) {
            return Err(Failure::usage("`--since` asks GitHub which runs there are")
                .hint("name `github` among the sources"));
        }
        if asked.run_id.is_some() {
            return Err(of_one_run("`--run-id`"));
        }
        if matches!(asked.attempt, Some(AttemptChoice::Number(_))) {
            return Err(of_one_run("a number of an attempt").hint("`--attempt all` takes in each attempt"));
        }
        let workflow = asked.facts.workflow.take();
        if asked.facts != RunFacts::default() {
            return Err(of_one_run("a branch, commit, event, pull request or time that is given"));
        }
        let repo = asked.repo.take().or_else(|| ci.and_then(|ci| ci.repo.clone())).ok_or_else(|| {
            Failure::usage("`github` needs a repository").hint("name one with `--repo owner/name`")
        })?;
        asked.repo = Some(repo.clone());
        Ok((asked, Self { repo, workflow, since }))
    }
}
