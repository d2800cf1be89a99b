//! Which run and which job the reports are of: what was said, else what CI's variables say.

use testlake_collect::ci_env::CiRun;
use testlake_collect::run::RunKey;
use testlake_lake::ingest::{AttemptFacts, ReportKey};

use crate::config::Environment;
use crate::exit::Failure;
use crate::plan::{AskedJob, Uploading};

/// The run and the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) attempt: AttemptFacts,
    /// What the reports are of, within the run.
    pub(super) artifact: String,
    /// The provider's id of the job.
    pub(super) job: Option<String>,
    pub(super) job_name: Option<String>,
    pub(super) variant: Option<String>,
}

impl Identity {
    /// Names a report.
    pub(super) fn report(&self, path: &str) -> ReportKey {
        ReportKey {
            artifact: self.artifact.clone(),
            path: path.to_owned(),
            job: self.job.clone(),
            job_name: self.job_name.clone(),
            variant: self.variant.clone(),
        }
    }
}

/// Resolves them.
pub(super) fn resolve(uploading: &Uploading, environment: &Environment) -> Result<Identity, Failure> {
    let ci = CiRun::of(|name| environment.get(name)).map(CiRun::with_event_file);
    let mut identity = of(&uploading.job, ci.as_ref(), &uploading.tags)?;
    identity.attempt.tags.clone_from(&uploading.tags);
    Ok(identity)
}

fn of(asked: &AskedJob, ci: Option<&CiRun>, tags: &[(String, String)]) -> Result<Identity, Failure> {
    let run_id = asked.run_id.clone().or_else(|| ci?.run_id.clone());
    let run_id = run_id.ok_or_else(|| {
        Failure::usage("no run is known: these are not the variables of a CI job that testlake knows")
            .hint("name the run with `--run-id`, and the job with `--job`; docs/ci.md lists the variables")
    })?;
    let run = RunKey {
        repo: asked.repo.clone().or_else(|| ci?.repo.clone()),
        run_id,
        attempt: asked.attempt.map(std::num::NonZeroU32::get).or_else(|| ci?.attempt).unwrap_or(1),
    };
    let facts = asked.facts.clone().or(ci.map(CiRun::facts).unwrap_or_default());
    Ok(Identity {
        attempt: AttemptFacts::new(run, facts),
        artifact: asked.artifact.clone().unwrap_or_else(|| artifact(asked, ci, tags)),
        job: asked.job_id.clone().or_else(|| ci?.job.clone()),
        job_name: asked.job.clone().or_else(|| ci?.job_name.clone()),
        variant: asked.variant.clone(),
    })
}

/// Names what tells the reports from those of every other job of the run, and of other calls in this job.
fn artifact(asked: &AskedJob, ci: Option<&CiRun>, tags: &[(String, String)]) -> String {
    let job = asked.job_id.clone().or_else(|| asked.job.clone()).or_else(|| ci?.job_key());
    let mut parts = vec![job.unwrap_or_else(|| "upload".to_owned())];
    parts.extend(asked.variant.clone());
    parts.extend(tags.iter().map(|(name, value)| format!("{name}={value}")));
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(
        asked: &AskedJob,
        variables: &[(&str, &str)],
        tags: &[(&str, &str)],
    ) -> Result<Identity, Failure> {
        let ci = CiRun::of(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| *value));
        let tags: Vec<_> = tags.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        of(asked, ci.as_ref(), &tags)
    }

    const GITHUB: &[(&str, &str)] = &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_RUN_ID", "7"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_JOB", "test"),
        ("GITHUB_SHA", "0123abcd"),
    ];

    #[test]
    fn a_ci_job_needs_no_words() {
        let identity = resolved(&AskedJob::default(), GITHUB, &[("suite", "unit")]).unwrap();
        assert_eq!(identity.attempt.run.to_string(), "o/r run 7 attempt 2");
        assert_eq!(identity.attempt.facts.head_commit.as_deref(), Some("0123abcd"));
        assert!(
            identity.artifact.starts_with("test") && identity.artifact.ends_with(" suite=unit"),
            "{identity:?}"
        );
    }

    #[test]
    fn what_is_said_wins() {
        let asked = AskedJob {
            run_id: Some("nightly".to_owned()),
            job: Some("linux".to_owned()),
            variant: Some("debug".to_owned()),
            ..AskedJob::default()
        };
        let identity = resolved(&asked, GITHUB, &[]).unwrap();
        assert_eq!(identity.attempt.run.run_id, "nightly");
        assert_eq!(identity.artifact, "linux debug");
        assert_eq!(identity.job_name.as_deref(), Some("linux"));
        let asked = AskedJob { artifact: Some("mine".to_owned()), ..asked };
        assert_eq!(resolved(&asked, GITHUB, &[("a", "b")]).unwrap().artifact, "mine");
    }

    #[test]
    fn elsewhere_the_run_must_be_named() {
        let failure = resolved(&AskedJob::default(), &[], &[]).unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usage error: no run is known: these are not the variables of a CI job that testlake knows
          hint: name the run with `--run-id`, and the job with `--job`; docs/ci.md lists the variables
        ");
        let asked = AskedJob { run_id: Some("7".to_owned()), ..AskedJob::default() };
        let identity = resolved(&asked, &[], &[]).unwrap();
        assert_eq!((identity.attempt.run.attempt, identity.artifact.as_str()), (1, "upload"));
    }
}
