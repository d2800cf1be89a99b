//! Which run and which job the reports are of: what was said, else what CI's variables say.

use std::borrow::Cow;
use std::num::NonZeroU32;

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
    let run_id = run_id.ok_or_else(|| no_run(ci))?;
    let repo = asked.repo.clone().or_else(|| ci?.repo.clone());
    // Of another run this job's variables tell nothing.
    let own = ci.filter(|ci| asked.run_id.is_none() || ci.is(repo.as_deref(), Some(&run_id)));
    let attempt = asked.attempt.map(NonZeroU32::get).or_else(|| own?.attempt);
    let run = RunKey { repo, run_id, attempt: attempt.unwrap_or(1) };
    let facts = asked.facts.clone().or(own.map(CiRun::facts).unwrap_or_default());
    Ok(Identity {
        attempt: AttemptFacts::new(run, facts),
        artifact: asked.artifact.clone().unwrap_or_else(|| artifact(asked, ci, tags)),
        job: asked.job_id.clone().or_else(|| ci?.job.clone()),
        job_name: asked.job.clone().or_else(|| ci?.job_name.clone()),
        variant: asked.variant.clone(),
    })
}

fn no_run(ci: Option<&CiRun>) -> Failure {
    match ci {
        Some(ci) => {
            let name = ci.provider.name();
            Failure::usage(format!("no run is known: {name}'s variables do not name it here"))
                .hint("name the run with `--run-id`; docs/ci.md lists the variables")
        }
        None => {
            Failure::usage("no run is known: these are not the variables of a CI job that testlake knows")
                .hint(
                    "name the run with `--run-id`, and the job with `--job`; docs/ci.md lists the variables",
                )
        }
    }
}

/// Names what tells the reports from those of every other job of the run, and of other calls in this job.
fn artifact(asked: &AskedJob, ci: Option<&CiRun>, tags: &[(String, String)]) -> String {
    let id = asked.job_id.as_deref().map(word);
    let name = asked.job.as_deref().map(word);
    let job = match ci {
        Some(ci) => ci.job_key(id.as_deref(), name.as_deref()),
        None => id.or(name).map(Cow::into_owned),
    };
    let mut parts = vec![job.unwrap_or_else(|| "upload".to_owned())];
    parts.extend(asked.variant.as_deref().map(|variant| word(variant).into_owned()));
    parts.extend(tags.iter().map(|(name, value)| format!("{}={}", word(name), word(value))));
    parts.join(" ")
}

/// Puts what was said into quotes where it could be read as several words or as a tag.
fn word(said: &str) -> Cow<'_, str> {
    if !said.is_empty() && !said.contains([' ', '=', '"']) {
        return Cow::Borrowed(said);
    }
    Cow::Owned(format!("\"{}\"", said.replace('\\', r"\\").replace('"', r#"\""#)))
}

#[cfg(test)]
mod tests {
    use testlake_collect::run::RunFacts;

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
    fn the_run_of_another_repository_s_name_is_the_job_s_own_as_long_as_no_id_is_said() {
        let asked = AskedJob { repo: Some("o/other".to_owned()), ..AskedJob::default() };
        let identity = resolved(&asked, GITHUB, &[]).unwrap();
        assert_eq!(identity.attempt.run.to_string(), "o/other run 7 attempt 2");
        assert_eq!(identity.attempt.facts.head_commit.as_deref(), Some("0123abcd"));
        // said, it is another run: each repository may count its own
        let asked = AskedJob { run_id: Some("7".to_owned()), ..asked };
        let identity = resolved(&asked, GITHUB, &[]).unwrap();
        assert_eq!(identity.attempt.run.to_string(), "o/other run 7 attempt 1");
        assert_eq!(identity.attempt.facts, RunFacts::default());
    }

    #[test]
    fn no_two_jobs_variants_and_tags_are_one_artifact() {
        let named = |job: &str, variant: Option<&str>, tags: &[(&str, &str)]| {
            let asked = AskedJob {
                run_id: Some("7".to_owned()),
                job: Some(job.to_owned()),
                variant: variant.map(str::to_owned),
                ..AskedJob::default()
            };
            resolved(&asked, &[], tags).unwrap().artifact
        };
        let names = [
            named("unit", None, &[]),
            named("unit", Some("linux"), &[("s", "1")]),
            named("unit linux", None, &[]),
            named("unit", Some("s=1"), &[]),
            named("unit", None, &[("s", "1 t=2")]),
            named("unit", None, &[("s", "1"), ("t", "2")]),
            named("unit", Some(r#"a "b\c" d"#), &[("s", "")]),
        ];
        assert_eq!(
            names.each_ref().map(String::as_str),
            [
                "unit",
                "unit linux s=1",
                r#""unit linux""#,
                r#"unit "s=1""#,
                r#"unit s="1 t=2""#,
                "unit s=1 t=2",
                r#"unit "a \"b\\c\" d" s="""#,
            ]
        );
    }

    #[test]
    fn a_job_that_is_named_is_still_that_of_its_machine() {
        let job = |asked: &AskedJob, variables| resolved(asked, variables, &[]).unwrap().artifact;
        let named = AskedJob { job: Some("unit".to_owned()), ..AskedJob::default() };
        let numbered = AskedJob { job_id: Some("4711".to_owned()), ..named.clone() };
        let circle: &[(&str, &str)] = &[
            ("CIRCLECI", "true"),
            ("CIRCLE_WORKFLOW_ID", "f1c2"),
            ("CIRCLE_BUILD_NUM", "55"),
            ("CIRCLE_JOB", "test"),
            ("CIRCLE_NODE_INDEX", "1"),
        ];
        assert_eq!(
            [&AskedJob::default(), &named, &numbered].map(|asked| job(asked, circle)),
            ["55-1", "55-unit-1", "4711-1"]
        );
        let gitlab: &[(&str, &str)] = &[
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_ID", "300"),
            ("CI_JOB_ID", "102"),
            ("CI_JOB_NAME", "test 2/2"),
        ];
        assert_eq!(
            [&AskedJob::default(), &named, &numbered].map(|asked| job(asked, gitlab)),
            ["102", "102-unit", "4711"]
        );
        let github: Vec<_> = GITHUB.iter().copied().chain([("RUNNER_NAME", "GitHub Actions 3")]).collect();
        let spaced = AskedJob { job: Some("all units".to_owned()), ..AskedJob::default() };
        assert_eq!(
            [&AskedJob::default(), &named, &spaced].map(|asked| job(asked, &github)),
            ["test-GitHub Actions 3", "unit-GitHub Actions 3", r#""all units"-GitHub Actions 3"#]
        );
    }

    #[test]
    fn elsewhere_the_run_must_be_named() {
        let failure = resolved(&AskedJob::default(), &[], &[]).unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usage error: no run is known: these are not the variables of a CI job that testlake knows
          hint: name the run with `--run-id`, and the job with `--job`; docs/ci.md lists the variables
        ");
        let old = [("TEAMCITY_VERSION", "2020.1"), ("BUILD_NUMBER", "12")];
        let failure = resolved(&AskedJob::default(), &old, &[]).unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usage error: no run is known: TeamCity's variables do not name it here
          hint: name the run with `--run-id`; docs/ci.md lists the variables
        ");
        let asked = AskedJob { run_id: Some("7".to_owned()), ..AskedJob::default() };
        let identity = resolved(&asked, &[], &[]).unwrap();
        assert_eq!((identity.attempt.run.attempt, identity.artifact.as_str()), (1, "upload"));
    }
}
