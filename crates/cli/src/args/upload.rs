//! `testlake upload`.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::collect::{FactArgs, RedactArgs};
use super::lake::{LakePlaceArgs, TagArgs};
use super::shared::{ReportLimitArgs, VoiceArgs};
use crate::config::table;

/// What stdout gets of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum UploadFormat {
    /// What the job's tests did, for people
    #[default]
    Table,
    /// The same as one object
    Json,
    /// The same, and every failure, as an object a line
    Ndjson,
}

/// Take in test reports from inside a CI job
///
/// Reads reports of any format, keeps every result in the lake in one small write, and prints what the job's tests did. Which
/// run, job and commit it is, the job's own variables say (GitHub Actions, GitLab, CircleCI, Buildkite, Jenkins, Azure
/// Pipelines, Bitbucket, Travis, Drone, Semaphore, TeamCity, AppVeyor); options win over them. The same reports again replace themselves.
///
/// Where the store is down the results are put into a file of --spool, and the next call sends them first.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  testlake upload reports/ --lake s3://bucket/lake --tags suite=unit
  testlake upload build/test-results/ target/nextest/ci/junit.xml --fail-open
  testlake upload reports/ --repo owner/name --run-id nightly-2026-11-23 --job linux

Exit codes: 0 all read and kept (failed tests are results), 2 usage, 3 a report was read in part or not
at all, 4 no test found, 70 a bug, 75 the lake could not be reached and the results are spooled
(0 with --fail-open), 128+n a signal."
)]
pub(crate) struct UploadArgs {
    /// Reports, and folders of them
    ///
    /// Of a folder every file below it that is a report, in sorted order. What a file is, its content says.
    #[arg(value_name = "PATH", value_parser = table::PATH.parse)]
    pub(crate) path: Vec<String>,

    #[command(flatten)]
    pub(crate) place: LakePlaceArgs,
    #[command(flatten)]
    pub(crate) tags: TagArgs,
    #[command(flatten)]
    pub(crate) down: StoreDownArgs,
    #[command(flatten)]
    pub(crate) run: UploadRunArgs,
    #[command(flatten)]
    pub(crate) redact: RedactArgs,
    #[command(flatten)]
    pub(crate) limits: ReportLimitArgs,

    /// Largest size of a report of a format that must be read whole [default: 256MiB]
    ///
    /// JUnit XML, TAP and formats of one JSON object a line are read as they come, whatever their size.
    #[arg(
        long,
        value_name = "SIZE",
        hide_short_help = true,
        help_heading = "Limits",
        value_parser = table::MAX_REPORT_SIZE.parse
    )]
    pub(crate) max_report_size: Option<NonZeroU64>,

    /// What stdout gets [default: table]
    #[arg(long, value_enum, help_heading = "What it says")]
    pub(crate) format: Option<UploadFormat>,

    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}

/// What happens where the store is down.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The lake")]
pub(crate) struct StoreDownArgs {
    /// End with 0 where the store is down, too
    ///
    /// The results are spooled, and a warning says so.
    #[arg(long, overrides_with = "no_fail_open")]
    pub(crate) fail_open: bool,
    #[arg(long, hide = true, overrides_with = "fail_open")]
    pub(crate) no_fail_open: bool,

    /// The folder of what could not be sent [default: testlake/spool in the user's cache folder]
    ///
    /// Keep it between the jobs of a machine; in a container, on a volume or in CI's cache.
    #[arg(long, value_name = "DIR", value_parser = table::SPOOL.parse)]
    pub(crate) spool: Option<String>,

    /// How long to try again what fails and may pass [default: 30s]
    ///
    /// A time reads `30s`, `10min` or `1h`; `0s` is one try.
    #[arg(long, value_name = "TIME", hide_short_help = true, value_parser = table::RETRY_FOR.parse)]
    pub(crate) retry_for: Option<Duration>,
}

/// Which run, and which job of it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The run and the job")]
pub(crate) struct UploadRunArgs {
    /// The repository [default: that of the CI job]
    #[arg(long, value_name = "OWNER/NAME", value_parser = table::REPO.parse)]
    pub(crate) repo: Option<String>,

    /// The run [default: that of the CI job]
    #[arg(long, value_name = "ID", value_parser = table::RUN_ID.parse)]
    pub(crate) run_id: Option<String>,

    /// The attempt [default: that of the CI job; else 1]
    #[arg(long, value_name = "N", value_parser = table::UPLOAD_ATTEMPT.parse)]
    pub(crate) attempt: Option<NonZeroU32>,

    /// The job's name [default: that of the CI job]
    #[arg(long, value_name = "NAME", value_parser = table::JOB.parse)]
    pub(crate) job: Option<String>,

    /// The provider's id of the job [default: that of the CI job]
    #[arg(long, value_name = "ID", hide_short_help = true, value_parser = table::JOB_ID.parse)]
    pub(crate) job_id: Option<String>,

    /// The build and configuration that the job ran
    #[arg(long, value_name = "TEXT", hide_short_help = true, value_parser = table::VARIANT.parse)]
    pub(crate) variant: Option<String>,

    /// What the reports are of, within the run [default: the job, its variant and the tags]
    ///
    /// A report replaces an earlier one of the same run, attempt, artifact and path, and no other.
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = table::UPLOAD_ARTIFACT.parse)]
    pub(crate) artifact: Option<String>,

    /// The branch that it tests [default: that of the CI job]
    #[arg(long, visible_alias = "branch", value_name = "BRANCH", hide_short_help = true, value_parser = table::HEAD_BRANCH.parse)]
    pub(crate) head_branch: Option<String>,

    /// The repository of that branch [default: that of the CI job]
    ///
    /// For a pull request from a fork it is the fork.
    #[arg(long, value_name = "OWNER/NAME", hide_short_help = true, value_parser = table::HEAD_REPOSITORY.parse)]
    pub(crate) head_repository: Option<String>,

    #[command(flatten)]
    pub(crate) facts: FactArgs,
}
