//! `testlake collect`.

use std::num::NonZeroU64;

use clap::Args;
use globset::Glob;
use testlake_collect::redact::OwnPattern;
use testlake_collect::run::AttemptChoice;
use testlake_collect::source::Layout;

use super::{CommonArgs, FullWord, ProfileWord, TagArgs};
use crate::config::table;
use crate::config::value::Since;

/// Take in a finished run from where CI keeps it
///
/// Reads the test reports that the jobs of one attempt of a run left, from any number of sources, keeps every result in the
/// lake, and writes the run's collections and its ledger. An artifact that lies in two sources counts once: the bucket's copy, else that of
/// the source named first. What is broken never stops the rest: the ledger names it, and the exit code is 3.
///
/// In a CI job, what is not said about the run is taken from the job's own variables (docs/ci.md).
#[derive(Debug, Default, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  Reports that lie here, into ./testlake:
    testlake collect ./artifacts

  A run by its web address (a token is read from GITHUB_TOKEN):
    testlake collect https://github.com/owner/name/actions/runs/9871234567

  A pipeline of CircleCI's, all its workflows (a token is read from CIRCLE_TOKEN):
    testlake collect https://app.circleci.com/pipelines/gh/owner/name/17

  The same run from a bucket first and from GitHub for what is not there:
    testlake collect s3://ci-artifacts github --repo owner/name --run-id 9871234567 \\
        --to s3://test-results

  The runs of a workflow in the last 30 days that are not in the lake yet:
    testlake collect github --repo owner/name --workflow ci.yml --since 30d

  All attempts, as data:
    testlake collect github --repo owner/name --run-id 9871234567 --attempt all --format json

Exit codes: 0 all read, 2 usage, 3 read in part, 4 no test found, 70 a bug, 75 a store or
the network failed after retries, 128+n a signal.

Each option can stand in the environment, as told above, and in testlake.toml under its
name without the dashes. Options win over the environment, and that over the file.
`--no-quiet` and the like take a switch back."
)]
pub(crate) struct CollectArgs {
    /// A path, a bucket, `github`, `circleci`, or a run's web address
    ///
    /// A path: a folder, a glob, an archive (zip, tar, tar.gz, tar.zst), a report. Of loose reports the first folder below
    /// the path stands for the artifact.
    ///
    /// `s3://bucket`, `gs://bucket`, `az://container`, `file:///folder`: artifacts of many runs, by --layout. Credentials are found
    /// as the store's own tools find them.
    ///
    /// `github`: GitHub's API (GITHUB_TOKEN; GITHUB_API_URL for Enterprise). `circleci`: CircleCI's API (CIRCLE_TOKEN;
    /// CIRCLECI_CLI_HOST for a server).
    ///
    /// `https://github.com/owner/name/actions/runs/1`,
    /// `https://app.circleci.com/pipelines/gh/owner/name/1/workflows/ID`: that run. An address that ends with the pipeline's
    /// number stands for all its workflows.
    #[arg(value_name = "SOURCE", value_parser = table::SOURCE.parse)]
    pub(crate) source: Vec<String>,

    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Take in every run since then that the lake has not, as `30d`
    ///
    /// A time ago, `30d` or `12h`, or a day as 2026-11-01 (UTC).
    ///
    /// GitHub is asked for the runs of --repo that have ended, the oldest first; with --workflow for those of this workflow:
    /// its file (`ci.yml`), its name or its id. A run that the lake
    /// has, whatever its verdict, is passed over: a call that was broken off goes on where it stopped. Where GitHub's rate
    /// limit is used up, it is waited for.
    #[arg(long, value_name = "WHEN", help_heading = "The run", value_parser = table::COLLECT_SINCE.parse)]
    pub(crate) since: Option<Since>,

    #[command(flatten)]
    pub(crate) sources: SourceArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) lake: CollectLakeArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// What goes into the lake.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The output")]
pub(crate) struct CollectLakeArgs {
    /// The lake that keeps every result: a folder or a bucket [default: lake/ below --to]
    #[arg(long, value_name = "URL", value_parser = table::LAKE.parse)]
    pub(crate) lake: Option<String>,

    /// Fill no lake
    ///
    /// `--with-lake` takes it back.
    #[arg(long, hide_short_help = true, overrides_with = "with_lake")]
    pub(crate) no_lake: bool,
    #[arg(long, hide = true, overrides_with = "no_lake")]
    pub(crate) with_lake: bool,

    /// Write no collections and no ledger: fill the lake alone
    ///
    /// `--with-collections` takes it back.
    #[arg(long, hide_short_help = true, overrides_with = "with_collections")]
    pub(crate) no_collections: bool,
    #[arg(long, hide = true, overrides_with = "no_collections")]
    pub(crate) with_collections: bool,

    #[command(flatten)]
    pub(crate) tags: TagArgs,
}

/// Which run.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The run")]
pub(crate) struct RunArgs {
    /// The repository [default: that of the CI job]
    ///
    /// `github` needs it, and so does a bucket whose --layout names it.
    #[arg(long, value_name = "OWNER/NAME", value_parser = table::REPO.parse)]
    pub(crate) repo: Option<String>,

    /// The run [default: that of the CI job]
    ///
    /// For paths alone it is `local-` and a hash of the input.
    #[arg(long, value_name = "ID", value_parser = table::RUN_ID.parse)]
    pub(crate) run_id: Option<String>,

    /// The attempt: a number, `latest` or `all` [default: latest]
    #[arg(long, value_name = "N", value_parser = table::ATTEMPT.parse)]
    pub(crate) attempt: Option<AttemptChoice>,

