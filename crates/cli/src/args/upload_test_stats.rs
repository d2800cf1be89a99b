//! `testlake upload-test-stats`.

use std::num::NonZeroU32;

use clap::Args;

use super::CommonArgs;
use crate::config::table;

/// Stand in for PyTorch's script of that name
///
/// Reads the reports of one attempt of a workflow run from s3://gha-artifacts and writes the six collections and
/// the ledger to s3://ossci-raw-job-status. `test_run`, all documents, is written for the head branch `main` of the head
/// repository `pytorch/pytorch` alone. The names of the jobs are asked of GitHub (GITHUB_TOKEN), unless --jobs-file
/// says them or --circleci is given; where they cannot be had, it ends with 3.
#[derive(Debug, Default, Args)]
#[command(
    override_usage = "testlake upload-test-stats --workflow-run-id <ID> --workflow-run-attempt <N> [OPTIONS]",
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  As the script was called:
    testlake upload-test-stats --workflow-run-id 9871234567 --workflow-run-attempt 1 \\
        --head-branch main --head-repository pytorch/pytorch

  Into a folder, to look at what would be uploaded:
    testlake upload-test-stats --workflow-run-id 9871234567 --workflow-run-attempt 1 --to ./out

Exit codes: 0 all read, 2 usage, 3 read in part, 4 no test found, 70 a bug, 75 a store or
the network failed after retries, 128+n a signal.

Each option can stand in the environment, as told above, and in testlake.toml: those that
`collect` has in the same sense at the top, the others in the table [upload-test-stats]."
)]
pub(crate) struct UploadTestStatsArgs {
    #[command(flatten)]
    pub(crate) run: WorkflowArgs,
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Which run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The run")]
pub(crate) struct WorkflowArgs {
    /// The workflow run (required)
    #[arg(long, value_name = "ID", value_parser = table::WORKFLOW_RUN_ID.parse)]
    pub(crate) workflow_run_id: Option<String>,

    /// Its attempt (required)
    #[arg(long, value_name = "N", value_parser = table::WORKFLOW_RUN_ATTEMPT.parse)]
    pub(crate) workflow_run_attempt: Option<NonZeroU32>,

    /// The branch that it tested
    ///
    /// It only decides whether test_run is written.
    #[arg(long, value_name = "BRANCH", value_parser = table::DROP_IN_HEAD_BRANCH.parse)]
    pub(crate) head_branch: Option<String>,

    /// The repository of that branch
    ///
    /// It only decides whether test_run is written.
    #[arg(long, value_name = "OWNER/NAME", value_parser = table::DROP_IN_HEAD_REPOSITORY.parse)]
    pub(crate) head_repository: Option<String>,

    /// The repository whose run it is [default: pytorch/pytorch]
    #[arg(long, value_name = "OWNER/NAME", value_parser = table::DROP_IN_REPO.parse)]
    pub(crate) repo: Option<String>,
}

/// From where to where.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Sources and output")]
pub(crate) struct PlaceArgs {
    /// Read **/test/test-reports/**/*.xml of the working folder instead of the bucket
    #[arg(long, overrides_with = "no_circleci")]
    pub(crate) circleci: bool,
    #[arg(long, hide = true, overrides_with = "circleci")]
    pub(crate) no_circleci: bool,

    /// Take what is not in the bucket from GitHub
    #[arg(long, overrides_with = "no_github")]
    pub(crate) github: bool,
    #[arg(long, hide = true, overrides_with = "github")]
    pub(crate) no_github: bool,

    /// The bucket or folder that artifacts lie in [default: s3://gha-artifacts]
    #[arg(long, value_name = "URL", value_parser = table::DROP_IN_FROM.parse)]
    pub(crate) from: Option<String>,

    /// The bucket or folder that results go to [default: s3://ossci-raw-job-status]
    #[arg(long, value_name = "URL", value_parser = table::DROP_IN_TO.parse)]
    pub(crate) to: Option<String>,
}
