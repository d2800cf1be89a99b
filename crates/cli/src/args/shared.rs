//! Options that several commands have.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use regex::Regex;

use crate::config::table;

/// What stdout gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    #[default]
    Table,
    /// Lines of JSON
    Json,
}

/// When all documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FullWord {
    /// For the head branch and repository of --full-branch and --full-repository
    #[default]
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

/// Which artifacts are taken and which collections are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileWord {
    /// PyTorch's artifacts and all six collections
    Pytorch,
    /// Every artifact, and the collections that suit everyone
    Plain,
}

/// The options of every command that collects.
#[derive(Debug, Default, Args)]
pub(crate) struct CommonArgs {
    #[command(flatten)]
    pub(crate) jobs: JobArgs,
    #[command(flatten)]
    pub(crate) verdict: VerdictArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// What is known of the run's jobs.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The run")]
pub(crate) struct JobArgs {
    /// A JSON object of the jobs' names by their ids
    ///
    /// Without it, a source that knows the jobs is asked.
    #[arg(long, value_name = "FILE", value_parser = table::JOBS_FILE.parse)]
    pub(crate) jobs_file: Option<String>,
}

/// What the verdict asks for.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The verdict")]
pub(crate) struct VerdictArgs {
    /// End with 3 for anything unusual, too, that the ledger lists
    ///
    /// A suite that declares another number of cases than it holds, an XML file that is no report and a job without a
    /// report are listed, and change nothing without this.
    #[arg(long, overrides_with = "no_require_complete")]
    pub(crate) require_complete: bool,
    #[arg(long, hide = true, overrides_with = "require_complete")]
    pub(crate) no_require_complete: bool,

    /// End with 3 where a job whose name matches left no report
    ///
    /// Or where no job's name matches. The expression may match any part of the name: `^linux.* / test`.
    #[arg(long, value_name = "REGEX", value_parser = table::EXPECT_JOBS.parse)]
    pub(crate) expect_jobs: Option<Regex>,
}

/// What the work may take.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Workers that inflate and parse [default: one a core]
    ///
    /// At most 1024.
    #[arg(long, value_name = "N", value_parser = table::THREADS.parse)]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Artifacts fetched at the same time [default: 16]
    ///
    /// At most 1024.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::MAX_CONCURRENCY.parse)]
    pub(crate) max_concurrency: Option<NonZeroUsize>,

    /// How long to try again what fails and may pass [default: 10min; 15min for buckets]
    ///
    /// A time reads `30s`, `10min` or `1h`; `0s` is one try.
    #[arg(long, value_name = "TIME", hide_short_help = true, value_parser = table::RETRY_FOR.parse)]
    pub(crate) retry_for: Option<Duration>,

    /// Most entries of an archive [default: 100000]
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::MAX_ENTRIES.parse)]
    pub(crate) max_entries: Option<NonZeroU64>,

    /// Largest inflated size of an entry [default: 16GiB]
    ///
    /// A size reads `500MB`, `16GiB` or a number of bytes.
    #[arg(long, value_name = "SIZE", hide_short_help = true, value_parser = table::MAX_ENTRY_SIZE.parse)]
    pub(crate) max_entry_size: Option<NonZeroU64>,

    /// Largest inflated size of all entries of a run [default: 256GiB]
    #[arg(long, value_name = "SIZE", hide_short_help = true, value_parser = table::MAX_RUN_SIZE.parse)]
    pub(crate) max_run_size: Option<NonZeroU64>,

    /// Most inflated bytes for each compressed one, past 64 MiB of an entry [default: 500]
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::MAX_RATIO.parse)]
    pub(crate) max_ratio: Option<NonZeroU64>,

    #[command(flatten)]
    pub(crate) report: ReportLimitArgs,
}

/// What one report may take.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct ReportLimitArgs {
    /// Most elements of a report that are open at once [default: 256]
    ///
    /// At most 1000.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::MAX_DEPTH.parse)]
    pub(crate) max_depth: Option<NonZeroUsize>,

    /// Most attributes of a tag [default: 256]
    ///
    /// At most 10000.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::MAX_ATTRIBUTES.parse)]
    pub(crate) max_attributes: Option<NonZeroUsize>,

    /// Largest size of a tag with its attributes, a comment, a document type [default: 16MiB]
    ///
    /// At most 1GiB.
    #[arg(long, value_name = "SIZE", hide_short_help = true, value_parser = table::MAX_TAG_SIZE.parse)]
    pub(crate) max_tag_size: Option<NonZeroU64>,

    /// Largest size of a case with all that is in it [default: 64MiB]
    ///
    /// At most 1GiB.
    #[arg(long, value_name = "SIZE", hide_short_help = true, value_parser = table::MAX_CASE_SIZE.parse)]
    pub(crate) max_case_size: Option<NonZeroU64>,

    /// Most findings kept of a report; the rest are counted [default: 100]
    ///
    /// At most 1000000.
    #[arg(long, value_name = "N", hide_short_help = true, value_parser = table::MAX_FINDINGS.parse)]
    pub(crate) max_findings: Option<NonZeroUsize>,
}

/// How a command that collects talks.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What it says")]
pub(crate) struct TalkArgs {
    /// What stdout gets [default: table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Say what would be read and written, and write nothing
    #[arg(short = 'n', long, overrides_with = "no_dry_run")]
    pub(crate) dry_run: bool,
    #[arg(long, hide = true, overrides_with = "dry_run")]
    pub(crate) no_dry_run: bool,

    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}

/// How any command talks.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What it says")]
pub(crate) struct VoiceArgs {
    /// Say nothing but errors
    ///
    /// What --format asks for is printed all the same.
    #[arg(short, long, overrides_with = "no_quiet")]
    pub(crate) quiet: bool,
    #[arg(long, hide = true, overrides_with = "quiet")]
    pub(crate) no_quiet: bool,

    /// Log to stderr what is done; -vv more, -vvv everything
    ///
    /// --quiet wins over it.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// The settings file [default: testlake.toml]
    ///
    /// It is looked for in the working folder, then in the folders above it up to the root of the repository.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Turns a switch and its way back into what was said.
pub(crate) fn switch(on: bool, off: bool) -> Option<bool> {
    (on || off).then_some(on)
}
