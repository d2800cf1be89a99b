//! `testlake lint`.

use clap::Args;

use super::shared::VoiceArgs;
use super::{Format, ReadingArgs};

/// Say what is wrong with test reports, and where
///
/// Reads reports of any format and tells each defect that reading survived, and each that ended it, by file, line and
/// column, with what to do about it. docs/findings.md lists them all.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "`--help` says more, and has examples.",
    after_long_help = "\
Examples:
  testlake lint ./reports
  testlake lint --strict build/test-results/*.xml
  testlake lint --format json ./reports

Exit codes: 0 all read, 1 there are findings and --strict was given, 2 usage, 3 a file could not
be read, 4 no file found, 70 a bug, 75 nobody took the output."
)]
pub(crate) struct LintArgs {
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,

    /// What stdout gets [default: table]
    #[arg(long, value_enum, help_heading = "What it says")]
    pub(crate) format: Option<Format>,

    #[command(flatten)]
    pub(crate) voice: VoiceArgs,
}