    /// The branch that it tested [default: asked of the sources]
    #[arg(long, visible_alias = "branch", value_name = "BRANCH", value_parser = table::HEAD_BRANCH.parse)]
    pub(crate) head_branch: Option<String>,

    /// The repository of that branch [default: asked of the sources]
    ///
    /// For a pull request from a fork it is the fork.
    #[arg(long, value_name = "OWNER/NAME", hide_short_help = true, value_parser = table::HEAD_REPOSITORY.parse)]
    pub(crate) head_repository: Option<String>,

    #[command(flatten)]
    pub(crate) facts: FactArgs,
}

/// What is kept of the run with its results.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The run")]
pub(crate) struct FactArgs {
    /// The commit that it tested [default: asked of the sources]
    ///
    /// Of a pull request its last commit, not one that merges it for the test.
    #[arg(long, value_name = "SHA", hide_short_help = true, value_parser = table::COMMIT.parse)]
    pub(crate) commit: Option<String>,

    /// The last commit that it has in common with the branch that it is for [default: asked of the sources]
    #[arg(long, value_name = "SHA", hide_short_help = true, value_parser = table::MERGE_BASE.parse)]
    pub(crate) merge_base: Option<String>,

    /// The number of the pull request that it tested [default: asked of the sources]
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::PULL_REQUEST.parse)]
    pub(crate) pull_request: Option<NonZeroU64>,

    /// What made it begin, as `push` or `schedule` [default: asked of the sources]
    #[arg(long, value_name = "WORD", hide_short_help = true, value_parser = table::EVENT.parse)]
    pub(crate) event: Option<String>,

    /// The workflow's name [default: asked of the sources]
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = table::WORKFLOW.parse)]
    pub(crate) workflow: Option<String>,

    /// When it began [default: asked of the sources]
    ///
    /// A time reads `2026-11-23T02:40:40Z`, with a zone.
    #[arg(long, value_name = "TIME", hide_short_help = true, value_parser = table::STARTED.parse)]
    pub(crate) started: Option<i64>,
}

/// What is taken of the sources.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The sources")]
pub(crate) struct SourceArgs {
    /// Artifacts to take, by name [default: those of the profile]
    ///
    /// `*` stands for any characters, `?` for one; `[...]` and `{a,b}` as in a shell.
    #[arg(long, value_name = "GLOB", value_parser = table::ARTIFACT.parse)]
    pub(crate) artifact: Option<Glob>,

    /// Read **/test/test-reports/**/*.xml here, as in a CircleCI job
    #[arg(long, overrides_with = "no_circleci")]
    pub(crate) circleci: bool,
    #[arg(long, hide = true, overrides_with = "circleci")]
    pub(crate) no_circleci: bool,

    /// The project at CircleCI, as gh/owner/name [default: gh/ and --repo]
    #[arg(long, value_name = "SLUG", hide_short_help = true, value_parser = table::PROJECT_SLUG.parse)]
    pub(crate) project_slug: Option<String>,

    /// Where in a bucket a run lies [default: {repo}/{run_id}/{attempt}/artifact/]
    ///
    /// What a key has behind it is the artifact's name. A layout without `{attempt}` holds one attempt of each run.
    #[arg(long, value_name = "TEMPLATE", hide_short_help = true, value_parser = table::LAYOUT.parse)]
    pub(crate) layout: Option<Layout>,
}

/// What is masked in results that are kept.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The output")]
pub(crate) struct RedactArgs {
    /// Mask secrets in the texts of results [default: true]
    ///
    /// Tokens, private keys, passwords in addresses: docs/redaction.md lists the rules. `--no-redact` keeps them. The collections
    /// are not changed.
    #[arg(long, hide_short_help = true, overrides_with = "no_redact")]
    pub(crate) redact: bool,
    #[arg(long, hide = true, overrides_with = "redact")]
    pub(crate) no_redact: bool,

    /// Mask what an expression of your own matches, too
    ///
    /// As `ticket=TKT-[0-9]{6}`; of an expression with a group `secret` the group alone. Any number of times.
    #[arg(long, value_name = "NAME=REGEX", hide_short_help = true, value_parser = table::REDACT_PATTERN.parse)]
    pub(crate) redact_pattern: Vec<OwnPattern>,
}

/// What is written, and where.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The output")]
pub(crate) struct OutputArgs {
    /// The folder or bucket that results go to [default: ./testlake]
    ///
    /// A path, `file:///folder`, `s3://bucket/prefix`, `gs://bucket`, `az://container`.
    #[arg(long, value_name = "URL", value_parser = table::TO.parse)]
    pub(crate) to: Option<String>,

    /// Which artifacts and collections [default: plain]
    ///
    /// For the repository pytorch/pytorch the default is pytorch.
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ProfileWord>,

    /// Whether to write test_run, the document of every case [default: auto]
    #[arg(long, value_enum)]
    pub(crate) full: Option<FullWord>,

    /// The head branch for which --full auto writes it [default: main]
    #[arg(long, value_name = "BRANCH", hide_short_help = true, value_parser = table::FULL_BRANCH.parse)]
    pub(crate) full_branch: Option<String>,

    /// The head repository for which --full auto writes it [default: the run's]
    ///
    /// In the pytorch profile the default is pytorch/pytorch.
    #[arg(long, value_name = "OWNER/NAME", hide_short_help = true, value_parser = table::FULL_REPOSITORY.parse)]
    pub(crate) full_repository: Option<String>,

    #[command(flatten)]
    pub(crate) redact: RedactArgs,
}
