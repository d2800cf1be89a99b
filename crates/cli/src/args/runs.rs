//! `testlake runs`.

use std::num::NonZeroU64;

use clap::Args;

use super::lake::LakePlaceArgs;
use super::shared::VoiceArgs;
use super::sql::RowsArgs;
use crate::config::table;
use crate::config::value::Since;

/// List the runs that a lake holds
///
/// The youngest first, each attempt in a row, with its figures.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  testlake runs
  testlake runs --repo owner/name --branch main --since 7d
  testlake runs --since 2026-11-01 --limit 1000 --format ndjson

Exit codes: 0 listed, 2 usage (there is no lake there, too), 3 a log or a file of the lake is
damaged, 70 a bug, 75 a store or the network failed after retries, 128+n a signal."
)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) place: LakePlaceArgs,

    /// Runs of this repository
    #[arg(long, value_name = "OWNER/NAME", help_heading = "The runs", value_parser = table::REPO.parse)]
    pub(crate) repo: Option<String>,

    /// Runs that tested this branch
    #[arg(long, value_name = "BRANCH", help_heading = "The runs", value_parser = table::RUNS_BRANCH.parse)]
    pub(crate) branch: Option<String>,

    /// Runs that began since then: `7d`, `12h`, or a day as 2026-11-01 (UTC)
    ///
    /// Of a run whose beginning is not known, when it was taken in counts.
    #[arg(long, value_name = "WHEN", help_heading = "The runs", value_parser = table::SINCE.parse)]
    pub(crate) since: Option<Since>,

    /// Most runs that are listed [default: 50]
    #[arg(long, value_name = "N", help_heading = "The runs", value_parser = table::LIMIT.parse)]
    pub(crate) limit: Option<NonZeroU64>,

    #[command(flatten)]
    pub(crate) rows: RowsArgs,
    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}
