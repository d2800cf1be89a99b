//! Which run is meant.
//!
//! What flags, environment twins and file say counts first, then a run's web address
//! among the sources, then the CI job's own variables. Those take part only where a source holds runs by id:
//! for paths alone the run is `local-<hash of the input>`, wherever it is collected. Attempt and facts of the CI job
//! are taken only where the run is the job's own.

use testlake_collect::ci_env::{CiProvider, CiRun};
use testlake_collect::run::{AttemptChoice, RunFacts, RunKey};
use testlake_collect::source::{Layout, SourceSpec};

use super::address::RunAddress;
use crate::exit::{Exit, Failure, OrExit};

/// What is said about the run.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) repo: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) attempt: Option<AttemptChoice>,
    pub(super) facts: RunFacts,
    pub(super) project_slug: Option<String>,
}

impl Asked {
    /// Adds what a run's web address and the CI job's variables say.
    pub(super) fn completed(
        mut self,
        sources: &[SourceSpec],
        circleci_folder: bool,
        ci: Option<&CiRun>,
    ) -> Result<Self, Failure> {
        for source in sources {
            if let Some(address) = RunAddress::of(source)? {
                self.add_address(address)?;
            }
        }
        if let Some(ci) = ci.filter(|ci| is_asked(ci.provider, sources, circleci_folder)) {
            self.repo = self.repo.or_else(|| ci.repo.clone());
            if self.run_id.is_none() && self.repo == ci.repo {
                self.run_id.clone_from(&ci.run_id);
            }
            if ci.is(self.repo.as_deref(), self.run_id.as_deref()) {
                self.attempt = self.attempt.or_else(|| Some(ci.attempt_choice()));
                self.facts = self.facts.or(ci.facts());
            }
        }
        Ok(self)
    }

    fn add_address(&mut self, address: RunAddress) -> Result<(), Failure> {
        let agree = |what: &str, ours: &mut Option<String>, theirs: Option<String>| match (&*ours, theirs) {
            (Some(ours), Some(theirs)) if *ours != theirs => Err(Failure::usage(format!(
                "a run's web address names {what} `{theirs}`, and `{ours}` is asked for"
            ))),
            (_, Some(theirs)) => {
                *ours = Some(theirs);
                Ok(())
            }
            (_, None) => Ok(()),
        };
        agree("the repository", &mut self.repo, address.repo)?;
        agree("the project", &mut self.project_slug, address.project_slug)?;
        agree("the run", &mut self.run_id, Some(address.run_id))?;
        // An attempt that is asked for by name is meant: the address in the browser is mostly that of the latest.
        self.attempt = self.attempt.or(address.attempt.map(AttemptChoice::Number));
        Ok(())
    }

    /// Returns which attempts: where no source knows of attempts, there is but one.
    pub(super) fn attempts(&self, sources: &[SourceSpec], layout: &Layout) -> AttemptChoice {
        let knows = |source: &SourceSpec| match source {
            SourceSpec::Path(_) => false,
            SourceSpec::Folder(_) | SourceSpec::Store(_) => has_attempts(layout),
            SourceSpec::GitHub
            | SourceSpec::CircleCi
            | SourceSpec::RunUrl(_)
            | SourceSpec::CircleCiUrl(_) => true,
        };
        match self.attempt {
            Some(AttemptChoice::Number(number)) => AttemptChoice::Number(number),
            _ if !sources.iter().any(knows) => AttemptChoice::Number(1),
            asked => asked.unwrap_or(AttemptChoice::Latest),
        }
    }

    /// Checks that each source can find the run.
    pub(super) fn check(&self, sources: &[SourceSpec], layout: &Layout) -> Result<(), Failure> {
        for source in sources {
            let by_layout = match source {
                SourceSpec::Path(_) => continue,
                SourceSpec::Folder(_) | SourceSpec::Store(_) => true,
                SourceSpec::GitHub
                | SourceSpec::CircleCi
                | SourceSpec::RunUrl(_)
                | SourceSpec::CircleCiUrl(_) => false,
            };
            let Some(run_id) = &self.run_id else {
                return Err(Failure::usage(format!("`{source}` holds many runs, and none is named"))
                    .hint("name one with `--run-id`, or give its web address as the source"));
            };
            if by_layout {
                let run = RunKey { repo: self.repo.clone(), run_id: run_id.clone(), attempt: 1 };
                layout.prefix(&run).or_exit(Exit::Usage)?;
            }
            if matches!(source, SourceSpec::GitHub) && self.repo.is_none() {
                return Err(
                    Failure::usage("`github` needs a repository").hint("name one with `--repo owner/name`")
                );
            }
        }
        Ok(())
    }
}

/// Reports whether two attempts of a run lie in two places.
fn has_attempts(layout: &Layout) -> bool {
    let place = |attempt| {
        layout.prefix(&RunKey { repo: Some("o/r".to_owned()), run_id: "1".to_owned(), attempt }).ok()
    };
    place(1) != place(2)
}

/// Reports whether the CI job's own run is what the sources are asked for, when nothing else is said.
fn is_asked(provider: CiProvider, sources: &[SourceSpec], circleci_folder: bool) -> bool {
    let of_github = sources.iter().any(|s| matches!(s, SourceSpec::GitHub | SourceSpec::RunUrl(_)));
    let of_circleci = circleci_folder
        || sources.iter().any(|s| matches!(s, SourceSpec::CircleCi | SourceSpec::CircleCiUrl(_)));
    let of_store = sources.iter().any(|s| matches!(s, SourceSpec::Folder(_) | SourceSpec::Store(_)));
    match provider {
        CiProvider::GitHub => of_github || (of_store && !of_circleci),
        CiProvider::CircleCi => of_circleci || (of_store && !of_github),
        _ => of_store && !of_github && !of_circleci,
    }
}
