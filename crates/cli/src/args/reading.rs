//! Options of the commands that read reports as they lie.

use std::num::NonZeroU64;

use clap::Args;
use testlake_report::Fold;

use super::shared::ReportLimitArgs;
use crate::config::table;

/// Which reports, and how they are read.
#[derive(Debug, Default, Args)]
pub(crate) struct ReadingArgs {
    /// Reports, and folders of them
    ///
    /// Of a folder every file below it, in sorted order. What a file is, its content says.
    #[arg(value_name = "PATH", value_parser = table::PATH.parse)]
    pub(crate) path: Vec<String>,

    /// End with 1 where there is any finding
    #[arg(long, overrides_with = "no_strict", help_heading = "The verdict")]
    pub(crate) strict: bool,
    #[arg(long, hide = true, overrides_with = "strict")]
    pub(crate) no_strict: bool,

    /// Rules that fold volatile parts of names in test ids, or `all`
    ///
    /// With commas between: `addresses`, `uuids`, `timestamps`, `temporary-paths`. Cases that are the same then count as
    /// repeated. What is shown of a case stays whole.
    #[arg(
        long,
        value_name = "RULES",
        hide_short_help = true,
        help_heading = "The reports",
        value_parser = table::FOLD.parse
    )]
    pub(crate) fold: Option<Fold>,

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
}
