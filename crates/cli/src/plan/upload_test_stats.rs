//! The plan of `testlake upload-test-stats`.

use std::num::NonZeroUsize;

use testlake_collect::plan::{Full, Profile, RunRequest};
use testlake_collect::run::{AttemptChoice, RunFacts};
use testlake_collect::source::{Layout, SourceSpec};

use super::{Collecting, Common, PYTORCH, destination, pick_switch};
use crate::args::{UploadTestStatsArgs, switch};
use crate::config::{Layers, table};
use crate::exit::{Exit, Failure, OrExit};

/// Resolves `testlake upload-test-stats`.
pub(crate) fn upload_test_stats(
    args: UploadTestStatsArgs,
    layers: &Layers,
    cores: NonZeroUsize,
) -> Result<Collecting, Failure> {
    let UploadTestStatsArgs { run, places, common } = args;
    let missing = |flag: &str| Failure::usage(format!("`{flag}` is not given"));
    let run_id = layers.pick(run.workflow_run_id, &table::WORKFLOW_RUN_ID)?;
    let run_id = run_id.ok_or_else(|| missing("--workflow-run-id"))?;
    let attempt = layers.pick(run.workflow_run_attempt, &table::WORKFLOW_RUN_ATTEMPT)?;
    let attempt = attempt.ok_or_else(|| missing("--workflow-run-attempt"))?;
    let circleci_folder =
        pick_switch(layers, switch(places.circleci, places.no_circleci), &table::DROP_IN_CIRCLECI)?;
    let from =
        layers.pick(places.from, &table::DROP_IN_FROM)?.unwrap_or_else(|| "s3://gha-artifacts".to_owned());
    let mut sources = Vec::new();
    if !circleci_folder {
        sources.push(match SourceSpec::parse(&from).or_exit(Exit::Usage)? {
            SourceSpec::Path(path) => SourceSpec::Folder(path.into()),
            place @ (SourceSpec::Folder(_) | SourceSpec::Store(_)) => place,
            SourceSpec::GitHub
            | SourceSpec::CircleCi
            | SourceSpec::RunUrl(_)
            | SourceSpec::CircleCiUrl(_) => {
                return Err(Failure::usage("`--from` is neither a bucket nor a folder")
                    .hint("`--github` takes from GitHub what is not in the bucket"));
            }
        });
    }
    let github = pick_switch(layers, switch(places.github, places.no_github), &table::DROP_IN_GITHUB)?;
    if github {
        sources.push(SourceSpec::GitHub);
    }
    let repo = layers.pick(run.repo, &table::DROP_IN_REPO)?.unwrap_or_else(|| PYTORCH.to_owned());
    let common = Common::resolve(common, layers, cores)?;
    let to = layers.pick(places.to, &table::DROP_IN_TO)?;
    Ok(Collecting {
        run: RunRequest {
            repo: Some(repo),
            run_id: Some(run_id),
            attempts: AttemptChoice::Number(attempt.get()),
        },
        sources,
        circleci_folder,
        project_slug: None,
        layout: Layout::default(),
        jobs_of_github: common.jobs_file.is_none() && !github && !circleci_folder,
        jobs_file: common.jobs_file,
        to: destination::check("--to", to.unwrap_or_else(|| "s3://ossci-raw-job-status".to_owned()))?,
        profile: Profile::Pytorch,
        full: Full::Auto,
        full_branch: "main".to_owned(),
        full_repository: Some(PYTORCH.to_owned()),
        facts: RunFacts {
            head_branch: layers.pick(run.head_branch, &table::DROP_IN_HEAD_BRANCH)?,
            head_repository: layers.pick(run.head_repository, &table::DROP_IN_HEAD_REPOSITORY)?,
            ..RunFacts::default()
        },
        redact: None,
        artifact: None,
        limits: common.limits,
        require_complete: common.require_complete,
        expect_jobs: common.expect_jobs,
        dry_run: common.dry_run,
        lake: None,
        tags: Vec::new(),
        collections: true,
    })
}
