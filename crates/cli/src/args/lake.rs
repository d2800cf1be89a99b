//! Where the lake is, and `testlake lake`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Format;
use super::shared::VoiceArgs;
use crate::config::table;

/// Where the lake is, of a command that reads or fills it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The lake")]
pub(crate) struct LakePlaceArgs {
    /// The lake: a folder or a bucket [default: ./testlake/lake]
    ///
    /// A path, `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`. Where `to` is set in the
    /// environment or in testlake.toml, the default is `lake/` below it.
    #[arg(long, value_name = "URL", value_parser = table::LAKE.parse)]
    pub(crate) lake: Option<String>,
}

/// What is kept beside each result.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "The lake")]
pub(crate) struct TagArgs {
    /// A name and a value to keep with each result; may be given more than once
    ///
    /// A comma is part of the value: `--tags suite=unit --tags shard=1` are two tags.
    #[arg(long, value_name = "NAME=VALUE", value_parser = table::TAGS.parse)]
    pub(crate) tags: Vec<(String, String)>,
}

/// What is done with a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LakeAction {
    /// Say what is in it: rows, files, bytes, days, versions
    Info,
    /// List the files that make up the latest version of its tables, as other programs can read them
    Files,
    /// Merge small files into large ones, sorted: smaller, and faster to ask
    Optimize,
    /// Remove files that no version younger than --retention needs
    Vacuum,
    /// Prove that all that its log names is there, whole, and counts as it says
    Check,
}

/// A table of a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableWord {
    /// An attempt of a run in a row
    Runs,
    /// A case on a job in a row
    Results,
    /// Something wrong with the input in a row
    Findings,
}

/// Look after a lake
///
/// A lake needs no server and no daily care. `optimize` once a day, after which files are large and sorted, and `vacuum` once a week keep
/// it small and fast. Both may run while others write and read.
#[derive(Debug, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  testlake lake info --lake s3://bucket/lake
  testlake lake files --table results
  testlake lake optimize
  testlake lake vacuum --retention 7d
  testlake lake check --format json

Exit codes: 0 done, 1 `check` found something wrong, 2 usage (there is no lake there, too), 3 a log
or a file of the lake is damaged, 70 a bug, 75 a store or the network failed after retries, 128+n a
signal."
)]
pub(crate) struct LakeArgs {
    /// What to do
    #[arg(value_enum)]
    pub(crate) action: LakeAction,

    #[command(flatten)]
    pub(crate) place: LakePlaceArgs,

    /// The table whose files are listed [default: all three]
    #[arg(long, value_enum, help_heading = "The lake")]
    pub(crate) table: Option<TableWord>,

    /// How long files stay that no version needs any more [default: 7d]
    ///
    /// For `vacuum`. A time reads `12h` or `30d`. Who reads a version for longer than this, or writes for longer, loses it.
    #[arg(long, value_name = "TIME", help_heading = "The lake", value_parser = table::RETENTION.parse)]
    pub(crate) retention: Option<Duration>,

    /// Say what `vacuum` would remove, and remove nothing
    #[arg(short = 'n', long, overrides_with = "no_dry_run", help_heading = "The lake")]
    pub(crate) dry_run: bool,
    #[arg(long, hide = true, overrides_with = "dry_run")]
    pub(crate) no_dry_run: bool,

    /// What stdout gets [default: table]
    #[arg(long, value_enum, help_heading = "What it says")]
    pub(crate) format: Option<Format>,

    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}
