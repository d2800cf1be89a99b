//! `testlake convert`.

use clap::{Args, ValueEnum};

use super::ReadingArgs;
use super::shared::VoiceArgs;
use crate::config::table;

/// A form that reports are converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormWord {
    /// JUnit XML, with the elements of Maven Surefire for tries
    Junit,
    /// Common Test Report Format
    Ctrf,
    /// A line of JSON for each case
    Ndjson,
}

/// Any format in, one form out
///
/// Reads reports of any format and writes their cases to stdout. What could not be read, or was repaired, is told on stderr
/// or in --findings. docs/convert.md describes the forms, and what each of them cannot tell.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  testlake convert --as ndjson ./reports > cases.ndjson
  testlake convert --as junit results.trx > results.xml
  go test -json ./... | testlake convert --as ctrf /dev/stdin

Exit codes: 0 all read, 1 there are findings and --strict was given, 2 usage, 3 read in part, 4 no test
found, 70 a bug, 75 nobody took the output."
)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    /// The form that is written
    #[arg(long = "as", value_enum, help_heading = "The reports")]
    pub(crate) form: Option<FormWord>,

    /// The repository that test ids are computed for: owner/name [default: none]
    #[arg(long, value_name = "REPO", help_heading = "The reports", value_parser = table::REPO.parse)]
    pub(crate) repo: Option<String>,

    /// Write findings into this file, a line of JSON each, instead of stderr
    #[arg(long, value_name = "FILE", help_heading = "The reports", value_parser = table::FINDINGS.parse)]
    pub(crate) findings: Option<String>,

    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}
