//! `testlake sql`.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::lake::LakePlaceArgs;
use super::shared::VoiceArgs;
use crate::config::table;

/// A form that rows are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RowsFormat {
    /// Columns for people; long values are cut
    #[default]
    Table,
    /// Values with commas between, names first
    Csv,
    /// A list of objects
    Json,
    /// An object a line
    Ndjson,
    /// A Parquet file
    Parquet,
}

/// The form of rows.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "What it says")]
pub(crate) struct RowsArgs {
    /// What stdout gets [default: table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<RowsFormat>,
}

/// What a question may cost.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct QueryLimitArgs {
    /// Most memory for sorting, grouping and joining [default: 2GiB]
    ///
    /// What is more goes to temporary files (TMPDIR). A size reads `500MB` or `4GiB`.
    #[arg(long, value_name = "SIZE", value_parser = table::MEMORY_LIMIT.parse)]
    pub(crate) memory_limit: Option<NonZeroU64>,

    /// How long a question may take [default: as long as it takes]
    ///
    /// A time reads `30s`, `10min` or `1h`.
    #[arg(long, value_name = "TIME", value_parser = table::TIMEOUT.parse)]
    pub(crate) timeout: Option<Duration>,
}

/// Ask the lake in SQL
///
/// The tables are `runs`, `results` and `findings`; docs/format.md names their columns. The SQL is that of Apache DataFusion, close to
/// PostgreSQL's. It only reads. Without a question there is a prompt on a terminal; elsewhere the question is read from the standard input.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  Counts by outcome, for another program:
    testlake sql --format csv \"select outcome, count(*) as n from results group by 1 order by 1\"

  One test's history:
    testlake sql -p test='test_add' \\
        \"select date, run_id, outcome, seconds from results where name = $test order by started\"

  A question from a file, into a Parquet file:
    testlake sql -f flaky.sql --format parquet > flaky.parquet

  A prompt:
    testlake sql --lake s3://bucket/lake

Exit codes: 0 answered, 2 usage (wrong SQL and no lake, too), 3 a limit was hit or a file of the
lake is damaged (the rows until then were printed), 70 a bug, 75 a store or the network failed
after retries, 128+n a signal (130: Ctrl-C)."
)]
pub(crate) struct SqlArgs {
    /// The question: one statement that reads
    #[arg(value_name = "QUERY")]
    pub(crate) query: Option<String>,

    /// Read the question from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "query", help_heading = "The question")]
    pub(crate) file: Option<String>,

    /// A value for `$NAME` in the question; may be given more than once
    ///
    /// The value is a text. `NAME:int=5`, `NAME:double=0.5` and `NAME:bool=true` are of other types.
    #[arg(short, long, value_name = "NAME=VALUE", help_heading = "The question", value_parser = crate::config::value::parameter)]
    pub(crate) param: Vec<(String, crate::config::value::ParameterValue)>,

    #[command(flatten)]
    pub(crate) place: LakePlaceArgs,
    #[command(flatten)]
    pub(crate) limits: QueryLimitArgs,
    #[command(flatten)]
    pub(crate) rows: RowsArgs,
    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}
